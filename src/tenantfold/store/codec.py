"""Store: domain values as JSON text and back. Unknown members of stored JSON are ignored, missing ones get defaults."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import MISSING, fields
from functools import cache
from typing import Any, get_type_hints

import msgspec
from msgspec.structs import astuple

from tenantfold.domain.facts import TenantFacts
from tenantfold.domain.gdap import GdapIntent, GdapOutcome, GdapStanding
from tenantfold.domain.journal import Intent, Outcome
from tenantfold.domain.model import Customer, Offer, Sku, Subscription, Tenant
from tenantfold.domain.plan import PlanCustomer, PlanHeader

_ENCODER = msgspec.json.Encoder()
_CUSTOMERS = msgspec.json.Decoder(list[Customer])
_SUBSCRIPTIONS = msgspec.json.Decoder(list[Subscription])
_OFFERS = msgspec.json.Decoder(list[Offer])
_SKUS = msgspec.json.Decoder(list[Sku])
_TENANTS = msgspec.json.Decoder(list[Tenant])
_PLAN_CUSTOMERS = msgspec.json.Decoder(list[PlanCustomer])
_PLAN_HEADER = msgspec.json.Decoder(PlanHeader)
_INTENTS = msgspec.json.Decoder(list[Intent])
_OUTCOMES = msgspec.json.Decoder(list[Outcome])
_GDAP_INTENTS = msgspec.json.Decoder(list[GdapIntent])
_GDAP_OUTCOMES = msgspec.json.Decoder(list[GdapOutcome])
_GDAP_STANDINGS = msgspec.json.Decoder(list[GdapStanding])
_FACTS = msgspec.json.Decoder(dict[str, str])
_TENANT_FACTS = msgspec.json.Decoder(list[TenantFacts])


def to_json(value: object) -> str:
    """A domain value (or a mapping of texts) as JSON text."""
    return _ENCODER.encode(value).decode()


def customers(values: Iterable[str]) -> list[Customer]:
    """Customers from their stored texts; one decode for many is several times cheaper than many decodes."""
    return _CUSTOMERS.decode(_array(values))


def subscriptions(values: Iterable[str]) -> list[Subscription]:
    """Subscriptions from their stored texts."""
    return _SUBSCRIPTIONS.decode(_array(values))


def subscription_cells(values: Iterable[str], names: tuple[str, ...]) -> list[tuple[Any, ...]]:
    """Some fields of subscriptions from their stored texts, in the order of ``names``: half the time of whole ones."""
    return [astuple(held) for held in _cells_decoder(names).decode(_array(values))]


@cache
def _cells_decoder(names: tuple[str, ...]) -> msgspec.json.Decoder[list[msgspec.Struct]]:
    hints = get_type_hints(Subscription)
    defaults = {field.name: field.default for field in fields(Subscription)}
    members = [
        (name, hints[name]) if defaults[name] is MISSING else (name, hints[name], defaults[name]) for name in names
    ]
    shape = msgspec.defstruct("Cells", members, gc=False, kw_only=True)
    return msgspec.json.Decoder(list[shape])  # type: ignore[valid-type]  # made at run time


def offers(values: Iterable[str]) -> list[Offer]:
    """Offers from their stored texts."""
    return _OFFERS.decode(_array(values))


def skus(values: Iterable[str]) -> list[Sku]:
    """New-commerce SKUs from their stored texts."""
    return _SKUS.decode(_array(values))


def tenants(values: Iterable[str]) -> list[Tenant]:
    """Partner tenants from their stored texts."""
    return _TENANTS.decode(_array(values))


def plan_customers(values: Iterable[str]) -> list[PlanCustomer]:
    """Customers of a plan from their stored texts."""
    return _PLAN_CUSTOMERS.decode(_array(values))


def plan_header(value: str) -> PlanHeader:
    """A plan's header from its stored text."""
    return _PLAN_HEADER.decode(value)


def intents(values: Iterable[str]) -> list[Intent]:
    """Intents from their stored texts."""
    return _INTENTS.decode(_array(values))


def outcomes(values: Iterable[str]) -> list[Outcome]:
    """Outcomes from their stored texts."""
    return _OUTCOMES.decode(_array(values))


def gdap_intents(values: Iterable[str]) -> list[GdapIntent]:
    """Intents of delegated admin access from their stored texts."""
    return _GDAP_INTENTS.decode(_array(values))


def gdap_outcomes(values: Iterable[str]) -> list[GdapOutcome]:
    """Outcomes of delegated admin access from their stored texts."""
    return _GDAP_OUTCOMES.decode(_array(values))


def gdap_standings(values: Iterable[str]) -> list[GdapStanding]:
    """Where customers stand with delegated admin access, from their stored texts."""
    return _GDAP_STANDINGS.decode(_array(values))


def tenant_facts(values: Iterable[str]) -> list[TenantFacts]:
    """What was looked up of customers, from their stored texts."""
    return _TENANT_FACTS.decode(_array(values))


def facts(value: str) -> dict[str, str]:
    """The facts of an event from their stored text."""
    return _FACTS.decode(value)


def _array(values: Iterable[str]) -> str:
    return f"[{','.join(values)}]"
