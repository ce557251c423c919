"""What both forms of transfer share (model room): finding them, answering them, their timers (commerce 4.1, 4.2)."""

from __future__ import annotations

from typing import NoReturn

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.errors import refusal
from partner_center_emulator.state.transfers import Transfer
from partner_center_emulator.transfers import modern
from partner_center_emulator.wire import Json, field, text_field
from partner_center_emulator.world import World

_OPEN = frozenset({"Pending", "Active"})
_REJECT = frozenset({"reject", "rejected", "decline", "declined"})
_CANCEL = frozenset({"cancel", "cancelled", "canceled"})
_SUBMIT = frozenset({"inprogress", "in_progress", "accept", "accepted", "submit"})


class TransferIndex:
    """Transfers by customer, oldest first; obtained with ``emulator.derived(TransferIndex)``. Nothing ever leaves."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._by_customer: dict[str, list[Transfer]] = {}
        self._count = 0

    def of(self, customer_id: str) -> list[Transfer]:
        """Return the transfers of one customer between whichever partners."""
        transfers = self._world.transfers.transfers
        if self._count != len(transfers):
            self._by_customer = {}
            for transfer in transfers.values():
                self._by_customer.setdefault(transfer.customer_id, []).append(transfer)
            self._count = len(transfers)
        return self._by_customer.get(customer_id, [])


def list_transfers(emulator: Emulator, tenant_id: str, customer_id: str) -> list[Transfer]:
    """Return the transfers in which the partner tenant is either side, oldest first; withdrawn ones are gone."""
    return [
        transfer
        for transfer in emulator.derived(TransferIndex).of(customer_id)
        if tenant_id in (transfer.source_tenant_id, transfer.target_tenant_id) and transfer.status != "Deleted"
    ]


def find_transfer(emulator: Emulator, tenant_id: str, customer_id: str, transfer_id: str) -> Transfer:
    """Return one transfer of which the partner tenant is a side; raises 404 code 900100."""
    for transfer in list_transfers(emulator, tenant_id, customer_id):
        if transfer.id == transfer_id.lower():
            return transfer
    raise refusal(900100, transfer_id)


def answer(emulator: Emulator, transfer: Transfer, tenant_id: str, members: Json, request_id: str, user: str) -> None:
    """Do what a PATCH asks for: submit (source), reject (whoever was asked), cancel (whoever created it).

    Raises 409 code 900101 for a transfer in progress, 400 code 900102 for one that is over or a wrong wish, 403 code
    900308 for the wrong side, and what a submission raises.
    """
    wish = text_field(members, "status").lower()
    check_open(transfer)
    is_source = tenant_id == transfer.source_tenant_id
    is_creator = is_source is transfer.is_legacy
    if wish in _CANCEL:
        if not is_creator:
            raise refusal(900308)
        _end(emulator, transfer, "Cancel", request_id)
    elif wish in _REJECT:
        if is_creator:
            raise refusal(900308)
        _end(emulator, transfer, "Reject", request_id)
    elif not transfer.is_legacy and (wish in _SUBMIT or (not wish and field(members, "lineItems"))):
        if not is_source:
            raise refusal(900308)
        modern.submit(emulator, transfer, members, request_id)
    else:
        raise refusal(900102, f"the status {wish or '(none)'} cannot be set.")
    transfer.modified_at = emulator.clock.now()
    transfer.last_modified_user = user


def withdraw(emulator: Emulator, transfer: Transfer, tenant_id: str, request_id: str) -> None:
    """Take a legacy request back; raises 403 code 900308 unless the source asks, and what ``check_open`` raises."""
    check_open(transfer)
    if not transfer.is_legacy or tenant_id != transfer.source_tenant_id:
        raise refusal(900308)
    _end(emulator, transfer, "Deleted", request_id)


def check_open(transfer: Transfer) -> None:
    """Raise unless the transfer waits for an answer: 409 code 900101 in progress, 400 code 900102 when it is over."""
    if transfer.status in _OPEN:
        return
    _refuse(transfer)


def _refuse(transfer: Transfer) -> NoReturn:
    if transfer.status == "InProgress":
        raise refusal(900101)
    raise refusal(900102, f"it already is {transfer.status}.")


def _end(emulator: Emulator, transfer: Transfer, status: str, request_id: str) -> None:
    transfer.status = status
    transfer.modified_at = emulator.clock.now()
    modern.record(emulator, transfer, "transfer.ended", request_id)


def rearm(emulator: Emulator) -> None:
    """Put the ends of patience and the next attempts of all open transfers back on the clock."""
    for transfer in emulator.world.transfers.transfers.values():
        modern.arm(emulator, transfer)
