"""What a partner states about its customers' agreements, and whether a customer may buy (core reference 7)."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from partner_center_emulator.audit import models as audit
from partner_center_emulator.audit.models import Activity
from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.requests import Call
from partner_center_emulator.wire import Json, field, object_field, text_field
from partner_center_emulator.world import Agreement, Customer, World

CUSTOMER_AGREEMENT = "MicrosoftCustomerAgreement"
CLOUD_AGREEMENT = "MicrosoftCloudAgreement"

behaviour(
    "POST /v1/customers/{customer}/agreements",
    source="documented",
    page="core 7",
    note="The same contact again is 600061; a changed contact is a further agreement; userId comes from the token",
)
behaviour(
    "POST /v1/customers/{customer}/agreements",
    source="assumed",
    page="core 7",
    note="600061 is HTTP 400; a date in the future or an unknown template is 400 2000",
)
behaviour(
    "GET /v1/customers/{customer}/agreements",
    source="documented",
    page="core 7",
    note="Without agreementType only cloud agreements are listed",
)


class Template(msgspec.Struct, frozen=True):
    """One kind of agreement with the id and link under which it is published."""

    id: str
    type: str
    link: str


TEMPLATES = (
    Template("998b88de-aa99-4388-a42c-1b3517d49490", CLOUD_AGREEMENT, "https://aka.ms/cloudagreement"),
    Template("117a77b0-9360-443b-8795-c6dedc750cf9", CUSTOMER_AGREEMENT, "https://aka.ms/customeragreement"),
)


class AgreementIndex:
    """Agreements by partner tenant and customer; obtained with ``emulator.derived(AgreementIndex)``."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_pair: dict[tuple[str, str], list[Agreement]] = {}
        self._read = 0

    def of(self, tenant_id: str, customer_id: str) -> list[Agreement]:
        """Return what this partner tenant stated about this customer, oldest first."""
        rows = self._world.agreements
        for agreement in rows[self._read :]:
            self._by_pair.setdefault((agreement.tenant_id, agreement.customer_id), []).append(agreement)
        self._read = len(rows)
        return self._by_pair.get((tenant_id, customer_id), [])


def is_confirmed(emulator: Emulator, tenant_id: str, customer: Customer) -> bool:
    """Whether this tenant may sell to the customer: its own attestation, or the customer's own signature (13605)."""
    if customer.direct_signed_agreement or emulator.world.partner_tenants[tenant_id].cloud != "commercial":
        return True  # only the commercial cloud has agreements to attest (core reference 1.1)
    stated = emulator.derived(AgreementIndex).of(tenant_id, customer.id)
    return any(agreement.type == CUSTOMER_AGREEMENT for agreement in stated)


def wanted_types(call: Call) -> frozenset[str]:
    """Return the agreement types the query asks for; raises 400 code 900126 for an unknown one."""
    asked = call.query.get("agreementtype") or CLOUD_AGREEMENT
    if asked == "*":
        return frozenset(template.type for template in TEMPLATES)
    for template in TEMPLATES:
        if template.type.lower() == asked.lower():
            return frozenset({template.type})
    raise refusal(900126, asked)


def attest(call: Call, customer: Customer) -> Agreement:
    """Record the partner's statement that the customer accepted; raises 400 code 2000 or 600061."""
    agreement = _read(call, customer)
    earlier = call.emulator.derived(AgreementIndex).of(call.tenant.id, customer.id)
    if any(_contact(agreement) == _contact(other) for other in earlier):
        raise refusal(600061, form="B")
    call.world.agreements.append(agreement)
    call.emulator.record(
        "agreement.attested",
        tenant_id=call.tenant.id,
        customer_id=customer.id,
        subject_id=agreement.template_id,
        request_id=call.request_id,
        after={"type": agreement.type, "date_agreed": agreement.date_agreed},
    )
    activity = Activity(
        operation_type="create_agreement",
        resource_type="agreement",
        user_principal_name=call.principal.upn,
        application_id=call.principal.app_id,
        new_value={"type": agreement.type, "templateId": agreement.template_id},
    )
    audit.write(call.emulator, call.tenant.id, customer, activity)
    return agreement


def _read(call: Call, customer: Customer) -> Agreement:
    members = call.members()
    contact = object_field(members, "primaryContact")
    for name in ("firstName", "lastName", "email"):
        if not text_field(contact, name).strip():
            raise refusal(2000, f"The member {name} of primaryContact is missing.")
    template = _template(text_field(members, "templateId"), text_field(members, "type"))
    return Agreement(
        tenant_id=call.tenant.id,
        customer_id=customer.id,
        user_id=call.principal.object_id,
        template_id=template.id,
        type=template.type,
        first_name=text_field(contact, "firstName"),
        last_name=text_field(contact, "lastName"),
        email=text_field(contact, "email"),
        phone_number=text_field(contact, "phoneNumber") or None,
        date_agreed=_date_agreed(call.clock.now(), field(members, "dateAgreed")),
    )


def _template(template_id: str, kind: str) -> Template:
    for template in TEMPLATES:
        if template.id == template_id.lower():
            if kind.lower() == template.type.lower():
                return template
            raise refusal(2000, "The type of the agreement does not belong to its template.")
    raise refusal(2000, "The template id is not known.")


def _date_agreed(now: datetime, value: object) -> str:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or not isinstance(value, str):
        raise refusal(2000, "The member dateAgreed is missing or no date.")
    if (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) > now:
        raise refusal(2000, "The member dateAgreed must not lie in the future.")
    return value


def _contact(agreement: Agreement) -> tuple[str, ...]:
    """Return what makes two agreements the same one."""
    return (
        agreement.type,
        agreement.first_name,
        agreement.last_name,
        agreement.email,
        agreement.phone_number or "",
    )


def view(agreement: Agreement, *, with_link: bool) -> Json:
    """Return an agreement as the wire writes it; the list adds the agreement's link."""
    contact: Json = {
        "firstName": agreement.first_name,
        "lastName": agreement.last_name,
        "email": agreement.email,
    }
    if agreement.phone_number is not None:
        contact["phoneNumber"] = agreement.phone_number
    body: Json = {
        "userId": agreement.user_id,
        "primaryContact": contact,
        "templateId": agreement.template_id,
        "dateAgreed": agreement.date_agreed,
        "type": agreement.type,
    }
    if with_link:
        body["agreementLink"] = next(row.link for row in TEMPLATES if row.type == agreement.type)
    return body
