"""People and partners of the world (state room): sign-ins under way, indirect partners, users, vetting of customers.

Same conventions as ``world.py``: GUID keys in lower case, aware UTC times of the emulator's clock, no behaviour.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

Cloud = Literal["commercial", "us_government"]
Program = Literal["direct", "indirect_provider", "indirect_reseller"]


class AuthorizationCode(msgspec.Struct, kw_only=True):
    """What the sign-in page handed to an application; redeemed once within ten minutes (core reference 1.3)."""

    tenant_id: str
    object_id: str
    client_id: str
    redirect_uri: str
    issued_at: datetime
    with_mfa: bool
    nonce: str = ""
    challenge: str = ""  # PKCE; empty: none was sent
    challenge_method: str = "plain"
    redeemed: bool = False


class DeviceCode(msgspec.Struct, kw_only=True):
    """A sign-in that waits for somebody to enter ``user_code`` on the page of the authority."""

    user_code: str
    client_id: str
    tenant_name: str  # as in the path: a tenant, or organizations
    issued_at: datetime
    status: Literal["pending", "approved", "declined", "redeemed"] = "pending"
    tenant_id: str = ""
    object_id: str = ""
    with_mfa: bool = False
    polled_at: datetime | None = None


class ResellerPartner(msgspec.Struct, kw_only=True):
    """An indirect reseller that has no tenant of its own in this world."""

    id: str
    name: str
    partner_id: str
    country: str
    agreement_signed: bool = True


class PartnerLink(msgspec.Struct, kw_only=True):
    """The partnership of an indirect provider and an indirect reseller (core reference 6.3)."""

    provider_id: str
    reseller_id: str
    since: datetime
    state: str = "Active"


class CustomerUser(msgspec.Struct, kw_only=True):
    """A user in a customer's own tenant (core reference 5.10)."""

    id: str
    user_principal_name: str
    first_name: str
    last_name: str
    display_name: str
    usage_location: str
    state: Literal["active", "inactive"] = "active"
    deleted_at: datetime | None = None


class Qualification(msgspec.Struct, kw_only=True):
    """A customer's qualification for special offers, vetted after some time (core reference 5.11)."""

    qualification: str
    created_at: datetime
    decided_at: datetime | None = None  # when the vetting ends; None: it has ended
    outcome: Literal["Approved", "Denied"] = "Approved"
    vetting_status: Literal["InReview", "Approved", "Denied"] = "InReview"
    reason: str = ""
    education_segment: str = ""
    website: str = ""


class ValidationCode(msgspec.Struct, kw_only=True):
    """A partner's code for government community cloud customers (core reference 5.13)."""

    tenant_id: str
    organization_name: str
    validation_id: str
    max_creates: int
    remaining_creates: int
    issued_at: datetime


class AccountStatus(msgspec.Struct, kw_only=True):
    """Whether the customer's account passed validation (core reference 5.12)."""

    status: Literal["Allowed", "UnderReview", "NotAllowed", "Unknown", "Not Ready"]
    updated_at: datetime


class PeopleState(msgspec.Struct, kw_only=True):
    """Everything of this area."""

    codes: dict[str, AuthorizationCode] = {}
    device_codes: dict[str, DeviceCode] = {}
    token_epochs: dict[str, int] = {}  # "{tenant_id}" or "{tenant_id}/{object_id}" -> how often access was revoked
    resellers: dict[str, ResellerPartner] = {}
    links: dict[str, PartnerLink] = {}  # key: "{provider_id}/{reseller_id}"
    users: dict[str, list[CustomerUser]] = {}  # by customer id; made when first asked for
    qualifications: dict[str, list[Qualification]] = {}  # by customer id
    validation_codes: list[ValidationCode] = []
    account_statuses: dict[str, AccountStatus] = {}  # by customer id; absent: never validated
    deleted_customers: list[str] = []  # sandbox customers that are gone
    registration_numbers: dict[str, str] = {}  # by customer id
