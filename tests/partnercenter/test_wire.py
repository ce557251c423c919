"""Reading and writing the wire: casing, dates, ids, unknown things, and the document that is sent back."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from datetime import UTC, date, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.model import CustomerId, TenantId, WireStatus
from tenantfold.errors import UnexpectedAnswerError
from tenantfold.partnercenter import wire, wire_commerce, wire_customers

TENANT = TenantId("t")
CUSTOMER = CustomerId("c")

names = st.text(max_size=12)
scalars = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
status_names = st.sampled_from(["status", "Status", "STATUS"])


@given(st.dictionaries(names.filter(lambda name: name.lower() != "status"), values, max_size=8), status_names, scalars)
def test_a_suspension_differs_from_the_read_document_only_in_its_status(
    others: dict[str, object], status_name: str, status: object
):
    """Every other member, known or not, goes back exactly as it came (R-225)."""
    before = {**others, status_name: status}
    after = msgspec.json.decode(wire_commerce.document_with_status(msgspec.json.encode(before), WireStatus.SUSPENDED))
    assert after == {**before, status_name: "suspended"}
    assert list(after) == list(before)


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_a_suspension_keeps_numbers_digit_by_digit(number: str):
    """A price of 36.480 must not come back as 36.48, nor a long id as a rounded float."""
    document = f'{{"price": {number} ,"status":"active", "deep":{{"x":[{number}]}}}}'.encode()
    after = wire_commerce.document_with_status(document, WireStatus.SUSPENDED)
    assert f'"price":{number}'.encode() in after
    assert f'"deep":{{"x":[{number}]}}'.encode() in after


def test_a_document_without_a_status_gets_one():
    """Old answers leave members out."""
    assert wire_commerce.document_with_status(b'{"id":"x"}', WireStatus.SUSPENDED) == b'{"id":"x","status":"suspended"}'


@pytest.mark.parametrize("document", [b"", b"[]", b'"x"', b'{"id":'])
def test_refuses_to_suspend_what_is_no_document(document: bytes):
    """Better no call than a broken one."""
    with pytest.raises(UnexpectedAnswerError):
        wire_commerce.document_with_status(document, WireStatus.SUSPENDED)


TIMES = [
    ("2015-11-25T06: 41: 12Z", datetime(2015, 11, 25, 6, 41, 12, tzinfo=UTC)),
    ("2021-01-14T16:57:15.0966728Z", datetime(2021, 1, 14, 16, 57, 15, 96672, tzinfo=UTC)),
    ("2015-11-24T01:07:00.863", datetime(2015, 11, 24, 1, 7, 0, 863000, tzinfo=UTC)),
    ("2019-08-28T00:00:00-07:00", datetime(2019, 8, 28, 7, tzinfo=UTC)),
    ("2020-03-25T22:24:23.183+00:00", datetime(2020, 3, 25, 22, 24, 23, 183000, tzinfo=UTC)),
    ("9999-12-10T00:00:00Z", datetime(9999, 12, 10, tzinfo=UTC)),
    ("2017-01-21", datetime(2017, 1, 21, tzinfo=UTC)),
    ("9999-12-31T23:59:59-07:00", None),
    ("0001-01-01T00:00:00", None),
    ("0001-01-01T00:00:00+02:00", None),
    ("", None),
    (None, None),
    ("soon", None),
]


@pytest.mark.parametrize(("text", "expected"), TIMES)
def test_reads_every_way_the_wire_writes_a_time(text: str | None, expected: datetime | None):
    """Seven digits, no zone, offsets, stray spaces, never and null (core reference 2.3)."""
    assert wire.parse_time(text) == expected


@given(st.datetimes(timezones=st.just(UTC)))
def test_reads_back_any_time_written_with_seven_digits(moment: datetime):
    """Any time of the calendar survives, apart from year 1, which means 'never'."""
    text = f"{moment.isoformat(timespec='microseconds')[:26]}7Z"
    assert wire.parse_time(text) == (moment if moment.year > 1 else None)


def test_a_day_on_the_wire_is_a_utc_day():
    """An evening in Seattle is the next day in UTC (R-192)."""
    assert wire.parse_day("2019-08-28T23:00:00-07:00") == date(2019, 8, 29)
    assert wire.wire_midnight(date(2018, 6, 14)) == "2018-06-14T00:00:00.000Z"


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("active", "active"),
        ("Active", "active"),
        ("SUSPENDED", "suspended"),
        ("pending_review_hold", "pending_review_hold"),
        ("SomethingNew", "SomethingNew"),
        (7, "7"),
        (None, ""),
        ("", ""),
    ],
)
def test_keeps_unknown_words_and_folds_known_ones(word: str | int | None, expected: str):
    """Enumerations grow: an unknown value is a state of its own, never read as the nearest known one (R-227)."""
    assert wire.known_word(word, frozenset({"active", "suspended"})) == expected


def test_folds_pascal_case_words():
    """The same enum is OneTime in one place and one_time in another."""
    assert wire.known_word("OneTime", frozenset({"one_time"})) == "one_time"


def test_normalizes_ids_by_kind():
    """Customers and subscriptions lower, offers upper, the tokens of newer orders untouched."""
    guid = "Db2E705f-b82a-4024-a3d5-d88e12f2db35"
    assert wire.lower_id(f" {guid} ") == guid.lower()
    assert wire.lower_guid(guid) == guid.lower()
    assert wire.lower_guid("Cs_jyTxubLpvdJXdo8xcQZN6I2RsLrgZ1") == "Cs_jyTxubLpvdJXdo8xcQZN6I2RsLrgZ1"
    assert wire.upper_guid(guid) == guid.upper()
    assert wire.upper_guid("MS-AZR-0145P") == "MS-AZR-0145P"
    assert wire.upper_guid("CFQ7TTC0LF8S:0001:CFQ7TTC0N81H") == "CFQ7TTC0LF8S:0001:CFQ7TTC0N81H"


def test_reads_members_in_any_case():
    """Some answers are PascalCase, and some members of camelCase answers are, too (core reference 2.3)."""
    document = b'{"Id":"A","Status":"Active","quantity":3,"FriendlyName":"f","Attributes":{"ETag":"e"},"X":1}'
    read = wire_commerce.read_subscription(document, TENANT, CUSTOMER)
    assert (read.value.id, read.value.wire_status, read.value.license_count) == ("a", "active", 3)
    assert (read.value.friendly_name, read.value.etag) == ("f", "e")
    assert read.document == document


def test_reads_members_in_lower_case():
    """A transfer sample has 'partnertenantid': required members are found all the same."""
    document = b'{"id":"A","status":"active","quantity":1,"offerid":"o","partnerid":"p"}'
    assert wire_commerce.read_subscription(document, TENANT, CUSTOMER).value.license_count == 1
    thin = b'{"templateid":"t"}'
    assert wire.decode(thin, wire_customers.AgreementTemplate).template_id == "t"


def test_a_list_keeps_the_bytes_of_its_items_whatever_their_case():
    """Slicing a page must not rewrite the items on it."""
    item = b'{"Id" : "A", "price":1.500, "Odd":[ ]}'
    (raw,), link = wire.decode_items(b'{"Items":[ ' + item + b' ],"Links":{"Next":{"Uri":"/x","Headers":null}}}')
    assert bytes(raw) == item
    assert link is not None
    assert link.uri == "/x"


def test_a_bare_array_is_a_list_without_a_next_page():
    """A few resources have no envelope (core reference 2.3)."""
    items, link = wire.decode_items(b' [{"id":1},{"id":2}]')
    assert (len(items), link) == (2, None)


@pytest.mark.parametrize("body", [b"", b"{}", b'{"items":{}}', b'{"items":[', b"null", b"\xff"])
def test_half_a_list_is_never_an_empty_one(body: bytes):
    """An answer without items is not 'no customers'."""
    with pytest.raises(UnexpectedAnswerError):
        wire.decode_items(body)


@pytest.mark.parametrize("missing", ["id", "status", "quantity"])
def test_a_subscription_without_what_matters_is_unreadable(missing: str):
    """Unknown is a state: a missing count is not a count of zero (invariant 9)."""
    members = {"id": "a", "status": "active", "quantity": 1}
    del members[missing]
    with pytest.raises(UnexpectedAnswerError) as caught:
        wire_commerce.read_subscription(msgspec.json.encode(members), TENANT, CUSTOMER)
    assert "answer" in caught.value.facts


def test_old_subscriptions_name_their_offer_and_parent_in_links_only():
    """The samples of 2015 have no offer id (commerce reference 3.2)."""
    links = {
        "offer": {"uri": "/v1/offers/0cca44d6-68e9-4762-94ee-31ece98783b9", "method": "GET"},
        "parentSubscription": {"uri": "/customers/c/subscriptions/83EF9D05-4169-4EF9-9657-0E86B1EAB1DE"},
    }
    document = msgspec.json.encode({"id": "a", "status": "active", "quantity": 1, "links": links})
    value = wire_commerce.read_subscription(document, TENANT, CUSTOMER).value
    assert value.offer_id == "0CCA44D6-68E9-4762-94EE-31ECE98783B9"
    assert value.parent_id == "83ef9d05-4169-4ef9-9657-0e86b1eab1de"


def test_explicit_nulls_are_missing_members():
    """PascalCase answers are null-filled."""
    members: dict[str, object] = dict.fromkeys(("offerName", "orderId", "links", "attributes", "partnerId", "isTrial"))
    document = msgspec.json.encode({"id": "a", "status": "active", "quantity": 1, **members})
    value = wire_commerce.read_subscription(document, TENANT, CUSTOMER).value
    assert (value.offer_name, value.order_id, value.etag, value.is_trial) == ("", "", "", False)


@given(st.binary(max_size=200))
def test_no_answer_makes_the_reader_fail_in_a_foreign_way(body: bytes):
    """Whatever arrives, it is read or it is an UnexpectedAnswerError."""
    readers: list[Callable[[], object]] = [
        lambda: wire_commerce.read_subscription(body, TENANT, CUSTOMER),
        lambda: wire.decode_items(body),
        lambda: wire_customers.read_customer(body, TENANT),
    ]
    for read in readers:
        with contextlib.suppress(UnexpectedAnswerError):
            read()
