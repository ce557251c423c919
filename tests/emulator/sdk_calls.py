"""Every call of the PyPI client ``partnercenterservices``: how it is made, and why some have nothing behind them."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping

# why calls of the client are not emulated, by a part of their path; the first that fits counts
ABSENT: Mapping[str, str] = {
    "/generatetoken": "Not Partner Center's own: an exchange of the retired sign-in, see core 1.5.",
    "analytics": "Analytics moved to another service and is not part of the reference.",
    "DevicePolicy": "Device deployment is another program.",
    "batchJobStatus": "Device deployment is another program.",
    "deviceBatches": "Device deployment is another program.",
    "/policies": "Device deployment is another program.",
    "directoryroles": "Users' roles moved to Graph with delegated admin relationships (core 8).",
    "CustomerPartnerRelationships": "Not in today's reference; a relationship ends by PATCH (core 6).",
    "relationships/partner": "Not in today's reference; a relationship ends by PATCH (core 6).",
    "/relationships/{partner_id}": "Not in today's reference.",
    "offers/{offer_id}/addons": "The reference lists the add-ons of an offer by country only (commerce 1.1).",
    "serviceincidents": "Service health moved to Graph.",
    "supportcontact": "Support contacts are withdrawn.",
    "upgrades": "Upgrades of legacy subscriptions ended with the move to new commerce (commerce 3.8).",
    "usagerecords": "The daily records of one subscription are not emulated.",
    "utilizations": "Detailed Azure use is not emulated.",
    "usagebudget": "Spending budgets are withdrawn.",
    "users": "Only single users are changed; licenses and roles are assigned in Graph (core 9.4).",
    "verifieddomain": "Verified domains belong to syndication partners.",
    "/domains/{domain}": "Verified domains belong to syndication partners.",
    "insiderprograms": "Insider programs are not emulated.",
    "syndication": "Syndication is an older program.",
    "preferences": "Preferences of the portal are not emulated.",
    "partnernetworkprofile": "An older name of profiles/mpn.",
    "ratecards": "Azure rate cards are not emulated.",
    "/roles": "Members of the partner's roles are changed in Graph (core 1.8).",
    "/usagesummary": "The sum over all customers is not in today's reference.",
    "checkdomainavailability": "An older form of HEAD domains.",
}

Made = tuple[str, str, str, str]  # verb, path, group ("" = the client itself), method


def operations(client: object) -> Iterator[Made]:
    """Yield every call the client has."""
    groups = {name: value for name, value in vars(client).items() if type(value).__name__.endswith("Operations")}
    for name, group in {"": client, **groups}.items():
        for method, call in inspect.getmembers(group, inspect.ismethod):
            metadata = getattr(call, "metadata", None)
            if metadata:
                verb = re.search(r"self\._client\.(get|post|put|patch|delete|head)\(", inspect.getsource(call))
                assert verb is not None
                yield verb[1].upper(), metadata["url"], name, method


def reason(path: str) -> str:
    """Return why nothing is behind ``path``; empty if nobody has said so."""
    return next((why for part, why in ABSENT.items() if part in path), "")


def arguments(call: Callable[..., object], values: Mapping[str, object]) -> dict[str, object]:
    """Return what ``call`` takes from ``values`` by name; raises KeyError for something it needs and nobody knows."""
    found: dict[str, object] = {}
    for name, parameter in inspect.signature(call).parameters.items():
        if name in values:
            found[name] = values[name]
        elif parameter.default is parameter.empty and parameter.kind is parameter.POSITIONAL_OR_KEYWORD:
            raise KeyError(f"{name} is not known.")
    return found
