"""List files: what people write in them, and what they are told about it."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.mapping import OfferMapping
from tenantfold.domain.model import AgreementContact, CustomerId, OfferId
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer, match_selection
from tenantfold.errors import InputError
from tenantfold.listfiles import (
    CUSTOMER_COLUMNS,
    MAPPING_COLUMNS,
    read_customer_list,
    read_offer_mapping,
    read_price_list,
)

TODAY = date(2026, 3, 10)
FIRST = CustomerId("11111111-1111-4111-8111-111111111111")
SECOND = CustomerId("22222222-2222-4222-8222-222222222222")
THIRD = CustomerId("33333333-3333-4333-8333-333333333333")
CONTACT = AgreementContact(
    first_name="Åsa",
    last_name="Öberg",
    email="asa@contoso.se",
    agreed_on=date(2026, 1, 31),
    phone_number="+46 8 123 45",
)
FULL_HEADING = (
    "customer_id,domain,company_name,contact_first_name,contact_last_name,contact_email,contact_phone,agreed_on"
)


def csv_file(folder: Path, text: str | bytes, name: str = "customers.csv") -> Path:
    """A file with this content."""
    path = folder / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def xlsx_file(folder: Path, rows: Sequence[Sequence[object]], name: str = "customers.xlsx") -> Path:
    """A workbook with these rows on its first sheet, made by another program than the one that reads it."""
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    sheet.title = "Kunder"
    for row in rows:
        sheet.append(row)
    workbook.save(folder / name)
    return folder / name


def selection(path: Path) -> CustomerSelection:
    """Read a customer list on the day the tests stand still."""
    return read_customer_list(path, today=TODAY)


def complaint(path: Path) -> str:
    """The message of the error that reading this customer list raises."""
    with pytest.raises(InputError) as caught:
        selection(path)
    assert caught.value.next_step
    return caught.value.message


def test_reads_ids_domains_names_and_contacts(tmp_path: Path):
    """Columns stand in any order and case; the customer id wins; rows count as a spreadsheet shows them."""
    path = csv_file(
        tmp_path,
        "Company Name,CUSTOMER_ID,domain,contact_email,contact_first_name,contact_last_name,contact-phone,agreed_on\n"
        f"Contoso,{FIRST.upper()},contoso.se,asa@contoso.se,Åsa,Öberg,+46 8 123 45,2026-01-31\n"
        "\n"
        "Fabrikam AB,,Fabrikam.se,,,,,\n"
        "Litware,,,,,,,\n",
    )
    assert selection(path) == CustomerSelection(
        place=str(path),
        rows=(
            SelectedCustomer(row=2, customer_id=FIRST, domain="contoso.se", company_name="Contoso", contact=CONTACT),
            SelectedCustomer(row=4, domain="fabrikam.se", company_name="Fabrikam AB"),
            SelectedCustomer(row=5, company_name="Litware"),
        ),
    )


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_reads_what_excel_writes_in_any_locale(tmp_path: Path, delimiter: str, mark: bytes):
    """Excel in Nordic locales separates with semicolons, and marks UTF-8 with three bytes."""
    text = f'company_name{delimiter}domain\r\n"Bröd; smör, AB"{delimiter}brod.se\r\n'
    [row] = selection(csv_file(tmp_path, mark + text.encode())).rows
    assert (row.company_name, row.domain) == ("Bröd; smör, AB", "brod.se")


def test_reads_a_workbook_with_real_dates_and_numbers(tmp_path: Path):
    """Dates may be dates or text, phone numbers may be numbers; a hidden first sheet is not the list."""
    contact = ["contact_first_name", "contact_last_name", "contact_email", "contact_phone", "agreed_on"]
    rows: list[list[object]] = [
        ["company_name", *contact, None],
        ["Contoso", "A", "B", "a@b.se", 46812345, datetime(2026, 1, 31)],  # noqa: DTZ001 - spreadsheets know no zone
        [None, None],
        ["Fabrikam", "A", "B", "a@b.se", None, "2026-01-31"],
    ]
    path = xlsx_file(tmp_path, rows)
    workbook = openpyxl.load_workbook(path)
    workbook.create_sheet("Hidden", 0).sheet_state = "hidden"
    workbook.active = 1
    workbook.save(path)
    read = selection(path)
    assert read.place == f"{path}, sheet Kunder"
    assert [(row.row, row.company_name) for row in read.rows] == [(2, "Contoso"), (4, "Fabrikam")]
    assert read.rows[0].contact == AgreementContact(
        first_name="A", last_name="B", email="a@b.se", agreed_on=date(2026, 1, 31), phone_number="46812345"
    )


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ("not-a-guid,,,,,,,", ["row 2, column customer_id", '"not-a-guid"', "GUID"]),
        (",no domain,,,,,,", ["row 2, column domain", '"no domain"']),
        (",,,,,,,", ["no customers below"]),
        (",,,A,B,a@b.se,,2026-01-01", ["row 2, column customer_id and domain and company_name: empty"]),
        (",,Contoso,A,,a@b.se,,2026-01-01", ["half a contact", "contact_last_name empty"]),
        (",,Contoso,,,,+46 8 123,", ["half a contact", "contact_first_name and contact_last_name"]),
        (",,Contoso,A,B,a@b,,2026-01-01", ["column contact_email", '"a@b"', "e-mail"]),
        (",,Contoso,A,B,a@b.se,call me,2026-01-01", ["column contact_phone", '"call me"']),
        (",,Contoso,A,B,a@b.se,,31/01/2026", ["column agreed_on", '"31/01/2026"', "2026-01-31"]),
        (",,Contoso,A,B,a@b.se,,2026-02-30", ["column agreed_on", '"2026-02-30"']),
        (",,Contoso,A,B,a@b.se,,20260131", ["column agreed_on", "is not a date"]),
        (",,Contoso,A,B,a@b.se,,2026-03-11", ["lies in the future", "today is 2026-03-10"]),
        (",,=1+1,,,,,", ["column company_name", '"=1+1"', "starts like a formula"]),
        (",,+1,,,,,", ["starts like a formula"]),
        (",,-1,,,,,", ["starts like a formula"]),
        (",,@SUM(A1),,,,,", ["starts like a formula"]),
        (',,"\tx",,,,,', ["starts like a formula"]),
        (",,Contoso,A,B,a@b.se,+A1+B1,2026-01-01", ["column contact_phone", "starts like a formula"]),
        (",,Contoso,,,,,,surplus", ["9 cells but only 8 headings"]),
    ],
)
def test_a_wrong_row_names_row_column_value_and_what_is_allowed(tmp_path: Path, row: str, words: list[str]):
    """Everything a person needs to find and correct the cell stands in the sentence, once."""
    path = csv_file(tmp_path, f"{FULL_HEADING}\n{row}\n")
    message = complaint(path)
    for word in [*words, str(path)]:
        assert word in message
    assert "problems:" not in message


def test_today_is_not_the_future(tmp_path: Path):
    """An agreement accepted on this UTC date is accepted."""
    [row] = selection(csv_file(tmp_path, f"{FULL_HEADING}\n,,Contoso,A,B,a@b.se,,{TODAY}\n")).rows
    assert row.contact is not None
    assert row.contact.agreed_on == TODAY


def test_an_apostrophe_marks_text_that_looks_like_a_formula(tmp_path: Path):
    """There are companies called -ing AB; our own CSV files write them with an apostrophe."""
    [row] = selection(csv_file(tmp_path, "company_name\n'-ing AB\n")).rows
    assert row.company_name == "-ing AB"


def test_all_problems_are_told_at_once_and_counted(tmp_path: Path):
    """Nobody should correct one row per attempt, nor scroll through thousands."""
    path = csv_file(tmp_path, "customer_id\n" + "".join(f"wrong{number}\n" for number in range(30)))
    message = complaint(path)
    assert message.startswith(f"{path}: 30 problems:")
    assert message.count("is not a GUID") == 10
    assert message.endswith("and 20 more.")


@pytest.mark.parametrize(
    ("first", "second"),
    [("Contoso,,", "contoso ,,"), (f"A,{FIRST},", f"B,{FIRST.upper()},"), (",,contoso.se", "X,,Contoso.SE")],
)
def test_a_customer_stands_in_the_list_once(tmp_path: Path, first: str, second: str):
    """Twice the same customer means that one of the rows is a mistake."""
    message = complaint(csv_file(tmp_path, f"company_name,customer_id,domain\n{first}\n{second}\n"))
    assert "row 3" in message
    assert "stands in row 2 already" in message


@pytest.mark.parametrize(
    ("heading", "words"),
    [
        ("custmer_id,note", ['"custmer_id" is unknown', "did you mean customer_id?", '"note" is unknown']),
        ("contact_email", ["none of the columns customer_id, domain, company_name"]),
        ("domain,Domain", ['the column "Domain" stands there twice']),
        ("domain,,company_name", ["row 2, column 2: there is a value but the column has no heading"]),
    ],
)
def test_wrong_headings_are_told_before_any_row(tmp_path: Path, heading: str, words: list[str]):
    """With a wrong heading every row would be wrong; the nearest known name is offered."""
    message = complaint(csv_file(tmp_path, f"{heading}\nx,y\n"))
    for word in words:
        assert word in message
    assert "column domain:" not in message


@pytest.mark.parametrize(
    ("content", "name", "word"),
    [
        (b"", "a.csv", "is empty"),
        (b" \r\n ", "a.csv", "is empty"),
        (b"\xef\xbb\xbf\r\n,,\r\n", "a.csv", "is empty"),
        ("company_name\nÅsa".encode("latin-1"), "a.csv", "not UTF-8 text: line 2"),
        ("company_name\nx".encode("utf-16"), "a.csv", "UTF-16"),
        (b"company_name\nA\x00B\n", "a.csv", "zero bytes"),
        (b'company_name\n"A\n', "a.csv", "not a well-formed CSV"),
        (b"PK\x03\x04rest", "a.csv", "although it is named .csv"),
        (b"company_name\nA\n", "a.xlsx", "is not an XLSX workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1old", "a.xlsx", "is not an XLSX workbook"),
        (b"company_name\nA\n", "a.txt", "not from .txt"),
        (b"company_name\n", "a.csv", "no customers below"),
    ],
)
def test_a_file_that_is_no_list_says_what_it_is(tmp_path: Path, content: bytes, name: str, word: str):
    """Wrong encodings, other kinds of file and empty ones are told apart."""
    assert word in complaint(csv_file(tmp_path, content, name))


def test_a_missing_file_and_a_folder_are_told(tmp_path: Path):
    """The path stands in the message."""
    assert str(tmp_path / "gone.csv") in complaint(tmp_path / "gone.csv")
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match="could not be read"):
        selection(tmp_path / "folder.csv")


def test_a_package_without_sheets_is_no_workbook(tmp_path: Path):
    """A zip file of something else is refused in words, not with the reader's own error."""
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as package:
        package.writestr("readme.txt", "x")
    assert "is not an XLSX workbook" in complaint(tmp_path / "a.xlsx")


def test_a_value_in_the_last_corner_of_a_sheet_is_refused_before_it_is_unpacked(tmp_path: Path):
    """The reader would allocate every cell between; a person is told what to do instead."""
    path = xlsx_file(tmp_path, [["company_name"], ["Contoso"]])
    workbook = openpyxl.load_workbook(path)
    workbook.active["XFD1048576"] = "x"
    workbook.save(path)
    assert "too big for a list" in complaint(path)


def test_columns_are_explained():
    """Both lists of columns are documentation too."""
    for columns in (CUSTOMER_COLUMNS, MAPPING_COLUMNS):
        assert all(text.endswith(".") for text in columns.values())


# --- matching -------------------------------------------------------------------------------------------------------

KNOWN = ((FIRST, "Contoso AB", "contoso.se"), (SECOND, "Fabrikam", "fabrikam.se"), (THIRD, "Fabrikam", ""))


def chosen(*rows: SelectedCustomer) -> CustomerSelection:
    """A selection of these rows."""
    return CustomerSelection(place="list.csv", rows=rows)


def test_matches_by_id_domain_or_name_without_regard_to_case():
    """The order of the list stays; each row's contact comes along."""
    matched = match_selection(
        chosen(
            SelectedCustomer(row=2, domain="FABRIKAM.se", company_name="another name", contact=CONTACT),
            SelectedCustomer(row=3, company_name="contoso  ab"),
            SelectedCustomer(row=4, customer_id=THIRD, domain="contoso.se"),
        ),
        KNOWN,
    )
    assert list(matched.items()) == [(SECOND, CONTACT), (FIRST, None), (THIRD, None)]


def test_unknown_rows_are_listed_with_the_nearest_name_and_counted():
    """A person sees the first rows, what they probably meant, and how many there are."""
    rows = [SelectedCustomer(row=2, company_name="Contosso AB"), SelectedCustomer(row=3, domain="contoso.dk")]
    rows += [SelectedCustomer(row=number, company_name=f"zzz{number}") for number in range(4, 24)]
    with pytest.raises(InputError) as caught:
        match_selection(chosen(*rows), KNOWN)
    message = caught.value.message
    assert message.startswith("list.csv: 22 rows do not name exactly one customer")
    assert 'row 2: no customer of the source tenants has the company_name "Contosso AB"; the nearest' in message
    assert '"contoso ab"' in message
    assert '"contoso.se"' in message
    assert message.endswith("and 17 more.")
    assert caught.value.facts["unknown"] == 22


def test_a_name_of_two_customers_is_no_answer():
    """Guessing between two companies of one name would move the wrong one."""
    with pytest.raises(InputError) as caught:
        match_selection(chosen(SelectedCustomer(row=2, company_name="Fabrikam")), KNOWN)
    assert f"2 customers ({SECOND}, {THIRD}); write the customer_id" in caught.value.message


def test_two_rows_that_mean_one_customer_are_told():
    """By name in one row and by domain in another, it is still the same customer twice."""
    rows = (SelectedCustomer(row=2, company_name="Contoso AB"), SelectedCustomer(row=3, domain="contoso.se"))
    with pytest.raises(InputError, match=r"row 3: .* is the customer of row 2 again"):
        match_selection(chosen(*rows), KNOWN)


def test_the_same_customer_in_two_source_tenants_is_one_customer():
    """A customer that several tenants see comes along more than once in the book."""
    matched = match_selection(chosen(SelectedCustomer(row=2, company_name="Contoso AB")), (*KNOWN, KNOWN[0]))
    assert list(matched) == [FIRST]


# --- offer mapping --------------------------------------------------------------------------------------------------


def test_reads_the_offer_mapping_with_and_without_an_approver(tmp_path: Path):
    """Offer ids are upper case, as in the catalog; an entry that nobody approved is kept and says so."""
    path = csv_file(tmp_path, "note;target_offer_id;source_offer_id;approved_by\nE3;b2-c;a1-b;Eva\n;d4-e;c3-d;\n")
    first, second = read_offer_mapping(path)
    assert first == OfferMapping(
        source_offer_id=OfferId("A1-B"), target_offer_id=OfferId("B2-C"), approved_by="Eva", note="E3"
    )
    assert first.is_approved
    assert not second.is_approved
    assert read_offer_mapping(xlsx_file(tmp_path, [["source_offer_id", "target_offer_id"], ["a1-b", "b2-c"]]))


def test_no_mapping_file_is_an_empty_mapping(tmp_path: Path):
    """Most partners need none."""
    assert read_offer_mapping(tmp_path / "offer-mapping.csv") == ()
    assert read_offer_mapping(csv_file(tmp_path, "source_offer_id,target_offer_id\n")) == ()


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("source_offer_id,target_offer_id\nAAA,BBB\naaa,CCC\n", 'row 3, column source_offer_id: "AAA" stands in row 2'),
        ("source_offer_id,target_offer_id\nAAA,aaa\n", "replaced by itself"),
        ("source_offer_id,target_offer_id\nAAA,\n", "row 2, column target_offer_id: empty"),
        ("source_offer_id,target_offer_id\nA B,CCC\n", "is not an offer id"),
        ("source_offer_id\nAAA\n", "the column target_offer_id is missing"),
        ("source_offer,target_offer_id\nAAA,BBB\n", "did you mean source_offer_id?"),
    ],
)
def test_a_wrong_mapping_says_where(tmp_path: Path, text: str, word: str):
    """An offer with two replacements, or none, must not be guessed at."""
    with pytest.raises(InputError) as caught:
        read_offer_mapping(csv_file(tmp_path, text))
    assert word in caught.value.message


# --- whatever people give us ----------------------------------------------------------------------------------------


def test_reads_a_price_list_from_both_kinds_of_file(tmp_path: Path):
    """Amounts are exact; codes are upper case; what is not there means all."""
    text = "offer_id,monthly_unit_price,currency,country,billing_cycle\na1-b,12.50,eur,,\na1-b,11,SEK,se,Annual\n"
    first, second = read_price_list(csv_file(tmp_path, text))
    assert (first.offer_id, first.monthly_unit_price, first.currency, first.country) == (
        "A1-B",
        Decimal("12.50"),
        "EUR",
        "",
    )
    assert (second.country, second.billing_cycle, second.currency) == ("SE", "annual", "SEK")
    heading = ["offer_id", "monthly_unit_price", "currency"]
    (only,) = read_price_list(xlsx_file(tmp_path, [heading, ["a1-b", "7.25", "EUR"]]))
    assert only.monthly_unit_price == Decimal("7.25")


def test_no_price_list_is_an_empty_one(tmp_path: Path):
    """Waves without a limit on money need none."""
    assert read_price_list(tmp_path / "price-list.csv") == ()


@pytest.mark.parametrize(
    ("row", "word"),
    [
        ("a1-b,,EUR,", "is not an amount"),
        ('a1-b,"12,50",EUR,', "is not an amount"),
        ("a1-b,-1,EUR,", "starts like a formula"),
        ("a1-b,1,euros,", "is not a currency"),
        ("a1-b,1,EUR,Sweden", "is not a country"),
        ("?,1,EUR,", "is not an offer id"),
        ("x1-y,2,EUR,", "has the same place in row 2 already"),
    ],
)
def test_a_wrong_price_says_where(tmp_path: Path, row: str, word: str):
    """File, row, column and what is allowed; no amount is guessed."""
    text = f"offer_id,monthly_unit_price,currency,country\nx1-y,1,EUR,\n{row}\n"
    with pytest.raises(InputError, match=f"row 3, column .*{word}"):
        read_price_list(csv_file(tmp_path, text))


@given(content=st.binary(max_size=300), suffix=st.sampled_from([".csv", ".xlsx"]))
def test_any_bytes_are_read_or_refused_in_words(tmp_path_factory: pytest.TempPathFactory, content: bytes, suffix: str):
    """Whatever lies behind the name, the answer is a list or an InputError, never another error."""
    path = csv_file(tmp_path_factory.mktemp("any"), content, f"list{suffix}")
    read: CustomerSelection | None = None
    with suppress(InputError):
        read = selection(path)
    assert read is None or read.rows


@given(name=st.text(min_size=1, max_size=40).filter(lambda text: text.strip() and text.isprintable()))
def test_any_company_name_is_read_back_or_refused_as_a_formula(tmp_path_factory: pytest.TempPathFactory, name: str):
    """Names with quotes, separators and odd letters survive; only what starts like a formula is refused."""
    quoted = name.replace('"', '""')
    path = csv_file(tmp_path_factory.mktemp("name"), f'company_name\n"{quoted}"\n')
    text = name.strip()
    if text[0] in "=+-@\uff1d\uff0b\uff0d\uff20":
        assert "starts like a formula" in complaint(path)
        return
    is_marked = re.match("'+[=+@\uff1d\uff0b\uff0d\uff20-]", text) is not None
    assert selection(path).rows[0].company_name == (text[1:].strip() if is_marked else text)
