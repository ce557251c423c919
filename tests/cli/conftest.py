"""Commands on a ledger of their own: no Partner Center answers, so whatever a command says it knows from the ledger."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from tenantfold.cli import app
from tenantfold.domain.model import (
    AgreementContact,
    Customer,
    CustomerId,
    OfferId,
    ProductKind,
    Route,
    SubscriptionId,
    Tenant,
    TenantId,
    TenantRole,
)
from tenantfold.domain.plan import Disposition, ItemTerms, PlanCustomer, PlanHeader, PlanItem
from tenantfold.domain.reads import Read
from tenantfold.domain.records import Case, Step
from tenantfold.domain.states import Phase
from tenantfold.store import Store

NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
CENTRAL, SE, NO = (TenantId(f"{digit * 8}-1111-4111-8111-111111111111") for digit in "123")
APP = "44444444-4444-4444-8444-444444444444"
TENANTS = (
    Tenant(id=CENTRAL, key="target", role=TenantRole.TARGET, name="Nordwind", country="IE"),
    Tenant(id=SE, key="se", role=TenantRole.SOURCE, name="Nordwind Sverige", country="SE"),
    Tenant(id=NO, key="no", role=TenantRole.SOURCE, name="Nordwind Norge", country="NO"),
)
HEADER = PlanHeader(
    consolidation="north", target_id=CENTRAL, snapshots=((SE, 1), (CENTRAL, 1)), mapping_digest="", selection_digest=""
)
SETTINGS = f"""
consolidation = "north"
[cloud]
partner_center = "http://127.0.0.1:9"
authority = "http://127.0.0.1:9"
[target]
tenant_id = "{CENTRAL}"
client_id = "{APP}"
client_secret = "env:NOTHING"
[[sources]]
key = "se"
tenant_id = "{SE}"
client_id = "{APP}"
client_secret = "env:NOTHING"
[[sources]]
key = "no"
tenant_id = "{NO}"
client_id = "{APP}"
client_secret = "env:NOTHING"
"""


def manual_item(name: str, **fields: object) -> PlanItem:
    """A software subscription at the Swedish tenant that only a person can move."""
    value = PlanItem(
        subscription_id=SubscriptionId(name),
        tenant_id=SE,
        offer_id=OfferId("DG7GMGF0:0001"),
        offer_name="Windows Server",
        friendly_name="Servers",
        license_count=5,
        billing_cycle="annual",
        wire_status="active",
        route=Route.MANUAL,
        kind=ProductKind.SOFTWARE,
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def azure_item(name: str, tenant_id: TenantId = SE, **fields: object) -> PlanItem:
    """A usage-based Azure subscription that Microsoft's support moves."""
    value = manual_item(
        name,
        tenant_id=tenant_id,
        offer_id=OfferId("MS-AZR-0145P"),
        offer_name="Microsoft Azure",
        friendly_name="Production",
        route=Route.AZURE_SUPPORT,
        kind=ProductKind.LEGACY_AZURE,
        terms=ItemTerms(entitlement_id=f"azure-{name}"),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


def customer(number: int, *items: PlanItem, **fields: object) -> PlanCustomer:
    """A customer of the plan, with whoever accepted its agreement."""
    value = PlanCustomer(
        customer_id=CustomerId(f"c-{number}"),
        company_name=f"Company {number}",
        country="SE",
        source_tenant_ids=tuple(sorted({item.tenant_id for item in items})) or (SE,),
        disposition=Disposition.MOVE,
        items=items,
        contact=AgreementContact(
            first_name="Ada", last_name="Berg", email="ada@example.com", agreed_on=date(2026, 2, 1)
        ),
    )
    return replace(value, **fields)  # type: ignore[arg-type]  # the test names the fields


@dataclass(frozen=True, slots=True)
class Desk:
    """A folder with settings and a ledger, and the commands on it."""

    folder: Path

    def do(self, work: Any) -> Any:  # noqa: ANN401  # any use of the store
        """Use the ledger as the program would: ``work`` takes the open store."""

        async def inside() -> Any:  # noqa: ANN401  # as above
            async with Store.open(f"sqlite:///{self.folder / 'tenantfold.db'}") as store:
                return await work(store)

        return asyncio.run(inside())

    def plan(self, *customers: PlanCustomer, accepted: Sequence[int] = (), approve: bool = True) -> None:
        """A ledger with this plan; these customers accepted and rest."""

        async def work(store: Store) -> None:
            await store.migrate()
            for tenant in TENANTS:
                await store.save_tenant(tenant)
            for tenant in TENANTS[1:]:
                snapshot = await store.open_snapshot(tenant.id, NOW)
                held = [one for one in customers if tenant.id in one.source_tenant_ids]
                await store.save_customer_page(snapshot, [_seen(one, tenant.id) for one in held], None)
                await store.save_customers(snapshot, [(_seen(one, tenant.id), []) for one in held])
                await store.complete_snapshot(snapshot, NOW)
            record = await store.save_plan(HEADER, _stream(customers), NOW)
            if approve:
                await store.approve_plan(record.id, "Ingrid Holm", NOW)
            ids = [CustomerId(f"c-{number}") for number in accepted]
            await store.mark_accepted(ids, NOW)
            for customer_id in ids:
                case = await store.case(customer_id)
                assert case is not None
                await store.record_step(Step(progress=replace(case.progress, phase=Phase.BY_HAND, due_at=None)), NOW)

        self.do(work)

    def case(self, number: int) -> Case:
        """What the ledger knows of a customer."""
        found = self.do(lambda store: store.case(CustomerId(f"c-{number}")))
        assert isinstance(found, Case)
        return found

    def say(self, *words: str) -> tuple[int, str]:
        """Run a command for people: its exit code and what it says, on one line."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
            code = app([*words, "--config", str(self.folder / "tenantfold.toml")], standalone_mode=False) or 0
        return code, " ".join(out.getvalue().split())

    def json(self, *words: str) -> Any:  # noqa: ANN401  # JSON
        """Run a command that must succeed and take its document."""
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = app([*words, "--json", "--config", str(self.folder / "tenantfold.toml")], standalone_mode=False)
        assert not code, out.getvalue()
        return json.loads(out.getvalue())


def _seen(one: PlanCustomer, tenant_id: TenantId) -> Read[Customer]:
    value = Customer(
        id=one.customer_id,
        tenant_id=tenant_id,
        company_name=one.company_name,
        domain=f"{one.customer_id}.example",
        relationship="reseller",
        country=one.country,
    )
    return Read(value=value, document=b"{}")


async def _stream(customers: Sequence[PlanCustomer]):  # a stream of what it is given
    for one in customers:
        yield one


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    """A folder with settings, still without a plan."""
    (tmp_path / "tenantfold.toml").write_text(SETTINGS)
    return Desk(tmp_path)
