"""The report as one HTML file: whole, harmless, and readable without anything else."""

from __future__ import annotations

import re
from dataclasses import is_dataclass, replace
from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tenantfold.domain.states import Owner, Phase
from tenantfold.errors import InputError
from tenantfold.reports import report_data
from tenantfold.reports.html_report import GROUPS, OWNER_LABELS, PHASE_LABELS, content_policy, render_html, write_html
from tenantfold.reports.report_data import ReportData
from tests.reports.report_examples import AT, CHECKSUM, last_day, moved_customer, report, stranded_customer

VOID = {"meta", "link", "br", "img", "input", "hr"}


class Page(HTMLParser):
    """A page as a browser's parser sees it: its elements, texts and whether every element is closed."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs)
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)

    @property
    def text(self) -> str:
        """All texts, with single spaces."""
        return " ".join(" ".join(self.texts).split())


def test_the_page_says_everything_it_was_given():
    """Summary, plan, approver, customers, pairs, times, journal and calls all stand there in words."""
    page = Page(render_html(report(stranded_customer(), moved_customer())))
    for words in (
        "1\u202f200 of 1\u202f231 customers are moved.".replace("\u202f", " "),
        "1 needs a person and 30 wait for the customer's acceptance",
        "33 019 of 48 211, 68 %",
        f"number 4, made 2026-03-03 10:05:09 Checksum {CHECKSUM} Approved by Eva Lind",
        "se snapshot 3 (2026-03-03 10:05:09); target snapshot 7",
        "Fabrikam Outcome unknown The order got no answer. Operations Look at both in Partner Center.",
        "Office 365 E3 25 recreate se source-1 target-1 created 2026-03-03 2026-03-03 10:05:09 2026-03-03 10:05:09",
        "cutover.order.placed order o-1",
        "place order 10 7 1 1 1",
        "GET customers/{id} 77 3 2",
        "Calls of this run.",
        "1 229 more are in the workbook",
        "It repeats what the ledger recorded",
        "Waits for customer 30 Customer Remind them with the same letter, then look: tenantfold gdap check",
        "Active 1 200 Nobody",
        "Fabrikam Waits for customer Customer: Remind them with the same letter. License administrator",
        "License administrator 55555555-5555-4555-8555-555555555555: License administrator",
        "1 228 more, and the links, are in the workbook",
    ):
        assert words in page.text.replace("\u202f", " "), words
    assert page.open == []


hostile = st.text(min_size=1, max_size=40) | st.sampled_from(
    [
        "<script>alert(1)</script>",
        '"><img src=x onerror=alert(1)>',
        "</title></style><b>",
        "{{ 7*7 }}",
        "&lt;b&gt;",
        "\u202eevil",
    ]
)


@settings(max_examples=40, deadline=None)
@given(name=hostile)
@example(name="</details></table><script>x</script>")
@example(name="\x00\x1b[2J\ud800")
def test_names_from_outside_are_text_and_nothing_else(name: str):
    """Whatever a customer, an approver or an error is called, the page has the same elements as for a tame name."""
    tame, wild = (Page(render_html(_named(text))) for text in ("tame", name))
    assert [tag for tag, _ in wild.elements] == [tag for tag, _ in tame.elements]
    assert [sorted(attributes) for _, attributes in wild.elements] == [
        sorted(attributes) for _, attributes in tame.elements
    ]
    assert wild.open == []


def _named(name: str) -> ReportData:
    """A report with this text in every place that somebody outside can fill."""
    tame = moved_customer(name)
    pair = replace(tame.pairs[0], offer_name=name, target_id=name)
    customer = replace(tame, pairs=(pair,), reason=name, next_action=name, customer_id=name)
    made = report(customer)
    assert made.plan is not None
    return replace(made, plan=replace(made.plan, approved_by=name), consolidation=name, calls_about=name)


def test_the_page_loads_and_runs_nothing():
    """One file: no script, no style beside its own, no address of anything, and a policy that says so."""
    text = render_html(report(stranded_customer(), moved_customer()))
    page = Page(text)
    assert not {"script", "link", "img", "iframe", "object", "form", "base"} & {tag for tag, _ in page.elements}
    for tag, attributes in page.elements:
        assert not any(name.startswith("on") or name in {"style", "src"} for name in attributes), tag
        assert (attributes.get("href") or "#").startswith("#")
    assert not re.search(r"url\(|@import|https?:", text)
    css = text.partition("<style>")[2].partition("</style>")[0]
    policies = [one.get("content") for tag, one in page.elements if one.get("http-equiv") == "Content-Security-Policy"]
    assert policies == [content_policy(css)]
    assert "'unsafe" not in content_policy(css)


def test_links_and_labels_point_to_something():
    """Each id is there once, and every link and label inside the page finds its own."""
    page = Page(render_html(report(stranded_customer(), moved_customer())))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for _, attributes in page.elements:
        target = (attributes.get("href") or "").removeprefix("#")
        for wanted in [target, *(attributes.get("aria-labelledby") or "").split()]:
            assert not wanted or wanted in ids


def test_a_report_without_anything_says_so():
    """Before the first plan there is a page too, without empty frames."""
    data = ReportData(consolidation="x", made_at=AT, program="p", tenants=(), plan=None, phases={})
    text = Page(render_html(data)).text
    for words in ("There is no plan yet.", "nothing yet.", "There are no customers", "Nothing was written", "No calls"):
        assert words in text


def test_days_that_must_not_be_missed_are_marked_once_they_are_over():
    """With what must have happened; a page lists two hundred and says how many there are."""
    page = Page(render_html(report()))
    assert "2026-03-02 Missed Tailspin Visio Plan 1 22 Keep tenantfold run or a worker going" in page.text
    assert "2026-06-01 Tailspin Visio Plan 1 22 Choose in the source's Partner Center" in page.text
    many = replace(report(), last_days=(last_day(date(2026, 6, 1)),) * 300)
    text = Page(render_html(many)).text
    assert text.count("Tailspin") == 200
    assert "The first 200 of 300 are listed" in text
    assert "must not be missed" not in Page(render_html(replace(report(), last_days=()))).text


def test_names_of_subscriptions_are_text_in_that_table_too():
    """They come from outside."""
    evil = last_day(date(2026, 6, 1), offer_name="<b>x</b>", company_name="<script>")
    page = Page(render_html(replace(report(), last_days=(evil,))))
    assert not [name for name, _ in page.elements if name == "script"]
    assert "<b>x</b>" in page.text


def test_those_who_need_somebody_come_first():
    """Whatever order the customers come in, the page begins with the work that waits for a person."""
    phases = [Phase.MOVED, Phase.NOTHING_TO_MOVE, Phase.INVITED, Phase.STALE, Phase.VERIFIED, Phase.STRANDED]
    lines = [replace(moved_customer(phase.value), phase=phase) for phase in phases]
    text = Page(render_html(report(*lines))).text.partition("Customer by customer")[2]
    places = [text.index(phase.value) for phase in reversed(phases[2:])]
    assert places == sorted(places)
    assert text.index("moved Moved") < text.index("nothing_to_move")


def test_an_unapproved_plan_is_called_that():
    """Nobody must take a plan for approved because a field is empty."""
    made = report()
    assert made.plan is not None
    unapproved = replace(made, plan=replace(made.plan, approved_at=None, approved_by=""))
    assert "not approved" in Page(render_html(unapproved)).text


def test_every_phase_and_owner_has_a_name_and_one_group():
    """A phase that is added must be named here, or customers would vanish from the sums."""
    assert set(PHASE_LABELS) == set(Phase)
    assert set(OWNER_LABELS) == set(Owner)
    assert sorted(phase for group in GROUPS for phase in group.phases) == sorted(Phase)


def test_every_field_of_the_report_is_documented():
    """The caller fills it by its documentation: each class says what its fields mean."""
    classes = [one for one in vars(report_data).values() if is_dataclass(one) and isinstance(one, type)]
    assert ReportData in classes
    assert all(one.__doc__ and not one.__doc__.startswith(f"{one.__name__}(") for one in classes)


def test_the_file_appears_whole_or_not_at_all(tmp_path: Path):
    """It is the rendered page; a wrong name or folder is told in words and leaves nothing."""
    data = report(moved_customer())
    write_html(data, tmp_path / "report.html")
    assert (tmp_path / "report.html").read_text(encoding="utf-8") == render_html(data)
    with pytest.raises(InputError, match="written as"):
        write_html(data, tmp_path / "report.pdf")
    with pytest.raises(InputError, match="does not exist"):
        write_html(data, tmp_path / "no" / "report.html")
    assert [path.name for path in tmp_path.iterdir()] == ["report.html"]
