"""The settings as values (settings room): the one table of every setting, and the frozen dataclasses it fills.

``config.py`` reads them; docs, template and ``config show`` are made from the same table, so they cannot disagree.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from pathlib import Path

from tenantfold.secret_refs import SecretRef
from tenantfold.settings_kinds import (
    CLOUDS,
    DATABASE,
    GROUP,
    GUID,
    HOSTS,
    NAME,
    REFERENCE,
    REQUIRED,
    ROLE,
    URL,
    Between,
    Choice,
    Each,
    Kind,
    Required,
    Setting,
)

BILLING_MODELS = ("billing_owner", "direct_bill", "indirect_provider", "indirect_reseller")
BUYERS = BILLING_MODELS[:3]  # whom Microsoft bills: nobody else can buy or attest, so nobody else is a target


def _tenant(prefix: str, whose: str, key: str | Required, models: tuple[str, ...]) -> tuple[Setting, ...]:
    """The settings of one partner tenant, which is billed in one of these ways."""
    return (
        Setting(f"{prefix}.key", Kind.NAME, key, f"Short name of {whose} in commands, reports and logs.", NAME),
        Setting(f"{prefix}.tenant_id", Kind.GUID, REQUIRED, f"Entra tenant id of {whose}.", GUID),
        Setting(f"{prefix}.client_id", Kind.GUID, REQUIRED, f"Id of the app registration in {whose}.", GUID),
        Setting(f"{prefix}.client_secret", Kind.SECRET, REQUIRED, "Where the app's secret is.", REFERENCE),
        Setting(
            f"{prefix}.refresh_token",
            Kind.SECRET,
            None,
            "Where the refresh token of the signed-in user is; as file: it is renewed there.",
            REFERENCE,
        ),
        Setting(
            f"{prefix}.billing_model",
            Kind.TEXT,
            "billing_owner",
            f"How Microsoft bills {whose}: direct_bill, indirect_provider, or billing_owner for one of these two. An "
            "indirect reseller has no bill of its own and cannot buy (rule R-216): what stands in its tenant its "
            "provider must move, and it is never the target.",
            Choice(models),
        ),
    )


_SECONDS = Between(0, 86_400)
_COUNT = Between(0, 1_000_000_000)
SETTINGS: tuple[Setting, ...] = (
    Setting("consolidation", Kind.NAME, REQUIRED, "Name of this consolidation; part of every request id.", NAME),
    Setting(
        "database_url",
        Kind.DATABASE,
        "sqlite:///tenantfold.db",
        "The ledger's database; a relative SQLite path starts at the folder of this file.",
        DATABASE,
    ),
    Setting("database_password", Kind.SECRET, None, "Where the PostgreSQL password is.", REFERENCE),
    Setting("cloud.name", Kind.TEXT, "commercial", "Which Microsoft cloud all tenants are in.", Choice(CLOUDS)),
    Setting("cloud.authority", Kind.URL, "", "Sign-in address, if not the cloud's own.", URL),
    Setting("cloud.partner_center", Kind.URL, "", "Partner Center API address, if not the cloud's own.", URL),
    Setting("cloud.graph", Kind.URL, "", "Microsoft Graph address, if not the cloud's own.", URL),
    Setting(
        "cloud.admin_center",
        Kind.URL,
        "",
        "Microsoft 365 admin center, where customers approve delegated access, if not the cloud's own.",
        URL,
    ),
    Setting("cloud.resource", Kind.URL, "", "Audience of the tokens, if not the cloud's own.", URL),
    *_tenant("target", "the target tenant", "target", BUYERS),
    *_tenant("sources[]", "this source tenant", REQUIRED, BILLING_MODELS),
    Setting(
        "policy.stop_starting_at",
        Kind.TIME_OF_DAY,
        time(21, 0),
        "UTC time after which no new cutover starts that day (rule R-33).",
        'a UTC time of day such as "21:00"',
    ),
    Setting(
        "policy.settling_seconds",
        Kind.SECONDS,
        900.0,
        "How long a call without an answer is left alone before it may be sent again.",
        _SECONDS,
    ),
    Setting(
        "policy.provisioning_wait_seconds",
        Kind.SECONDS,
        900.0,
        "How long a new target subscription may take to become active before a person is asked.",
        _SECONDS,
    ),
    Setting(
        "policy.observation_max_age_seconds",
        Kind.SECONDS,
        120.0,
        "How old a read may be when an irreversible step rests on it.",
        Between(1, 3_600),
    ),
    Setting(
        "policy.retry_seconds",
        Kind.SECONDS,
        15.0,
        "How long a customer waits after a step that met a passing difficulty.",
        Between(1, 3_600),
    ),
    Setting(
        "policy.late_case",
        Kind.TEXT,
        "finish",
        "What happens to a cutover that gets stuck late in its UTC day: it is finished all the same, with an alarm, or "
        "its target is suspended again while that is free, and reactivated another day.",
        Choice(("finish", "withdraw")),
    ),
    Setting(
        "policy.late_at",
        Kind.TIME_OF_DAY,
        time(23, 30),
        "UTC time from which an open cutover raises an alarm and follows late_case.",
        'a UTC time of day such as "23:30"',
    ),
    Setting(
        "policy.us_government",
        Kind.TEXT,
        "plan_only",
        "In Microsoft Cloud for US Government a customer may have to stay with one partner: only plan there, or move.",
        Choice(("plan_only", "move")),
    ),
    Setting(
        "policy.agreement_source",
        Kind.TEXT,
        "list",
        "Whose word counts for the Microsoft Customer Agreement: contacts in the list of customers are attested, or "
        "nothing is and each customer accepts it directly.",
        Choice(("list", "customer")),
    ),
    Setting(
        "policy.gdap_request",
        Kind.TEXT,
        "no",
        "Whether delegated admin access (GDAP) to each customer may be requested for the target; see [gdap].",
        Choice(("no", "yes")),
    ),
    Setting(
        "policy.partial_customers",
        Kind.TEXT,
        "all_or_nothing",
        "Whether a customer may move in part where some of its subscriptions cannot (rule R-32).",
        Choice(("all_or_nothing", "allowed")),
    ),
    Setting(
        "policy.legacy_software",
        Kind.TEXT,
        "planned",
        "Who of legacy licenses alone is asked by the inventory for perpetual software, one call each (rule R-151): "
        "nobody, those that the newest plan is to move, or everybody.",
        Choice(("no", "planned", "everybody")),
    ),
    Setting(
        "policy.transfer_poll_seconds",
        Kind.SECONDS,
        300.0,
        "How often a transfer is looked up that waits for the other partner or for Microsoft.",
        Between(10, 86_400),
    ),
    Setting(
        "policy.hand_off_poll_seconds",
        Kind.SECONDS,
        21_600.0,
        "How often it is read whether Microsoft's support, or a person, has done its part.",
        Between(60, 604_800),
    ),
    Setting(
        "policy.buys_azure_plan",
        Kind.TEXT,
        "no",
        "Whether a missing Azure plan is bought at the target (rule R-164), or a person buys it.",
        Choice(("no", "yes")),
    ),
    Setting(
        "policy.cleans_azure_default",
        Kind.TEXT,
        "no",
        "Whether the empty Azure subscription that comes with a new Azure plan is canceled (rule R-174).",
        Choice(("no", "yes")),
    ),
    Setting(
        "policy.opens_service_requests",
        Kind.TEXT,
        "no",
        "Whether Microsoft's support is asked through the API where that is allowed (rule R-179), or a person asks.",
        Choice(("no", "yes")),
    ),
    Setting(
        "policy.reminds_days_before_end",
        Kind.WHOLE_NUMBER,
        14,
        "How many days before a term ends that is let run out a person is reminded of what must be bought.",
        Between(1, 90),
    ),
    Setting(
        "policy.refused_retry_seconds",
        Kind.SECONDS,
        604_800.0,
        "After how long something is submitted again that Microsoft refused to transfer, though nobody confirmed that "
        "the reason is gone (rules R-167, R-169).",
        Between(3_600, 7_776_000),
    ),
    Setting(
        "gdap.roles",
        Kind.TEXTS,
        ("Service support administrator", "Directory readers"),
        "Roles that delegated admin access asks each customer for; those are enough for tickets and company details.",
        Each(ROLE),
    ),
    Setting(
        "gdap.groups",
        Kind.TEXTS,
        (),
        "Security groups of the target tenant and the roles each gets; without one nobody has access (rule R-106).",
        Each(GROUP),
    ),
    Setting(
        "gdap.duration_days",
        Kind.WHOLE_NUMBER,
        730,
        "How many days delegated admin access lasts (rule R-105).",
        Between(1, 730),
    ),
    Setting(
        "gdap.auto_extend",
        Kind.TEXT,
        "no",
        "Whether it is extended by six months at each end; not with the role Global administrator (rule R-105).",
        Choice(("no", "yes")),
    ),
    Setting("limits.in_flight", Kind.WHOLE_NUMBER, 64, "Calls to Microsoft under way at once.", Between(1, 100)),
    Setting(
        "limits.requests_per_minute",
        Kind.WHOLE_NUMBER,
        500,
        "Most calls in any minute for one partner tenant and resource, over all workers. 500 is Microsoft's own limit; "
        "what it really lets through is learned.",
        Between(1, 10_000),
    ),
    Setting("waves.max_customers", Kind.WHOLE_NUMBER, 500, "Most customers in a wave; 0 for no limit.", _COUNT),
    Setting("waves.max_seats", Kind.WHOLE_NUMBER, 20_000, "Most licenses in a wave; 0 for no limit.", _COUNT),
    Setting(
        "waves.max_monthly_amount",
        Kind.WHOLE_NUMBER,
        0,
        "Most money a wave moves in a month, by files.price_list; 0 for no limit.",
        _COUNT,
    ),
    Setting("waves.max_countries", Kind.WHOLE_NUMBER, 0, "Most customer countries in a wave; 0 for no limit.", _COUNT),
    Setting("workers.concurrency", Kind.WHOLE_NUMBER, 32, "Customers a worker drives at once.", Between(1, 256)),
    Setting(
        "workers.backlog", Kind.WHOLE_NUMBER, 500, "Most due customers queued for the workers.", Between(1, 10_000)
    ),
    Setting("workers.heartbeat_seconds", Kind.SECONDS, 5.0, "How often a worker says that it lives.", Between(1, 300)),
    Setting(
        "workers.lost_after_seconds",
        Kind.SECONDS,
        30.0,
        "How long a silent worker is believed before its customers go to others.",
        Between(2, 3_600),
    ),
    Setting(
        "workers.inventory_at",
        Kind.TIME_OF_DAY,
        None,
        "When the workers read all tenants again, every day (UTC; PostgreSQL only); empty for never.",
        "a time of day such as 03:30, or empty",
    ),
    Setting("webhooks.url", Kind.URL, "", "Where Microsoft delivers events to; without it nobody listens.", URL),
    Setting(
        "webhooks.port",
        Kind.WHOLE_NUMBER,
        8790,
        "Port of 127.0.0.1 that tenantfold webhooks listen takes deliveries on, from your proxy.",
        Between(1, 65_535),
    ),
    Setting(
        "webhooks.certificate_hosts",
        Kind.TEXT,
        "3psostorageacct.blob.core.windows.net",
        "Where the certificate that a delivery was signed with may be fetched.",
        HOSTS,
    ),
    Setting(
        "webhooks.certificate_organization",
        Kind.TEXT,
        "Microsoft Corporation",
        "The organization that this certificate, or its issuer, has to name.",
    ),
    Setting(
        "webhooks.issuers",
        Kind.PATH,
        Path("webhook-issuers.pem"),
        "The certificates (PEM) that it has to be issued by, or be one of.",
    ),
    Setting(
        "webhooks.quiet_seconds",
        Kind.SECONDS,
        60.0,
        "Least time between two wake-ups of a customer, and between two looks at who accepted that events ask for.",
        Between(5, 86_400),
    ),
    Setting("files.offer_mapping", Kind.PATH, Path("offer-mapping.csv"), "The approved offer mapping (CSV or XLSX)."),
    Setting("files.price_list", Kind.PATH, Path("price-list.csv"), "Prices by offer: of buying again, and of waves."),
    Setting("files.invitations", Kind.PATH, Path("invitations"), "Folder that invitations are written to."),
    Setting("files.reports", Kind.PATH, Path("reports"), "Folder that reports are written to."),
    Setting("log.level", Kind.TEXT, "info", "How much is logged.", Choice(("debug", "info", "warning", "error"))),
    Setting("log.file", Kind.PATH, Path("tenantfold.log"), "File that the log is added to, one JSON object a line."),
)
BY_NAME: Mapping[str, Setting] = {setting.name: setting for setting in SETTINGS}


@dataclass(frozen=True, slots=True, kw_only=True)
class CloudSettings:
    """Which cloud, and addresses that replace the cloud's own (empty: its own)."""

    name: str = "commercial"
    authority: str = ""
    partner_center: str = ""
    graph: str = ""
    admin_center: str = ""
    resource: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantSettings:
    """One partner tenant: its short name, its ids (lower case), where its secrets are, and how Microsoft bills it."""

    key: str
    tenant_id: str
    client_id: str
    client_secret: SecretRef
    refresh_token: SecretRef | None = None
    billing_model: str = "billing_owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySettings:
    """Choices made once for the whole consolidation. ``stop_starting_at`` is a UTC time of day (R-192)."""

    stop_starting_at: time = time(21, 0)
    settling_seconds: float = 900.0
    provisioning_wait_seconds: float = 900.0
    observation_max_age_seconds: float = 120.0
    retry_seconds: float = 15.0
    late_case: str = "finish"
    late_at: time = time(23, 30)
    us_government: str = "plan_only"
    agreement_source: str = "list"
    gdap_request: str = "no"
    partial_customers: str = "all_or_nothing"
    legacy_software: str = "planned"
    transfer_poll_seconds: float = 300.0
    hand_off_poll_seconds: float = 21_600.0
    buys_azure_plan: str = "no"
    cleans_azure_default: str = "no"
    opens_service_requests: str = "no"
    reminds_days_before_end: int = 14
    refused_retry_seconds: float = 604_800.0


@dataclass(frozen=True, slots=True, kw_only=True)
class GdapSettings:
    """The terms of delegated admin access, as written. Roles are names or template ids; ``domain.gdap_roles``."""

    roles: tuple[str, ...] = ("Service support administrator", "Directory readers")
    groups: tuple[str, ...] = ()
    duration_days: int = 730
    auto_extend: str = "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitSettings:
    """How hard we may knock at Microsoft's door. ``requests_per_minute`` counts per partner tenant and resource."""

    in_flight: int = 64
    requests_per_minute: int = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveSettings:
    """The blast radius: how much one wave may hold. 0 is no limit; the amount is a month's, in the prices' currency."""

    max_customers: int = 500
    max_seats: int = 20_000
    max_monthly_amount: int = 0
    max_countries: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """How a worker process works, where there are several (PostgreSQL)."""

    concurrency: int = 32
    backlog: int = 500
    heartbeat_seconds: float = 5.0
    lost_after_seconds: float = 30.0
    inventory_at: time | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookSettings:
    """Where events of Partner Center arrive, and which are believed. ``url`` is empty where nobody listens."""

    issuers: Path
    url: str = ""
    port: int = 8790
    certificate_hosts: str = "3psostorageacct.blob.core.windows.net"
    certificate_organization: str = "Microsoft Corporation"
    quiet_seconds: float = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FileSettings:
    """Files and folders people meet; absolute, relative ones start at the configuration file's folder."""

    offer_mapping: Path
    invitations: Path
    reports: Path
    price_list: Path = Path("price-list.csv")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogSettings:
    """How much is logged and where to."""

    level: str = "info"
    file: Path = Path("tenantfold.log")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, checked. ``file`` is the file they were read from, None when only the environment gave them.

    ``read_from`` says for each setting that was given where it was read; the others have their default.
    """

    consolidation: str
    database_url: str
    target: TenantSettings
    sources: tuple[TenantSettings, ...]
    files: FileSettings
    database_password: SecretRef | None = None
    cloud: CloudSettings = field(default_factory=CloudSettings)
    policy: PolicySettings = field(default_factory=PolicySettings)
    gdap: GdapSettings = field(default_factory=GdapSettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    waves: WaveSettings = field(default_factory=WaveSettings)
    workers: WorkerSettings = field(default_factory=WorkerSettings)
    webhooks: WebhookSettings = field(default_factory=lambda: WebhookSettings(issuers=Path("webhook-issuers.pem")))
    log: LogSettings = field(default_factory=LogSettings)
    file: Path | None = None
    read_from: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    def secret_refs(self) -> tuple[SecretRef, ...]:
        """All references to secrets, for the check of their files at the start."""
        refs = [self.database_password]
        for tenant in (self.target, *self.sources):
            refs += [tenant.client_secret, tenant.refresh_token]
        return tuple(ref for ref in refs if ref is not None)
