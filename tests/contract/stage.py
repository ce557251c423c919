"""The stage of the contract tests: a client and the emulator in one process, on one clock."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from uuid import NAMESPACE_OID, UUID, uuid5

import httpx2

from partner_center_emulator import actors, demo_world
from partner_center_emulator.app import create_app
from partner_center_emulator.clock import DEFAULT_START
from partner_center_emulator.clock import Clock as WorldClock
from partner_center_emulator.credentials import live_refresh_token
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.world import PartnerTenant, World
from tenantfold.clock import ManualClock, ServerClock
from tenantfold.domain.model import (
    AgreementContact,
    CustomerId,
    OrderLine,
    Subscription,
    TenantId,
)
from tenantfold.domain.reads import Read
from tenantfold.partnercenter import (
    Account,
    Budget,
    ClientOptions,
    InProcessTransport,
    MemorySecretStore,
    NoLimits,
    PartnerCenterClient,
    connect,
    one_host,
    open_http,
)


class LossyTransport(httpx2.AsyncBaseTransport):
    """Carries calls to the emulator; while ``losing`` names a method, its answers get lost after taking effect."""

    def __init__(self, emulator: Emulator) -> None:
        self._inner = InProcessTransport(create_app(emulator))
        self.losing = ""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._inner.handle_async_request(request)
        if request.method == self.losing:
            raise httpx2.ReadError("the connection was reset")
        return response


class Stage:
    """An emulator with a world, one clock for both sides, and clients of its partner tenants."""

    def __init__(self, world: World, options: Options | None = None) -> None:
        self.emulator = Emulator(world, options, WorldClock(world.started_at, frozen=True))
        self.clock = ManualClock(world.started_at, on_move=self.emulator.clock.advance)
        self.wire = LossyTransport(self.emulator)
        self.http = open_http(transport=self.wire)
        self.budget = Budget(self.clock, book=NoLimits())
        self.observed = ServerClock(monotonic=lambda: 0.0)

    def tenant(self, key: str) -> PartnerTenant:
        return next(tenant for tenant in self.emulator.world.partner_tenants.values() if tenant.key == key)

    def client(self, key: str, *, user: str = "", secret: str = "", app_only: bool = False) -> PartnerCenterClient:
        """A client of a tenant, signed in as its first able user, as ``user``, or as the application alone."""
        tenant = self.tenant(key)
        able = [person for person in tenant.users if person.has_mfa and "admin_agent" in person.roles]
        named = [person for person in tenant.users if person.user_principal_name == user]
        person = (named or able)[0]
        tokens = {} if app_only else {key: live_refresh_token(self.emulator, tenant, person)}
        app = tenant.apps[0]
        return connect(
            Account(tenant_key=key, tenant_id=TenantId(tenant.id), client_id=app.client_id),
            cloud=one_host(self.emulator.options.base_url),
            secrets=MemorySecretStore({key: secret or app.secret}, tokens),
            clock=self.clock,
            http=self.http,
            budget=self.budget,
            options=ClientOptions(observe_date=self.observed.observe),
        )

    def cast(self, role: str) -> CustomerId:
        """The odd customer of this role."""
        return CustomerId(demo_world.odd_customers(self.emulator.world)[role])

    def accept(self, customer_id: CustomerId) -> None:
        """Let the customer's admin accept the target's relationship request."""
        actors.ask(self.emulator, self.tenant("target"), [self.emulator.world.customers[customer_id]], "now")

    def attestations(self, customer_id: CustomerId) -> int:
        """How many agreement attestations the target made for a customer."""
        wanted = (self.tenant("target").id, customer_id)
        return sum((one.tenant_id, one.customer_id) == wanted for one in self.emulator.world.agreements)

    def violations(self) -> list[str]:
        return [violation.rule for violation in self.emulator.world.violations]


OpenStage = Callable[..., Awaitable[Stage]]
CONTACT = AgreementContact(first_name="Ida", last_name="Dahl", email="ida@example.com", agreed_on=DEFAULT_START.date())


def wish(name: str) -> UUID:
    """A request id derived from a name, as intents derive theirs."""
    return uuid5(NAMESPACE_OID, name)


def lines_for(reads: tuple[Read[Subscription], ...], cycle: str) -> list[OrderLine]:
    """Order lines for the active base subscriptions of one billing cycle."""
    found = [read.value for read in reads]
    return [
        OrderLine(
            source_subscription_id=one.id,
            offer_id=one.offer_id,
            license_count=one.license_count,
            friendly_name=one.friendly_name,
        )
        for one in found
        if one.wire_status == "active" and one.billing_cycle == cycle and not one.is_add_on
    ]


async def ready_customer(stage: Stage) -> tuple[CustomerId, list[OrderLine]]:
    """A customer of dk that accepted the target and the agreement, and what to order for it."""
    customer_id = stage.cast("seat_change")
    stage.accept(customer_id)
    await stage.client("target").attest_agreement(customer_id, CONTACT, wish("agreement"))
    return customer_id, lines_for(await stage.client("dk").subscriptions(customer_id), "annual")
