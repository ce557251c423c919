"""docs/reference/errors.md: exit codes, the tree of errors, and the codes of refusals and findings.

The sentences of the codes stand here. A code without one, or a sentence without its code, breaks the page: nothing can
be refused or found that is not documented.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import StrEnum

from checks.pages.markdown import code, first_sentence, head, page, table
from tenantfold.domain.findings import FindingCode, Severity
from tenantfold.domain.guards import RefusalCode
from tenantfold.errors import ExitCode, TenantfoldError

EXIT_CODES: Mapping[ExitCode, str] = {
    ExitCode.OK: "Done.",
    ExitCode.INTERNAL: "A mistake of ours. Please report it.",
    ExitCode.BAD_INPUT: "A setting, file or argument is wrong. Nothing was changed.",
    ExitCode.NOT_READY: "A step before this one is missing, unfinished or out of date; the message names it.",
    ExitCode.PARTNER_CENTER: "Microsoft could not be reached, did not let us in, or refused.",
    ExitCode.STORE: "Our own database is busy, broken, or of another version.",
    ExitCode.UNFINISHED: "The run ended in order, with customers that still wait for somebody.",
    ExitCode.INTERRUPTED: "Stopped by a person. Run it again: it goes on where it stopped.",
}

REFUSALS: Mapping[str, str] = {
    "blocked": "The plan blocks this customer; its findings say why.",
    "not_approved": "Nobody has approved the newest plan.",
    "not_accepted": "The customer's global administrator has not accepted the relationship with the target tenant.",
    "agreement_contact_missing": "The customer agreement has to be attested, but no contact and date were given.",
    "agreement_missing": "The settings count only the customer's own acceptance of the agreement, which is missing.",
    "plan_stale": "The customer is no longer what the approver saw; inventory, plan and approve again.",
    "withdrawn": "A late cutover was taken back: the target is suspended until it is reactivated on another day.",
    "withdrawn_target_gone": "A withdrawn target subscription cannot be reactivated any more.",
    "too_late_today": "A cutover begun now might not end on the same UTC day; it is due again after midnight UTC.",
    "target_missing": "The counterpart is not in the target tenant's list (yet).",
    "target_not_active": "The counterpart stands at the target but is not active (yet).",
    "drift": "The two sides differ; nothing is suspended until they are equal.",
    "source_missing": "The subscription is no longer in the source tenant's list.",
    "source_status_unknown": "The source has a status that proves nothing.",
    "source_still_active": "The source was suspended but reads active: a lagging list, or somebody reactivated it.",
    "new_commerce_suspension": "Suspending it would lock people out and not stop its bill; another route is needed.",
    "settling": "The answer to a write was lost; it is looked up again before anything is repeated.",
    "needs_person": "What stands at Microsoft fits a lost order in part or more than once; a person must decide.",
    "microsoft_refused": "Microsoft refused the write for a business reason; its code and sentence are kept.",
    "not_readable": "A side could not be read fresh, so nothing may be decided on it.",
    "cannot_finish_today": "More calls are needed than can still be made today; it begins on another day.",
    "wave_too_large": "The wave passes a limit of its blast radius (waves.*); an override needs a name and a reason.",
    "term_running": "A term that does not renew still runs; the same is bought at the target on its last day.",
    "end_of_term_open": "A term ends without renewal, but nobody confirmed the choice against the paid extension.",
    "too_late_to_rebuy": "The days of grace after a term are over; it is bought only once a person said data is safe.",
    "source_goes_on": "A source was to end with its term, but was renewed or is in the Extended Service Term.",
    "held": "The customer may not begin: its wave does not run, or somebody paused or aborted it.",
}

FINDINGS: Mapping[str, str] = {
    "outside_region": "The customer's country is outside the target tenant's region; it cannot accept there.",
    "country_unknown": "No tenant shows the customer's country, so no catalog applies.",
    "other_country": "The customer's country differs from its partner tenant's; the region is the same.",
    "not_read": "Something needed for the plan could not be read.",
    "unknown_status": "A subscription has a status that proves nothing; a person must settle it.",
    "by_hand": "Something cannot be moved by any call; a person does it and confirms it.",
    "handed_off": "Usage-based Azure is moved by Microsoft, which somebody must ask.",
    "runs_out": "A subscription ends with its term and is bought again then; until that day it stays at the source.",
    "term_committed": "An approved mapping orders new commerce, which is billed to the end of its term.",
    "customer_email_missing": "A transfer request names the customer's address, and no source tenant shows one.",
    "marketplace_products": "Marketplace products of others below an Azure subscription keep it from moving.",
    "access_and_history": "A transfer of Azure leaves access as it is and loses the cost history.",
    "offer_not_sold": "The offer is no longer sold, and no approved mapping names another.",
    "mapping_not_approved": "A mapping names another offer, but nobody has approved it.",
    "mapped_offer": "Another offer will be ordered than the source holds, as an approved mapping says.",
    "billing_cycle_not_sold": "The offer is not sold with the billing cycle the source has.",
    "license_count_out_of_range": "The license count is outside what the offer allows.",
    "offer_limit_reached": "Holding both sets for a while would pass the offer's limit for one customer.",
    "subscription_limit_reached": "Holding both sets for a while would pass 300 subscriptions at the customer.",
    "add_on_without_base": "An add-on moves without a base subscription that moves with it.",
    "agreement_contact_missing": "No contact and date were given; unless the customer signed, its order waits.",
    "target_not_verified": "The target holds the same offer with a status or billing cycle nobody knows.",
    "adopts_existing": "An equal subscription stands at the target already and is taken as the counterpart.",
    "target_has_other_count": "The target holds the same offer already, with another license count.",
    "cutover_has_begun": "Something new is blocked, but what stands at the target already is finished.",
    "two_sources": "The customer is in several source tenants; all its subscriptions move together.",
    "nothing_to_move": "Nothing of this customer is active and movable.",
    "cloud_plan_only": "Microsoft Cloud for US Government: the program only plans there, unless a setting says else.",
    "many_subscriptions": "More than 150 active subscriptions: few places are left while both sets stand.",
    "seat_maximum_reached": "A seat maximum over all partners does not let both sets stand.",
    "one_per_customer": "The offer may exist once at a customer, so it cannot stand at both tenants.",
    "prerequisite_missing": "A new-commerce add-on needs a product that the customer does not have.",
    "promotion_lost": "A promotion does not follow a subscription that is bought again.",
    "end_dates_split": "Subscriptions that end together would no longer.",
    "reservation_currency": "The bill changes its currency, which cancels monthly-paid reservations and savings plans.",
    "reservation_inactive": "An inactive reservation or savings plan would make a transfer fail as a whole.",
    "azure_plan_missing": "The target has no Azure plan for a customer whose Azure is to move.",
    "trial_runs_out": "A trial cannot be moved; it runs out where it is.",
    "still_billed": "A suspended new-commerce subscription stays and is billed to the end of its term.",
    "not_transferable": "A new-commerce subscription is not eligible for a transfer.",
    "open_transfer": "A subscription is in a transfer request that is still open.",
    "auto_renew_on": "Something that is to end would renew itself.",
    "extended_term": "The term ends without free days after it, or its days of grace run out.",
    "agreement_missing": "The customer has to accept the customer agreement itself, and has not.",
    "partner_id_missing": "The target tenant shows no partner location id.",
    "reseller_missing": "Some subscriptions name no reseller on record.",
    "reseller_not_possible": "Subscriptions name a reseller on record, and the target is a direct-bill partner.",
    "same_sku_twice": "Several moving subscriptions are of the same product; each keeps its own counterpart.",
    "software_stays": "Perpetual software is not transferred; the customer keeps it, and saves keys and downloads.",
    "part_stays": "Only a part of the customer moves, as the settings allow.",
    "not_verified": "A rule could not be asked, because nobody looked up what it needs.",
}

SEVERITIES: Mapping[Severity, str] = {
    Severity.BLOCKER: "keeps the whole customer where it is",
    Severity.WARNING: "needs the approver's eye",
    Severity.NOTE: "only informs",
}


def build() -> str:
    """The page. Raises ValueError for a code without a sentence, or a sentence without its code."""
    return page(
        head(
            "Exit codes, errors, refusals and findings",
            "This page lists every way the program can say no, and what to do about it.",
        ),
        "## Exit codes",
        table(("code", "name", "meaning"), _exit_rows()),
        "## Errors",
        "Something did not work. With `--json` the answer is an object `error` with `code`, `message`, `next_step` and "
        "`facts`.",
        table(("error", "code", "exit", "meaning"), _error_rows(TenantfoldError, 0)),
        "## Refusals",
        "A guard says that a customer's next step may not run now. The others go on. Each refusal comes with the rule "
        "it rests on, who must act, what to do, and when it is looked at again.",
        table(("code", "meaning"), rows(RefusalCode, REFUSALS)),
        "## Findings",
        "What planning has to say about a customer or subscription. A finding has a severity: "
        + "; ".join(f"a **{severity.value}** {meaning}" for severity, meaning in SEVERITIES.items())
        + ".",
        table(("code", "meaning"), rows(FindingCode, FINDINGS)),
    )


def rows(codes: type[StrEnum], sentences: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """One row for each code, in the order of the enum. Raises ValueError when codes and sentences do not match."""
    known = {member.value for member in codes}
    if odd := known ^ set(sentences):
        raise ValueError(
            f"{codes.__name__} and its sentences in checks/pages/errors.py differ in: {', '.join(sorted(odd))}"
        )
    for member in codes:
        yield code(member.value), sentences[member.value]


def _exit_rows() -> Iterator[tuple[str, str, str]]:
    if odd := set(ExitCode) ^ set(EXIT_CODES):
        raise ValueError(f"ExitCode and its sentences in checks/pages/errors.py differ in: {sorted(odd)}")
    for member in ExitCode:
        yield str(member.value), code(member.name.lower()), EXIT_CODES[member]


def _error_rows(error: type[TenantfoldError], depth: int) -> Iterator[tuple[str, str, str, str]]:
    """The tree of errors, children below their parent, in the order of the file."""
    indent = "&nbsp;&nbsp;" * depth
    yield indent + code(error.__name__), code(error.code), str(error.exit_code.value), first_sentence(error.__doc__)
    for child in error.__subclasses__():
        if child.__module__ == "tenantfold.errors":
            yield from _error_rows(child, depth + 1)
