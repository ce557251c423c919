"""Granular delegated admin relationships (state room), core reference 8."""

from __future__ import annotations

from datetime import datetime

import msgspec


class GdapRequest(msgspec.Struct, kw_only=True):
    """One request of an action on a relationship."""

    id: str
    action: str  # lockForApproval, terminate, approve, reject
    status: str
    created_at: datetime
    modified_at: datetime


class GdapAssignment(msgspec.Struct, kw_only=True):
    """Roles of the relationship given to one security group of the partner."""

    id: str
    group_id: str
    roles: list[str]
    status: str  # pending, active, deleting, deleted, error
    created_at: datetime
    modified_at: datetime
    version: int = 1
    next_step_at: datetime | None = None


class GdapOperation(msgspec.Struct, kw_only=True):
    """A long-running change of a relationship."""

    id: str
    status: str  # notStarted, running, succeeded, failed
    data: str
    created_at: datetime
    modified_at: datetime
    next_step_at: datetime | None = None


class GdapRelationship(msgspec.Struct, kw_only=True):
    """A delegated admin relationship between a partner tenant and a customer, or an offer of one to anybody."""

    id: str
    tenant_id: str
    display_name: str
    duration: str  # ISO 8601, as sent
    roles: list[str]
    status: str
    created_at: datetime
    modified_at: datetime
    auto_extend: str = "PT0S"
    customer_id: str = ""
    customer_name: str = ""
    activated_at: datetime | None = None
    end_at: datetime | None = None
    version: int = 1
    next_step_at: datetime | None = None
    requests: list[GdapRequest] = []
    assignments: dict[str, GdapAssignment] = {}
    operations: list[GdapOperation] = []


class GdapState(msgspec.Struct, kw_only=True):
    """Everything of this area."""

    relationships: dict[str, GdapRelationship] = {}
