"""Who may look into a customer's tenant: delegated admin, the old kind or the granular one (core reference 5, 8)."""

from __future__ import annotations

from partner_center_emulator.customers.models import relationship_of
from partner_center_emulator.errors import refusal
from partner_center_emulator.graph import gdap
from partner_center_emulator.graph.models import GLOBAL_ADMIN_TEMPLATE
from partner_center_emulator.requests import Call
from partner_center_emulator.world import Customer

# Entra's role template ids: the same in every tenant.
DIRECTORY_READERS = "88d8e3e3-8f55-4a1e-953a-9b9898b8876b"
DIRECTORY_WRITERS = "9360feb5-f418-4baa-8175-e2a00bac4301"
GLOBAL_READER = "f2ef992c-3afb-46b9-b7cf-a126ee74c451"
USER_ADMINISTRATOR = "fe930be7-5e62-47db-91af-98c3a49a38b1"
LICENSE_ADMINISTRATOR = "4d6ac14f-3453-41d0-bef9-a3e0c569773a"
DOMAIN_ADMINISTRATOR = "8329153b-31d0-4727-b945-745eb3bc5f31"
DEFAULT_ROLES = frozenset(
    {DIRECTORY_READERS, DIRECTORY_WRITERS, GLOBAL_READER, USER_ADMINISTRATOR, LICENSE_ADMINISTRATOR}
)
READ_USERS = frozenset({DIRECTORY_READERS, GLOBAL_READER, USER_ADMINISTRATOR, GLOBAL_ADMIN_TEMPLATE})
WRITE_USERS = frozenset({USER_ADMINISTRATOR, GLOBAL_ADMIN_TEMPLATE})
READ_LICENSES = READ_USERS | {LICENSE_ADMINISTRATOR}
READ_ORGANIZATION = frozenset({GLOBAL_ADMIN_TEMPLATE, DIRECTORY_WRITERS, GLOBAL_READER})
READ_DOMAINS = READ_ORGANIZATION | {DOMAIN_ADMINISTRATOR}


def require(call: Call, customer: Customer, roles: frozenset[str], *, old_kind_counts: bool = True) -> None:
    """Let the call pass if one of its groups has one of ``roles`` at the customer; raises 403 code 900308.

    ``old_kind_counts``: delegated admin of the old kind (DAP) is enough as well.
    """
    if old_kind_counts and relationship_of(call.emulator, call.tenant.id, customer).delegated_access:
        return
    partner_roles = call.principal.roles if call.principal.is_user else None
    if not gdap.roles_for(call.emulator, call.tenant.id, customer.id, partner_roles) & roles:
        raise refusal(900308)
