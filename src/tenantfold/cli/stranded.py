"""The command stranded: calls whose effect nobody knows, the evidence, and a person's decision about one of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import typer

from tenantfold.bootstrap import Program
from tenantfold.cli.customers import find_customer
from tenantfold.cli.options import ConfigOption, JsonOption, run_command
from tenantfold.cli.render import Renderer
from tenantfold.domain.guards import Refusal
from tenantfold.domain.journal import OutcomeKind
from tenantfold.domain.model import SubscriptionId
from tenantfold.domain.stranded_decisions import Candidate, Decision, DecisionKind
from tenantfold.errors import ExitCode, InputError
from tenantfold.flow.stranded import Evidence, Settled, StrandedTask, settle, show


def stranded(  # noqa: PLR0913  # one argument an option
    *,
    customer: Annotated[str | None, typer.Argument(help="Customer id, domain or company name.")] = None,
    adopt: Annotated[
        str, typer.Option("--adopt", help="These target subscriptions are what was ordered (ids, comma between).")
    ] = "",
    resend: Annotated[
        bool, typer.Option("--resend", help="It had no effect: send it again, with the same request id.")
    ] = False,
    abandon: Annotated[
        bool, typer.Option("--abandon", help="It had no effect and is given up: the next run decides anew.")
    ] = False,
    by: Annotated[str, typer.Option("--by", help="Who decides; kept in the journal.")] = "",
    reason: Annotated[str, typer.Option("--reason", help="Why; kept in the journal.")] = "",
    config_path: ConfigOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the calls whose effect nobody knows, with the evidence; or settle one of them as a person decides."""

    async def work(program: Program, renderer: Renderer) -> ExitCode:
        decision = _decision(adopt, by, reason, resend=resend, abandon=abandon)
        await program.follow_server_time()
        task = StrandedTask(cutover=program.cutover(), ledger=program.store)
        found = await find_customer(program, customer) if customer else None
        if decision is None:
            evidence = await show(task, found[0] if found else None)
            return _show(renderer, evidence, found[1] if found else "")
        if found is None:
            raise InputError("A decision needs a customer.", next_step="See who is stranded: tenantfold stranded")
        async with program.store.beside_workers("a decision about a stranded call"):
            answer = await settle(task, found[0], decision)
        return _say(renderer, found[1], answer)

    run_command(config_path, as_json, work)


def _decision(adopt: str, by: str, reason: str, *, resend: bool, abandon: bool) -> Decision | None:
    """The decision the options name, if any. Raises InputError for two of them, or one without name and reason."""
    wanted = {DecisionKind.ADOPT: bool(adopt), DecisionKind.RESEND: resend, DecisionKind.ABANDON: abandon}
    chosen = [kind for kind, given in wanted.items() if given]
    if not chosen:
        if by or reason:
            raise InputError("--by and --reason belong to a decision: give --adopt, --resend or --abandon as well.")
        return None
    if len(chosen) > 1:
        raise InputError(f"Only one decision at a time: {', '.join(f'--{kind.value}' for kind in chosen)}.")
    if not by.strip() or not reason.strip():
        raise InputError(
            f"--{chosen[0].value} needs --by and --reason.",
            next_step="Say who decides and why; both stand in the journal afterwards.",
        )
    ids = tuple(SubscriptionId(one.strip().lower()) for one in adopt.split(",") if one.strip())
    if chosen[0] is DecisionKind.ADOPT and not ids:
        raise InputError("--adopt names no subscription.", next_step="Give the ids, with a comma between.")
    return Decision(kind=chosen[0], by=by.strip(), reason=reason.strip(), target_ids=ids)


# --- the list --------------------------------------------------------------------------------------------------------


def _show(renderer: Renderer, evidence: Sequence[Evidence], name: str) -> ExitCode:
    renderer.document({"stranded": evidence})
    if not evidence:
        renderer.line(f"{name}: no call without known outcome." if name else "No call without known outcome.")
        return ExitCode.OK
    for one in evidence:
        _show_one(renderer, one)
    waiting = [one for one in evidence if one.outlook.needs_person]
    if not waiting:
        renderer.hint("tenantfold run")
        return ExitCode.OK
    customer = waiting[0].customer_id
    renderer.hint(f'tenantfold stranded {customer} --adopt ID[,ID]  --by "your name" --reason "why"')
    renderer.hint("or --resend, or --abandon; what each means: docs/how-to/settle-stranded-calls.md")
    return ExitCode.UNFINISHED


def _show_one(renderer: Renderer, one: Evidence) -> None:
    intent = one.intent
    renderer.line()
    renderer.title(f"{one.company_name} ({one.customer_id})")
    renderer.line(
        f"{intent.kind.value} for {', '.join(intent.subjects) or 'the customer'}, "
        f"sent {intent.at:%Y-%m-%d %H:%M:%S} UTC, request id {one.request_id}"
    )
    for line in intent.lines:
        parent = f", on {line.parent_target_id}" if line.parent_target_id else ""
        renderer.line(
            f"  {line.license_count} x {line.offer_id} '{line.friendly_name}', {intent.billing_cycle}{parent} "
            f"for {line.source_subscription_id}"
        )
    if intent.contact is not None:
        contact = intent.contact
        renderer.line(f"  {contact.first_name} {contact.last_name} <{contact.email}>, {contact.agreed_on}")
    if intent.lines:
        renderer.line(f"  stood at the target before: {', '.join(intent.baseline) or 'nothing'}")
    if one.unreadable:
        renderer.line(f"The target cannot be read now: {one.unreadable}", style="yellow")
    if one.seen_at is not None:
        when = "by the newest snapshot" if one.unreadable else "now"
        renderer.line(
            f"At the target {when} ({one.seen_at:%Y-%m-%d %H:%M:%S} UTC):{'' if one.candidates else ' nothing'}"
        )
        for candidate in one.candidates:  # lines, not a table: a folded id can neither be read nor copied
            _show_candidate(renderer, candidate)
    renderer.line(one.outlook.sentence, style="yellow" if one.outlook.needs_person else None)


def _show_candidate(renderer: Renderer, candidate: Candidate) -> None:
    held = candidate.subscription
    created = f"{held.created_at:%Y-%m-%d %H:%M:%S} UTC" if held.created_at else "at an unknown time"
    renderer.line(f"  [{candidate.fit.value}] {held.id} in order {held.order_id}, created {created}")
    renderer.line(
        f"    {held.license_count} x {held.offer_name or held.offer_id}, {held.billing_cycle}, {held.wire_status}: "
        f"{candidate.why}"
    )


# --- the decision ----------------------------------------------------------------------------------------------------


def _say(renderer: Renderer, name: str, answer: Settled | Refusal) -> ExitCode:
    if isinstance(answer, Refusal):
        renderer.document({"refusal": answer})
        renderer.line(f"{name}: nothing was changed. {answer.detail}", style="yellow")
        renderer.hint(answer.next_action)
        return ExitCode.NOT_READY
    renderer.document({"settled": answer})
    if answer.outcome is None:
        renderer.line(f"{name}: sent again with the same request id; the answer was lost once more.")
        renderer.hint("tenantfold stranded")
        return ExitCode.UNFINISHED
    renderer.line(f"{name}: {_what_came(answer.outcome.kind)} {answer.outcome.detail}".rstrip())
    renderer.hint("tenantfold run")
    return ExitCode.OK


def _what_came(kind: OutcomeKind) -> str:
    return {
        OutcomeKind.DONE: "sent again with the same request id, and answered.",
        OutcomeKind.ADOPTED: "settled:",
        OutcomeKind.FAILED: "closed as without effect:",
    }[kind]
