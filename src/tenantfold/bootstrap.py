"""The composition root: settings -> clock, store, Partner Center clients, logging.

The only place that joins real parts; tests call it too. Nothing here decides anything.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from importlib.resources import files

import httpx2
import structlog

from tenantfold import config
from tenantfold.clock import ServerClock
from tenantfold.domain.admission import KnownRates
from tenantfold.domain.facts import BillingModel
from tenantfold.domain.gdap import GdapTerms
from tenantfold.domain.gdap_roles import terms_of
from tenantfold.domain.model import Tenant, TenantId, TenantRole
from tenantfold.domain.plan import PlanRecord
from tenantfold.domain.policy import AgreementSource, GovernmentCloud, LateCase, PartialCustomers, PlanPolicy, Policy
from tenantfold.domain.prices import price_book
from tenantfold.domain.rates import Limit, pace_now, pause_seconds
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.waves import Limits
from tenantfold.domain.weighing import Weighing
from tenantfold.errors import ConfigError, UnavailableError
from tenantfold.flow.admission import AdmissionGate
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.waves import WaveDesk
from tenantfold.flow.webhooks import Doorbell, Receiver
from tenantfold.listfiles import read_price_list
from tenantfold.logs import configure_logging
from tenantfold.partnercenter.auth import Account
from tenantfold.partnercenter.budget import Budget
from tenantfold.partnercenter.client import PartnerCenterClient
from tenantfold.partnercenter.clouds import Cloud, cloud_named
from tenantfold.partnercenter.connect import connect, open_http
from tenantfold.partnercenter.options import CallRecord, ClientOptions
from tenantfold.partnercenter.retry import RetryPolicy
from tenantfold.partnercenter.signatures import DeliveryReader, read_issuers, trust_of
from tenantfold.store import Store

TIME_ANSWER_SECONDS = 5.0  # how long Partner Center is waited for that is asked for nothing but its time
TIME_PAUSES_SECONDS = (1.0, 2.0)  # between the tries of whoever must know the time

CALLS_BESIDE: ContextVar[Counter[str] | None] = ContextVar("calls_beside", default=None)
"""Where the present task's calls are counted instead of in ``Program.calls``: those of work beside the move."""


@dataclass(slots=True)
class SettingsSecrets:
    """Secrets behind the references of the settings; rotated refresh tokens go back to where they came from."""

    settings: config.Settings
    resolver: config.SecretResolver
    newest: dict[str, str] = field(default_factory=dict, repr=False)

    def _tenant(self, key: str) -> config.TenantSettings:
        return next(one for one in (self.settings.target, *self.settings.sources) if one.key == key)

    async def client_secret(self, tenant_key: str) -> str:
        """The secret of the tenant's app registration."""
        return self.resolver.resolve(self._tenant(tenant_key).client_secret)

    async def refresh_token(self, tenant_key: str) -> str | None:
        """The newest refresh token; None signs in as the app alone."""
        reference = self._tenant(tenant_key).refresh_token
        if reference is None:
            return None
        return self.newest.get(tenant_key) or self.resolver.resolve(reference)

    async def keep_refresh_token(self, tenant_key: str, token: str) -> None:
        """Write the new token where the old one stands; one from the environment lives on in memory only."""
        reference = self._tenant(tenant_key).refresh_token
        if reference is None or not self.resolver.write(reference, token):
            self.newest[tenant_key] = token


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """The assembled program. ``calls`` counts requests by route, over all tenants."""

    settings: config.Settings
    store: Store
    clock: ServerClock
    regions: RegionMap
    tenants: tuple[Tenant, ...]  # sources in the order of the settings, target last
    centers: Mapping[TenantId, PartnerCenterClient]
    calls: Counter[str]
    resolver: config.SecretResolver
    http: httpx2.AsyncClient
    budget: Budget

    async def follow_server_time(self, *, required: bool = False) -> None:
        """Learn Partner Center's time before anything is decided by it (DESIGN 6).

        Without an answer the machine's clock stands: planning must work offline. ``required`` is for what starts and
        ends cutovers, where a wrong clock raises false alarms and starts waves on the wrong day: a few tries, then
        UnavailableError, unless an earlier answer told the time.
        """
        refused = await self._ask_server_time()
        for wait_seconds in TIME_PAUSES_SECONDS if required and not self.clock.has_server_time else ():
            await self.clock.sleep(wait_seconds)
            refused = await self._ask_server_time()
            if self.clock.has_server_time:
                return
        if required and not self.clock.has_server_time:
            place = cloud_of(self.settings).partner_center
            raise UnavailableError(
                f"Partner Center ({place}) did not say what time it is ({refused}), and this machine's clock "
                f"({self.clock.now():%Y-%m-%d %H:%M} UTC) may be wrong: days and deadlines are Microsoft's.",
                next_step="Check the network and the proxy of this machine, then run it again: nothing was begun.",
                place=place,
            )

    async def _ask_server_time(self) -> str:
        """Ask once; returns what stands against it, "" when the time is known."""
        try:
            answer = await self.http.head(cloud_of(self.settings).partner_center, timeout=TIME_ANSWER_SECONDS)
        except httpx2.HTTPError as error:
            return f"{type(error).__name__}: {error}"
        self.clock.observe(answer.headers.get("Date", ""))
        return f"it answers {answer.status_code} without a time"

    @property
    def target(self) -> Tenant:
        """The tenant everything is folded into."""
        return self.tenants[-1]

    @property
    def billing_models(self) -> Mapping[TenantId, BillingModel]:
        """How Microsoft bills each tenant, as the settings say (R-216)."""
        return billing_models_of(self.settings)

    @property
    def sources(self) -> tuple[Tenant, ...]:
        """The tenants customers leave."""
        return self.tenants[:-1]

    def tenant(self, key: str) -> Tenant:
        """The tenant with this short name. Raises ConfigError that lists the known ones."""
        for tenant in self.tenants:
            if tenant.key == key:
                return tenant
        known = ", ".join(tenant.key for tenant in self.tenants)
        raise ConfigError(f"There is no tenant '{key}' in the settings; known are {known}.")

    def cutover(self) -> Cutover:
        """The engine of the move, with these tools."""
        return Cutover(
            consolidation=self.settings.consolidation,
            target_id=self.target.id,
            tenants=self.centers,
            ledger=self.store,
            clock=self.clock,
            policy=policy_of(self.settings),
            gate=AdmissionGate(self.store, self.clock, policy_of(self.settings), self.rates, self.target.id),
            lanes=self.budget,
            tenant_names={tenant.id: tenant.name for tenant in self.tenants},
        )

    async def rates(self) -> KnownRates:
        """How fast Microsoft lets us call now: as learned, else as the settings say, and never faster than they say."""
        limit, now = Limit(float(self.settings.limits.requests_per_minute)), self.clock.now()
        known = {key: pace_now(rate, limit, now) for key, rate in (await self.store.rates()).items()}
        return KnownRates(
            fallback=limit.pace,
            learned={key: rate.per_minute for key, rate in known.items()},
            paused={key: pause_seconds(rate, now) / 60 for key, rate in known.items()},
        )

    async def weighing(self, plan: PlanRecord) -> Weighing:
        """What the routes of a plan are weighed with. InputError for a price list that does not hold together."""
        return Weighing(
            tenants={tenant.id: tenant for tenant in await self.store.tenants()},
            target_id=plan.header.target_id,
            regions=self.regions,
            cloud=self.settings.cloud.name,
            today=plan.created_at.date(),
            prices=price_book(read_price_list(self.settings.files.price_list)),
            billing_models=self.billing_models,
        )

    async def newest_weighing(self) -> Weighing | None:
        """The same for the newest plan; None while there is none."""
        plan = await self.store.newest_plan()
        return await self.weighing(plan) if plan is not None else None

    def wave_desk(self) -> WaveDesk:
        """The use cases of waves, with these tools."""
        given = self.settings.waves
        return WaveDesk(
            waves=self.store,
            clock=self.clock,
            policy=policy_of(self.settings),
            limits=Limits(
                customers=given.max_customers,
                seats=given.max_seats,
                monthly_amount=given.max_monthly_amount,
                countries=given.max_countries,
            ),
            rates=self.rates,
            target_id=self.target.id,
            prices=lambda: read_price_list(self.settings.files.price_list),
            keys={tenant.id: tenant.key for tenant in self.tenants},
        )

    def doorbell(self) -> Doorbell | None:
        """What webhooks ask for, as whoever runs hears it; None where no webhook is set up."""
        given = self.settings.webhooks
        return Doorbell(self.store, self.clock, timedelta(seconds=given.quiet_seconds)) if given.url else None

    def receiver(self) -> Receiver:
        """Takes deliveries of webhooks in. ConfigError when it is not said whose certificates count."""
        given = self.settings.webhooks
        try:
            pem = given.issuers.read_bytes()
        except OSError as error:
            raise ConfigError(
                f"{given.issuers} (webhooks.issuers) could not be read: {error.strerror or 'unknown reason'}.",
                next_step="Put the certificates there that Microsoft's webhook certificate is issued by; the how-to "
                "page wake-early-with-webhooks says how.",
                path=str(given.issuers),
            ) from error
        issuers = read_issuers(pem, str(given.issuers))
        trust = trust_of(given.certificate_hosts, given.certificate_organization, issuers)
        reader = DeliveryReader(trust, self.http, self.clock)
        return Receiver(reader, self.store, self.clock, timedelta(seconds=given.quiet_seconds))


def policy_of(settings: config.Settings) -> Policy:
    """The settings' policy as the core reads it."""
    given = settings.policy
    return Policy(
        stop_starting_at=given.stop_starting_at,
        settling_seconds=given.settling_seconds,
        provisioning_wait_seconds=given.provisioning_wait_seconds,
        observation_max_age_seconds=given.observation_max_age_seconds,
        retry_seconds=given.retry_seconds,
        late_case=LateCase(given.late_case),
        late_at=given.late_at,
        transfer_poll_seconds=given.transfer_poll_seconds,
        hand_off_poll_seconds=given.hand_off_poll_seconds,
        buys_azure_plan=given.buys_azure_plan == "yes",
        cleans_azure_default=given.cleans_azure_default == "yes",
        opens_service_requests=given.opens_service_requests == "yes",
        reminds_days_before_end=given.reminds_days_before_end,
        agreement_source=AgreementSource(given.agreement_source),
        refused_retry_seconds=given.refused_retry_seconds,
    )


def gdap_terms_of(settings: config.Settings) -> GdapTerms:
    """The terms of delegated admin access. ConfigError where the settings forbid it, or name what cannot be."""
    if not plan_policy_of(settings).gdap_request:
        raise ConfigError(
            f"policy.gdap_request is {settings.policy.gdap_request}: delegated admin access is not to be requested.",
            next_step='Set policy.gdap_request to "yes" and look at the settings gdap.*.',
            setting="policy.gdap_request",
        )
    if not cloud_of(settings).admin_center:
        raise ConfigError(
            f"The address of the admin center of the cloud {settings.cloud.name!r} is not known, so no customer could "
            "be told where to approve.",
            next_step="Set cloud.admin_center.",
            setting="cloud.admin_center",
        )
    given = settings.gdap
    return terms_of(
        given.roles, given.groups, duration_days=given.duration_days, auto_extend=given.auto_extend == "yes"
    )


def plan_policy_of(settings: config.Settings) -> PlanPolicy:
    """The choices of the settings that planning reads."""
    given = settings.policy
    return PlanPolicy(
        us_government=GovernmentCloud(given.us_government),
        agreement_source=AgreementSource(given.agreement_source),
        gdap_request=given.gdap_request == "yes",
        partial_customers=PartialCustomers(given.partial_customers),
    )


def regions() -> RegionMap:
    """The CSP regions that ship with the program (source and date stand in the file)."""
    document = json.loads(files("tenantfold").joinpath("data/csp-regions.json").read_text("utf-8"))
    by_country = {country: region["name"] for region in document["regions"] for country in region["countries"]}
    return RegionMap(by_country, document["currencies"])


def tenants_of(settings: config.Settings) -> tuple[Tenant, ...]:
    """The tenants the settings name, before Partner Center has told anything about them; target last."""
    named = [(one, TenantRole.SOURCE) for one in settings.sources] + [(settings.target, TenantRole.TARGET)]
    return tuple(
        Tenant(id=TenantId(one.tenant_id), key=one.key, role=role, name=one.key, country="") for one, role in named
    )


def billing_models_of(settings: config.Settings) -> dict[TenantId, BillingModel]:
    """How Microsoft bills each tenant that the settings name."""
    given = (settings.target, *settings.sources)
    return {TenantId(one.tenant_id): BillingModel(one.billing_model) for one in given}


def cloud_of(settings: config.Settings) -> Cloud:
    """The cloud with the settings' own addresses in place of its usual ones."""
    given = settings.cloud
    overrides: dict[str, str | bool] = {
        "authority": given.authority,
        "partner_center": given.partner_center,
        "graph": given.graph,
        "admin_center": given.admin_center,
        "audience": given.resource,
        "graph_audience": given.graph,
    }
    return cloud_named(given.name).with_overrides({name: value for name, value in overrides.items() if value})


def approval_center_of(settings: config.Settings) -> str | None:
    """Where customers approve delegated admin access (empty: not known); None where the settings do not ask for it."""
    return cloud_of(settings).admin_center if plan_policy_of(settings).gdap_request else None


def open_store(settings: config.Settings, resolver: config.SecretResolver) -> Store:
    """The ledger the settings name; its password (PostgreSQL) is resolved here and kept nowhere."""
    reference = settings.database_password
    return Store.open(settings.database_url, resolver.resolve(reference) if reference else None)


@asynccontextmanager
async def open_program(
    settings: config.Settings,
    *,
    transport: httpx2.AsyncBaseTransport | None = None,
    clock: ServerClock | None = None,
    store: Store | None = None,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Program]:
    """Assemble everything and take it apart again. Raises SchemaTooOldError when the database is not there yet.

    ``clock``, ``store`` (closed in the end) and ``environ`` (where ``env:`` secrets are) replace the machine's clock,
    the settings' ledger and the machine's environment in the simulation.
    """
    resolver = config.resolver(environ)
    clock = clock or ServerClock()
    log = configure_logging(settings.log.level, settings.log.file, redact=resolver.redact, now=clock.now)
    calls: Counter[str] = Counter()
    store = store or open_store(settings, resolver)
    try:
        await store.check_schema()
        async with open_http(transport=transport, in_flight=settings.limits.in_flight) as http:
            tenants = tenants_of(settings)
            budget = _budget(settings, store, clock)
            yield Program(
                settings=settings,
                store=store,
                clock=clock,
                regions=regions(),
                tenants=tenants,
                centers=_centers(settings, tenants, clock, calls, resolver, http, budget),
                budget=budget,
                calls=calls,
                resolver=resolver,
                http=http,
            )
    finally:
        await store.close()
        structlog.reset_defaults()
        log.close()


def _budget(settings: config.Settings, store: Store, clock: ServerClock) -> Budget:
    """How fast this process may call: from the buckets it shares with all others on this ledger."""
    limit = Limit(float(settings.limits.requests_per_minute))
    return Budget(clock, book=store.rate_book(limit), in_flight=settings.limits.in_flight)


def _centers(
    settings: config.Settings,
    tenants: tuple[Tenant, ...],
    clock: ServerClock,
    calls: Counter[str],
    resolver: config.SecretResolver,
    http: httpx2.AsyncClient,
    budget: Budget,
) -> dict[TenantId, PartnerCenterClient]:
    """One client a tenant; they share connections, the budget and the clock."""

    def count(record: CallRecord) -> None:
        beside = CALLS_BESIDE.get()
        (calls if beside is None else beside)[record.route] += 1

    secrets = SettingsSecrets(settings, resolver)
    patience = RetryPolicy(write_leaves_within_seconds=policy_of(settings).write_leaves_within_seconds)
    options = ClientOptions(observe_date=clock.observe, on_call=count, policy=patience)
    given = {one.tenant_id: one for one in (settings.target, *settings.sources)}
    return {
        tenant.id: connect(
            Account(tenant_key=tenant.key, tenant_id=tenant.id, client_id=given[tenant.id].client_id),
            cloud=cloud_of(settings),
            secrets=secrets,
            clock=clock,
            http=http,
            budget=budget,
            options=options,
        )
        for tenant in tenants
    }
