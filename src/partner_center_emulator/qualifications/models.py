"""Setting qualifications and vetting them on the emulator's clock (core reference 5.11)."""

from __future__ import annotations

from datetime import datetime, timedelta

from partner_center_emulator.audit import models as audit
from partner_center_emulator.audit.models import Activity
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.requests import Call
from partner_center_emulator.state.people import Qualification
from partner_center_emulator.validations.models import use_code
from partner_center_emulator.wire import Json, text_field, wire_time, without_nulls
from partner_center_emulator.world import Customer

NAMES = {
    name.lower(): name for name in ("None", "Education", "Nonprofit", "GovernmentCommunityCloud", "StateOwnedEntity")
}
_SEGMENTS = {"k12": "K12", "highereducation": "HigherEducation"}

behaviour(
    "POST /v1/customers/{customer}/qualifications",
    source="documented",
    page="core 5.11",
    note="201 InReview, vetted later; None and Nonprofit cannot be set; a government customer needs a validation code",
)
behaviour(
    "POST /v1/customers/{customer}/qualifications",
    source="assumed",
    page="core 5.11",
    note="An hour until the vetting ends, with a switch for its outcome; government and state-owned are approved at "
    "once; the member is vettingCreateDate here and vettingCreatedDate in GET",
)


def of(emulator: Emulator, customer: Customer) -> list[Qualification]:
    """Return the customer's qualifications, oldest first."""
    return emulator.world.people.qualifications.get(customer.id, [])


def add(call: Call, customer: Customer) -> Qualification:
    """Set the qualification in the body; raises 400 code 2000."""
    members, emulator = call.members(), call.emulator
    name = NAMES.get(text_field(members, "qualification").lower(), "")
    if name in {"", "None", "Nonprofit"}:
        raise refusal(2000, "The qualification must be Education, GovernmentCommunityCloud or StateOwnedEntity.")
    present = [row for row in of(emulator, customer) if row.vetting_status != "Denied"]
    if any(row.qualification == name for row in present):
        raise refusal(2000, f"The customer has the qualification {name} already.")
    made = Qualification(
        qualification=name, created_at=emulator.clock.now(), outcome=emulator.options.qualification_outcome
    )
    if name == "Education":
        _read_school(made, members)
        made.decided_at = made.created_at + timedelta(seconds=emulator.options.qualification_seconds)
    else:
        if name == "GovernmentCommunityCloud":
            use_code(emulator, call.tenant.id, text_field(members, "validationCode"))
        made.vetting_status = "Approved"
    emulator.world.people.qualifications.setdefault(customer.id, []).append(made)
    _note(call, customer, made)
    if made.decided_at is not None:
        _arm(emulator, customer.id, made, made.decided_at)
    return made


def _read_school(made: Qualification, members: Json) -> None:
    made.education_segment = _SEGMENTS.get(text_field(members, "educationSegment").lower(), "")
    made.website = text_field(members, "website")
    if not made.education_segment or "." not in made.website:
        raise refusal(2000, "Education needs an educationSegment (K12 or HigherEducation) and a website.")


def _note(call: Call, customer: Customer, made: Qualification) -> None:
    call.emulator.record(
        "customer.qualification_set",
        tenant_id=call.tenant.id,
        customer_id=customer.id,
        subject_id=customer.id,
        request_id=call.request_id,
        after={"qualification": made.qualification, "vetting_status": made.vetting_status},
    )
    activity = Activity(
        operation_type="update_customer_qualification",
        resource_type="customer",
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
        new_value={"qualification": made.qualification},
    )
    audit.write(call.emulator, call.tenant.id, customer, activity)


def rearm(emulator: Emulator) -> None:
    """Put the vettings under way back on the clock."""
    for customer_id, rows in emulator.world.people.qualifications.items():
        for row in rows:
            if row.decided_at is not None:
                _arm(emulator, customer_id, row, row.decided_at)


def _arm(emulator: Emulator, customer_id: str, row: Qualification, when: datetime) -> None:
    def decide() -> None:
        if row.decided_at != when:
            return
        row.decided_at, row.vetting_status = None, row.outcome
        row.reason = "Not eligible" if row.outcome == "Denied" else ""

    emulator.clock.at(when, f"qualification {customer_id}", decide)


def view(row: Qualification, date_name: str) -> Json:
    """Return a qualification as the wire has it; ``date_name``: the member's name differs between GET and POST."""
    return without_nulls(
        {
            "qualification": row.qualification,
            "educationSegment": row.education_segment or None,
            "website": row.website or None,
            "vettingStatus": row.vetting_status,
            "vettingReason": row.reason or None,
            date_name: wire_time(row.created_at),
        }
    )
