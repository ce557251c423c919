"""The world: everything the emulator pretends, as plain state without behaviour.

Every kind of thing is one ``msgspec.Struct``, so a snapshot is ``msgspec.json.encode(world)`` and a load is
``msgspec.json.decode(text, type=World)``. Behaviour lives with its Partner Center resource
(``customers/models.py``, ``orders/models.py`` ...), time in ``clock.py``, truth in ``ledger.py``.

Conventions: GUID keys are lower case in every mapping (the wire may use either case, commerce reference 0.1);
offer ids keep the upper case of the catalog; all times are aware UTC datetimes of the emulator's clock.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

from partner_center_emulator.state.azure import AzureState
from partner_center_emulator.state.behaviour import BehaviourState
from partner_center_emulator.state.commerce import CommerceState
from partner_center_emulator.state.gdap import GdapState
from partner_center_emulator.state.invoices import InvoiceState
from partner_center_emulator.state.people import Cloud, PeopleState, Program
from partner_center_emulator.state.transfers import TransferState
from partner_center_emulator.state.webhooks import WebhookState

PartnerRole = Literal["admin_agent", "sales_agent", "helpdesk_agent", "global_admin"]


class Address(msgspec.Struct, kw_only=True, omit_defaults=True):
    """A postal address (core reference 5)."""

    country: str
    city: str
    address_line1: str
    postal_code: str
    state: str = ""
    phone_number: str = ""


class AppRegistration(msgspec.Struct, kw_only=True):
    """One application of a partner tenant that may ask for tokens."""

    client_id: str
    secret: str
    secret_expires_at: datetime
    enabled: bool = True
    public_client: bool = False  # "native app": needs no secret, signs in people only
    redirect_uris: list[str] = []  # empty: any address on this machine


class PartnerUser(msgspec.Struct, kw_only=True):
    """A person of a partner tenant who signs in (app+user)."""

    object_id: str
    user_principal_name: str
    roles: list[PartnerRole]
    has_mfa: bool = True


class RefreshToken(msgspec.Struct, kw_only=True):
    """An issued refresh token; lives 90 days and stays valid until it lapses or is revoked (core reference 1.3)."""

    tenant_id: str
    object_id: str
    client_id: str
    issued_at: datetime
    with_mfa: bool = True
    revoked: bool = False


class PartnerTenant(msgspec.Struct, kw_only=True):
    """One Partner Center account of the partner, in one country."""

    id: str
    key: str  # short name used in the control plane and in generated credentials: "se", "no", "dk", "target"
    company_name: str
    domain: str
    address: Address
    email: str
    culture: str
    language: str
    currency: str
    currency_symbol: str
    partner_id: str  # the PartnerID the wire calls mpnId
    profile_version: int = 1  # behind the etags of the organization and billing profiles
    contact_first_name: str = "Partner"
    contact_last_name: str = "Contact"
    purchase_order_number: str = ""
    tax_id: str = ""
    vetting_status: str = "authorized"
    vetting_sub_status: str = "none"
    support_email: str = ""  # empty: the tenant's own
    support_telephone: str = ""
    support_website: str = ""
    anniversary_day: int = 1  # legacy billing period starts on this day of the month
    apps: list[AppRegistration] = []
    users: list[PartnerUser] = []
    cloud: Cloud = "commercial"
    program: Program = "direct"
    is_sandbox: bool = False  # the integration sandbox: limits, customers can be deleted


class Acceptance(msgspec.Struct, kw_only=True):
    """How the customer's admin behaves when asked for a relationship.

    "early" does not wait for the mail, "after_reminder" waits for the second one, "wrong_role" lets somebody try who is
    no Global admin, until the reminder.
    """

    kind: Literal["now", "after", "never", "early", "after_reminder", "wrong_role"] = "now"
    after_seconds: float = 0.0
    asked_at: datetime | None = None  # set when the actor first learns of the request
    reminded_at: datetime | None = None


class Customer(msgspec.Struct, kw_only=True):
    """A customer's own Entra tenant; it may have relationships with several partner tenants (R-101)."""

    id: str
    commerce_id: str
    company_name: str
    domain: str
    address: Address
    email: str
    culture: str
    language: str
    first_name: str
    last_name: str
    admin_upn: str
    admin_is_global_admin: bool = True
    billing_etag: int = 1
    billing_company_name: str = ""  # empty: the company's own name
    acceptance: Acceptance = msgspec.field(default_factory=Acceptance)
    direct_signed_agreement: bool = False


class Relationship(msgspec.Struct, kw_only=True):
    """The reseller link between one partner tenant and one customer."""

    tenant_id: str
    customer_id: str
    since: datetime
    kind: str = "reseller"
    delegated_access: bool = False
    associated_partner_id: str = ""  # the indirect reseller behind the link


class Agreement(msgspec.Struct, kw_only=True):
    """A partner's statement that the customer accepted the Microsoft Customer Agreement (core reference 7)."""

    tenant_id: str
    customer_id: str
    user_id: str
    template_id: str
    type: str
    first_name: str
    last_name: str
    email: str
    phone_number: str | None
    date_agreed: str  # as sent: the wire echoes it


class Offer(msgspec.Struct, kw_only=True):
    """A legacy offer of the catalog (commerce reference 1.1)."""

    id: str
    name: str
    description: str
    product_id: str
    product_name: str
    category: str  # Enterprise_Key, SmallBusiness_Key, Trial_Key ... ; "" for add-ons
    minimum_quantity: int = 1
    maximum_quantity: int = 10_000_000
    limit_unit: Literal["None", "Concurrent", "Lifetime"] = "None"
    limit: int = 0
    term: int = 1
    term_unit: str = "Year"
    billing_cycles: list[str] = msgspec.field(default_factory=lambda: ["annual", "monthly"])
    prerequisite_offers: list[str] = []
    conversion_target_offers: list[str] = []  # what a trial may become
    upgrade_target_offers: list[str] = []
    is_add_on: bool = False
    is_trial: bool = False
    unit_type: str = "Licenses"
    rank: int = 0
    monthly_price: str = "0"  # decimal as text, list price in EUR; catalog.price_in turns it into a tenant's currency
    is_available_for_purchase: bool = True
    not_sold_in: list[str] = []  # ISO countries whose catalog leaves the offer out
    off_catalog: bool = False  # gone from every catalog; existing subscriptions live on
    replaced_by: list[str] = []  # offers a partner may take instead of one that is gone
    closed_to: list[str] = []  # partner tenants that may not sell the offer


class OrderLine(msgspec.Struct, kw_only=True):
    """One line of an order."""

    line_item_number: int
    offer_id: str
    quantity: int
    friendly_name: str
    subscription_id: str | None = None
    parent_subscription_id: str | None = None
    partner_id_on_record: str | None = None


class Order(msgspec.Struct, kw_only=True):
    """A request that created subscriptions; belongs to one partner tenant and customer."""

    id: str
    tenant_id: str
    customer_id: str
    billing_cycle: str
    currency: str
    currency_symbol: str
    created_at: datetime
    lines: list[OrderLine]
    status: str = "completed"
    version: int = 1


class Subscription(msgspec.Struct, kw_only=True):
    """One offer held by one customer at one partner tenant."""

    id: str
    tenant_id: str
    customer_id: str
    offer_id: str
    offer_name: str
    friendly_name: str
    quantity: int
    status: str  # active, suspended, deleted, expired, disabled ... or a value nobody has seen before
    order_id: str
    created_at: datetime
    effective_start: date
    commitment_end: date
    billing_cycle: str
    billing_type: str = "license"
    unit_type: str = "Licenses"
    is_trial: bool = False
    auto_renew: bool = True
    parent_subscription_id: str | None = None
    partner_id_on_record: str | None = None
    suspended_at: datetime | None = None
    version: int = 1
    entitlement_id: str | None = None  # the Azure subscription behind a usage-based one
    moved_to: str | None = None  # what it became at another partner tenant; its former partner no longer sees it


class AuditRecord(msgspec.Struct, kw_only=True):
    """One line of a partner tenant's activity log (core reference 9.3)."""

    id: str
    tenant_id: str
    customer_id: str
    customer_name: str
    user_principal_name: str
    application_id: str
    resource_type: str
    resource_new_value: str
    operation_type: str
    operation_date: datetime
    operation_status: str = "succeeded"
    customized_data: list[tuple[str, str]] = []


class StateChange(msgspec.Struct, kw_only=True):
    """One entry of the truth ledger: what really changed, by whom, when (emulator clock and wall clock)."""

    at: datetime
    wall_at: datetime
    what: str  # order.created, subscription.created, subscription.changed, relationship.accepted ...
    tenant_id: str
    customer_id: str
    subject_id: str
    request_id: str = ""  # the partner's call; empty for the clock, an actor or the portal
    before: dict[str, object] = {}
    after: dict[str, object] = {}


class RequestTally(msgspec.Struct, kw_only=True):
    """How often one route was called, by answer."""

    calls: int = 0
    throttled: int = 0
    errors: int = 0


class Violation(msgspec.Struct, kw_only=True):
    """A client broke a rule: ignored Retry-After, re-sent a write with a new request id ..."""

    at: datetime
    tenant_id: str
    rule: str
    detail: str


class StoredAnswer(msgspec.Struct, kw_only=True):
    """The answer to one write, kept to be replayed for the same MS-RequestId (core reference 2.1)."""

    stored_at: datetime
    body_digest: str
    status: int
    headers: dict[str, str]
    body: bytes
    lost: bool = False  # the change took effect, but the answer never reached the client


class World(msgspec.Struct, kw_only=True):
    """The whole pretended state. Mappings are keyed by lower-case id unless said otherwise."""

    seed: int
    started_at: datetime
    partner_tenants: dict[str, PartnerTenant] = {}
    customers: dict[str, Customer] = {}
    relationships: dict[str, Relationship] = {}  # key: "{tenant_id}/{customer_id}"
    agreements: list[Agreement] = []
    offers: dict[str, Offer] = {}  # key: upper-case offer id
    orders: dict[str, Order] = {}  # insertion order is creation order
    subscriptions: dict[str, Subscription] = {}
    audit: list[AuditRecord] = []
    reseller_partner_ids: list[str] = []  # PartnerIDs that may stand as partner on record besides the tenants' own
    refresh_tokens: dict[str, RefreshToken] = {}
    changes: list[StateChange] = []
    tallies: dict[str, RequestTally] = {}  # key: "METHOD route-template"
    violations: list[Violation] = []
    answers: dict[str, StoredAnswer] = {}  # key: "{tenant_id}/{MS-RequestId}/{METHOD}/{path}"
    pending_acceptances: dict[str, datetime] = {}  # "{tenant_id}/{customer_id}" -> when the admin accepts
    transfers: TransferState = msgspec.field(default_factory=TransferState)
    azure: AzureState = msgspec.field(default_factory=AzureState)
    clock_at: datetime | None = None  # the clock's reading when a snapshot was taken; None in a fresh world
    commerce: CommerceState = msgspec.field(default_factory=CommerceState)
    signing_key_pem: str = ""  # RSA key that signs access tokens
    people: PeopleState = msgspec.field(default_factory=PeopleState)
    webhooks: WebhookState = msgspec.field(default_factory=WebhookState)
    gdap: GdapState = msgspec.field(default_factory=GdapState)
    invoices: InvoiceState = msgspec.field(default_factory=InvoiceState)
    behaviour: BehaviourState = msgspec.field(default_factory=BehaviourState)
    labels: dict[str, str] = {}  # customer or subscription id -> what a mixed world meant it to be; never on the wire
    next_number: int = 1  # counter behind every generated id, so a seed gives the same ids
