"""The commands about what only a person can do."""

from __future__ import annotations

import hashlib

import pytest

from tenantfold.domain.evidence import TaskKind
from tenantfold.domain.model import OrderId
from tenantfold.domain.records import Step
from tenantfold.domain.states import Counterpart, Origin
from tenantfold.store import Store
from tests.cli.conftest import Desk, azure_item, customer, manual_item

BAD_INPUT = 2
NOT_READY = 3


@pytest.fixture
def waiting(desk: Desk) -> Desk:
    """Two customers that accepted, one that did not: software, two usage-based Azure subscriptions, and one."""
    desk.plan(
        customer(1, manual_item("s1")),
        customer(2, azure_item("a1"), azure_item("a2")),
        customer(3, azure_item("a3")),
        accepted=(1, 2),
    )
    return desk


def rows(answer: dict[str, list[dict[str, str]]]) -> list[tuple[str, str, str]]:
    """Customer, subscription and task of every row."""
    return [(one["customer_id"], one["subscription_id"], one["task"]) for one in answer["tasks"]]


def test_the_list_has_everything_that_can_be_done_now(waiting: Desk):
    """Nothing of who has not accepted; every row says what, why, when and who."""
    answer = waiting.json("tasks")
    assert rows(answer) == [
        ("c-1", "s1", "bought_at_target"),
        ("c-2", "a1", "handed_off"),
        ("c-2", "a2", "handed_off"),
    ]
    first = answer["tasks"][0]
    assert (first["customer"], first["who"], first["rule"]) == ("Company 1", "operations", "R-142, R-32")
    assert first["what"].startswith("Buy it in the target's Partner Center")


def test_the_list_can_be_narrowed(waiting: Desk):
    """By customer, by task, by both; a misspelled task is answered with the tasks there are."""
    assert rows(waiting.json("tasks", "--customer", "Company 1")) == [("c-1", "s1", "bought_at_target")]
    assert len(rows(waiting.json("tasks", "--task", "handed-off"))) == 2
    assert rows(waiting.json("tasks", "--customer", "c-1", "--task", "handed_off")) == []
    code, said = waiting.say("tasks", "--task", "dance")
    assert code == BAD_INPUT
    assert "There is no task 'dance'." in said
    assert "handed_off" in said


def test_people_see_each_sentence_once_and_what_to_type(waiting: Desk):
    """The table has the rows, the sentence of a task stands below it."""
    code, said = waiting.say("tasks")
    assert code == 0
    assert said.count("Ask Microsoft's support") == 1
    assert "tenantfold tasks done c-1 bought_at_target" in said
    assert "Nobody has to do anything." in waiting.say("tasks", "--customer", "c-3")[1]


def test_what_is_confirmed_is_kept_and_the_customer_is_due_at_once(waiting: Desk):
    """Who, when, what and for which; the next task shows up, and the history has a line."""
    waiting.json("tasks", "done", "Company 1", "bought_at_target", "--target-id", "T-NEW", "--by", "Eva")
    case = waiting.case(1)
    [kept] = case.evidence
    assert (kept.task, kept.by, kept.target_id, kept.subscription_id) == (
        TaskKind.BOUGHT_AT_TARGET,
        "Eva",
        "t-new",
        "s1",
    )
    assert case.progress.due_at is not None
    assert rows(waiting.json("tasks", "--customer", "c-1")) == [("c-1", "s1", "ended_at_source")]
    events = waiting.json("explain", "c-1")["events"]
    assert (events[0]["name"], events[0]["facts"]["target"]) == ("task.done", "t-new")


def test_a_file_is_digested_and_not_kept(waiting: Desk):
    """Its name and SHA-256 are kept; the bytes stand nowhere in the ledger."""
    paper = waiting.folder / "invoice.pdf"
    paper.write_bytes(b"very secret" * 1000)
    code, said = waiting.say("tasks", "done", "c-1", "bought_at_target", "--file", str(paper), "--by", "Eva")
    assert code == 0
    digest = hashlib.sha256(b"very secret" * 1000).hexdigest()
    assert digest in said
    [kept] = waiting.case(1).evidence
    assert (kept.file, kept.sha256) == ("invoice.pdf", digest)
    assert b"very secret" not in (waiting.folder / "tenantfold.db").read_bytes()


def test_one_request_at_microsoft_is_confirmed_for_everybody_it_was_for(waiting: Desk):
    """All subscriptions of a customer, or all customers that wait; who did not accept is not among them."""
    answer = waiting.json("tasks", "done", "all", "handed_off", "--note", "615112491169010", "--by", "Eva")
    assert [one["subscription_id"] for one in answer["confirmed"]] == ["a1", "a2"]
    assert waiting.case(3).evidence == ()
    assert rows(waiting.json("tasks", "--task", "handed_off")) == []
    code, said = waiting.say("tasks", "done", "all", "handed_off", "--note", "1", "--by", "Eva")
    assert (code, "Nobody waits for handed_off." in said) == (BAD_INPUT, True)


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("c-1", "dance", "--note", "x", "--by", "Eva"), "There is no task 'dance'."),
        (("nobody", "handed_off", "--note", "x", "--by", "Eva"), "No customer matches 'nobody'."),
        (("c-1", "bought_at_target", "--note", "x", "--by", " "), "needs a name"),
        (("c-1", "bought_at_target", "--by", "Eva"), "without one, something must show it"),
        (("c-2", "handed_off", "--file", "x.pdf", "--by", "Eva"), "number of Microsoft's service request"),
        (("c-2", "handed_off", "--note", "1", "--target-id", "t1", "--by", "Eva"), "belongs to bought_at_target"),
        (("c-1", "bought_at_target", "--target-id", "s1", "--by", "Eva"), "is a subscription at the source"),
        (("c-1", "bought_at_target", "--subscription", "s9", "--note", "x", "--by", "Eva"), "has no subscription s9"),
        (("c-1", "ended_at_source", "--note", "x", "--by", "Eva"), "confirm bought_at_target first"),
        (("c-1", "handed_off", "--note", "x", "--by", "Eva"), "Nothing of Company 1 waits for handed_off."),
        (("c-3", "handed_off", "--note", "x", "--by", "Eva"), "has not accepted the relationship yet"),
        (("c-1", "bought_at_target", "--file", "/no/such/file", "--by", "Eva"), "cannot be read"),
        (("c-1", "bought_at_target", "--file", "/", "--by", "Eva"), "cannot be read"),
        (("all", "bought_at_target", "--target-id", "t1", "--by", "Eva"), "belongs to one customer"),
    ],
)
def test_what_cannot_be_is_refused_with_a_sentence(waiting: Desk, words: tuple[str, ...], sentence: str):
    """And nothing is kept."""
    code, said = waiting.say("tasks", "done", *words)
    assert code == BAD_INPUT
    assert sentence in said
    assert waiting.do(lambda store: store.evidence()) == ()


def test_a_purchase_belongs_to_one_subscription(desk: Desk):
    """Of several that wait one must be named; a successor that stands for another is refused."""
    desk.plan(customer(1, manual_item("s1"), manual_item("s2")), accepted=(1,))
    assert (
        "Name one with --subscription"
        in desk.say("tasks", "done", "c-1", "bought_at_target", "--note", "x", "--by", "E")[1]
    )
    words = ("tasks", "done", "c-1", "bought_at_target", "--target-id", "t1", "--by", "Eva", "--subscription")
    assert desk.say(*words, "s1")[0] == 0
    [kept] = desk.case(1).evidence

    async def stands(store: Store) -> None:
        case = await store.case(kept.customer_id)
        assert case is not None
        moved = Counterpart(
            source_id=kept.subscription_id,
            target_id=kept.target_id,
            order_id=OrderId("o"),
            origin=Origin.BY_HAND,
            verified_at=kept.at,
        )
        await store.record_step(Step(progress=case.progress, counterparts=(moved,)), kept.at)

    desk.do(stands)
    assert "t1 stands for s1 already." in desk.say(*words, "s2")[1]


def test_nothing_is_asked_for_a_plan_that_nobody_approved(desk: Desk):
    """Nor before there is one: what is done for it could be in vain."""
    desk.plan(customer(1, manual_item("s1")), accepted=(1,), approve=False)
    for words in (("tasks",), ("tasks", "done", "c-1", "bought_at_target", "--note", "x", "--by", "Eva")):
        code, said = desk.say(*words)
        assert code == NOT_READY
        assert "is not approved" in said


def test_explain_says_what_a_person_must_do(waiting: Desk):
    """The same tasks, with their sentences."""
    assert [one["kind"] for one in waiting.json("explain", "c-2")["tasks"]] == ["handed_off", "handed_off"]
    assert "What a person must do" in waiting.say("explain", "c-2")[1]
