"""New-commerce and Azure transfers (model room, commerce reference 4.1, rules H and J).

The target creates the request, the source answers it with the things that are to move, and the service does the rest
on the clock: it tries, tries again for three days, and says for each line what came of it.
"""

from __future__ import annotations

from datetime import timedelta

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.relationships.models import AdminIndex, region_of
from partner_center_emulator.state.transfers import Transfer, TransferLine
from partner_center_emulator.transfers.carry import carry
from partner_center_emulator.transfers.lines import FINAL, PRODUCT_TYPES, check_plan, modern_lines, read_lines
from partner_center_emulator.wire import Json, field, text_field
from partner_center_emulator.world import Customer, PartnerTenant

PENDING_DAYS = 30
RETRY_DAYS = 3
RETRY_HOURS = 1.0
_TYPES = (3, 5)


def create(emulator: Emulator, caller: PartnerTenant, customer: Customer, members: Json, user: str) -> Transfer:
    """Create a request of the calling target to a source, and return it as Pending.

    Raises 400 with 2000, 900126, 900131 to 900133, 900136, 900147, 900148 or 900400, 403 with 900137, 900138 or
    900159, 409 with 900101 while another request between the two for this customer is open.
    """
    source = _read_source(emulator, caller, customer, text_field(members, "sourcePartnerTenantId").lower())
    email = _read_email(emulator, customer, text_field(members, "customerEmailId"))
    now = emulator.clock.now()
    transfer = Transfer(
        id=emulator.next_id("transfer"),
        is_legacy=False,
        transfer_type=_read_type(field(members, "transferType")),
        status="Pending",
        customer_id=customer.id,
        customer_email=email,
        customer_name=text_field(members, "customerName") or customer.company_name,
        source_tenant_id=source.id,
        source_name=source.company_name,
        target_tenant_id=caller.id,
        target_name=caller.company_name,
        target_email=text_field(members, "targetPartnerEmailId"),
        product_types=_read_product_types(field(members, "targetProductTypes")),
        partner_on_record=text_field(members, "partnerOnRecord") or None,
        created_at=now,
        modified_at=now,
        expires_at=now + timedelta(days=PENDING_DAYS),
        last_modified_user=user,
    )
    if any(name.startswith("Azure") for name in transfer.product_types or ()):
        check_plan(emulator, caller.id, customer.id, named=True)
    _check_none_open(emulator, transfer)
    emulator.world.transfers.transfers[transfer.id] = transfer
    arm(emulator, transfer)
    return transfer


def submit(emulator: Emulator, transfer: Transfer, members: Json, request_id: str) -> None:
    """Accept a pending request with the lines of the body; raises what ``modern_lines`` raises."""
    transfer.lines = modern_lines(emulator, transfer, read_lines(members))
    now = emulator.clock.now()
    for line in transfer.lines:
        line.status = "InProgress"
    transfer.status, transfer.submitted_at, transfer.submit_request_id = "InProgress", now, request_id
    transfer.next_attempt_at = now + timedelta(seconds=emulator.options.transfer_seconds)
    arm(emulator, transfer)


def arm(emulator: Emulator, transfer: Transfer) -> None:
    """Put what happens next to a transfer on the clock: its end of patience, or the next attempt."""
    if transfer.is_legacy:
        return
    if transfer.status == "Pending" and transfer.expires_at is not None:

        def expire() -> None:
            if transfer.status == "Pending":
                _close(emulator, transfer, "Expired")

        emulator.clock.at(transfer.expires_at, f"transfer expires: {transfer.id}", expire)
    elif transfer.status == "InProgress" and transfer.next_attempt_at is not None:
        due = transfer.next_attempt_at

        def attempt() -> None:
            if transfer.status == "InProgress" and transfer.next_attempt_at == due:
                _attempt(emulator, transfer)

        emulator.clock.at(due, f"transfer attempt: {transfer.id}", attempt)


def _attempt(emulator: Emulator, transfer: Transfer) -> None:
    now = emulator.clock.now()
    gives_up_at = (transfer.submitted_at or now) + timedelta(days=RETRY_DAYS)
    for line in transfer.lines:
        if line.status == "InProgress":
            _try_line(emulator, transfer, line)
    transfer.modified_at = now
    waiting = [line for line in transfer.lines if line.status == "InProgress"]
    next_at = now + timedelta(hours=RETRY_HOURS)
    if waiting and next_at <= gives_up_at:
        transfer.next_attempt_at = next_at
        arm(emulator, transfer)
        return
    for line in waiting:
        line.status = "Failed"
    done = sum(line.status == "Complete" for line in transfer.lines)
    _close(emulator, transfer, "Complete" if done == len(transfer.lines) else "PartiallyComplete" if done else "Failed")


def _try_line(emulator: Emulator, transfer: Transfer, line: TransferLine) -> None:
    line.fault = carry(emulator, transfer, line)
    if line.fault is None:
        line.status = "Complete"


def _close(emulator: Emulator, transfer: Transfer, status: str) -> None:
    transfer.status = status
    transfer.modified_at = emulator.clock.now()
    transfer.next_attempt_at = None
    if status in ("Complete", "PartiallyComplete"):
        transfer.completed_at = transfer.modified_at
    record(emulator, transfer, "transfer.ended", "")
    tell_both(emulator, transfer)


def record(emulator: Emulator, transfer: Transfer, what: str, request_id: str) -> None:
    """Write what became of a transfer to the truth ledger."""
    emulator.record(
        what,
        tenant_id=transfer.target_tenant_id,
        customer_id=transfer.customer_id,
        subject_id=transfer.id,
        request_id=request_id,
        after={
            "status": transfer.status,
            "source_tenant_id": transfer.source_tenant_id,
            "lines": [{"id": line.subject_id, "status": line.status} for line in transfer.lines],
        },
    )


def tell_both(emulator: Emulator, transfer: Transfer) -> None:
    """Let both sides hear of a transfer that was tried: webhook events complete-transfer or fail-transfer."""
    if transfer.status not in ("Complete", "PartiallyComplete", "Failed"):
        return
    what = "transfer.completed" if transfer.status == "Complete" else "transfer.failed"
    for tenant_id in (transfer.source_tenant_id, transfer.target_tenant_id):
        emulator.record(what, tenant_id=tenant_id, customer_id=transfer.customer_id, subject_id=transfer.id)


def check_parties(
    emulator: Emulator,
    source: PartnerTenant,
    target: PartnerTenant,
    customer: Customer,
    *,
    source_may_resell: bool = False,
) -> None:
    """Raise unless the two partner tenants may take part in a transfer of the customer.

    400 with 900136, 900148 or 900400 (other region, R-152), 403 with 900137, 900138 or 900159.
    """
    if source.id == target.id:
        raise refusal(900148)
    for tenant in (source, target):
        # whoever is not billed by Microsoft has nothing to give and cannot take
        # (the legacy form is for those who became indirect resellers on their direct-bill tenant, R-156)
        is_reseller = tenant.program == "indirect_reseller" and not (source_may_resell and tenant is source)
        if is_reseller or tenant.id in emulator.world.transfers.disabled_tenants:
            raise refusal(900137, tenant.id)
        if tenant.cloud != "commercial":
            raise refusal(900138)
        if not emulator.sees(tenant.id, customer.id):
            raise refusal(900159, tenant.id)
    if not source.email:
        raise refusal(900136)
    if region_of(source.address.country) != region_of(target.address.country):
        raise refusal(900400, "the partners are in different regions.")


def _read_source(emulator: Emulator, caller: PartnerTenant, customer: Customer, source_id: str) -> PartnerTenant:
    if not source_id:
        raise refusal(2000, "The sourcePartnerTenantId is required.")
    source = emulator.world.partner_tenants.get(source_id)
    if source is None:
        raise refusal(900400, "the source partner is not known.")
    check_parties(emulator, source, caller, customer)
    return source


def _read_email(emulator: Emulator, customer: Customer, email: str) -> str:
    if "@" not in email:
        raise refusal(2000, "The customerEmailId is required.")
    owner = emulator.derived(AdminIndex).find(email)
    if owner is not None and owner[0].id != customer.id:
        raise refusal(900147, email.rpartition("@")[2])
    return email


def _read_type(value: object) -> int:
    if value is None:
        return 5
    if value not in _TYPES or isinstance(value, bool):
        raise refusal(900126, value)
    return int(str(value))


def _read_product_types(value: object) -> list[str] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise refusal(2000, "The targetProductTypes must be a list.")
    known = {name.lower(): name for name in PRODUCT_TYPES}
    for name in value:
        if str(name).lower() not in known:
            raise refusal(900126, name)
    return [known[str(name).lower()] for name in value] or None


def _check_none_open(emulator: Emulator, wanted: Transfer) -> None:
    parties = (wanted.customer_id, wanted.source_tenant_id, wanted.target_tenant_id)
    for other in emulator.world.transfers.transfers.values():
        same = (other.customer_id, other.source_tenant_id, other.target_tenant_id) == parties
        if same and not other.is_legacy and other.status not in FINAL:
            raise refusal(900101)
