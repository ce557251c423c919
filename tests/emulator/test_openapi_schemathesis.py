"""Whatever the description allows to be sent is answered as the description says, and never with a failure of ours.

The bounded run sends a few examples to every call of the world below; the deeper one (``slow``) sends many.
"""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

import httpx2 as httpx
import msgspec
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.config import (
    CoveragePhaseConfig,
    ExamplesPhaseConfig,
    GenerationConfig,
    PhasesConfig,
    ProjectConfig,
    ProjectsConfig,
    SchemathesisConfig,
)
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.schemas import BaseSchema
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from partner_center_emulator import worlds
from partner_center_emulator.app import create_app
from partner_center_emulator.clock import DEFAULT_START, Clock
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.openapi import document, routes
from partner_center_emulator.world import World
from tests.emulator.conftest import access_token

CHECKS = [not_a_server_error, response_schema_conformance, content_type_conformance, status_code_conformance]
DESCRIBED = routes.every_route()
# these replace the world or its rules under the other calls' feet; their own tests are in test_control.py
RESHAPING = frozenset(
    {"POST /_emulator/reset", "POST /_emulator/snapshot", "POST /_emulator/options", "POST /_emulator/clock"}
)
KEYS = [route.key for route in DESCRIBED if route.key not in RESHAPING]
_TEMPLATE = msgspec.json.encode(worlds.make("generated", 5, 4, DEFAULT_START))


def _schema() -> BaseSchema:
    """Return the description as schemathesis reads it: valid data only, no coverage phase."""
    phases = PhasesConfig(examples=ExamplesPhaseConfig(enabled=False), coverage=CoveragePhaseConfig(enabled=False))
    project = ProjectConfig(generation=GenerationConfig(allow_x00=False, with_security_parameters=False), phases=phases)
    config = SchemathesisConfig(projects=ProjectsConfig(default=project))
    return schemathesis.openapi.from_dict(document.document(DESCRIBED), config=config)


SCHEMA = _schema()


class Known:
    """The ids of the world, so that generated calls also reach something that exists."""

    def __init__(self, emulator: Emulator) -> None:
        world = emulator.world
        source = next(tenant for tenant in world.partner_tenants.values() if tenant.key != "target")
        held = next(row for row in world.subscriptions.values() if row.tenant_id == source.id)
        self.key = source.key
        self.ids = {
            "customer": held.customer_id,
            "subscription": held.id,
            "order": held.order_id,
            "offer": held.offer_id,
            "tenant": source.id,
            "country": "SE",
        }

    def put_into(self, case: schemathesis.Case[Any]) -> None:
        """Replace path variables by ids that exist, in three of four cases."""
        marks = sum(map(ord, repr(sorted(case.path_parameters.items()))))
        for name in case.path_parameters:
            if name in self.ids and marks % 4:
                case.path_parameters[name] = self.ids[name]


def _try(key: str, examples: int, mode: GenerationMode = GenerationMode.POSITIVE) -> None:
    """Send ``examples`` generated calls of one route and check every answer."""
    world = msgspec.json.decode(_TEMPLATE, type=World)
    emulator = Emulator(world, Options(bom="never", throttling=False), Clock(DEFAULT_START, frozen=True))
    application = create_app(emulator)
    known = Known(emulator)
    graph = f"{emulator.options.base_url}/graph"
    partner_token, graph_token = access_token(emulator, known.key), access_token(emulator, known.key, resource=graph)
    method, template = key.split(" ")
    operation = SCHEMA[template][method]
    token = graph_token if template.startswith("/graph") else partner_token

    def send(case: schemathesis.Case[Any]) -> None:
        known.put_into(case)
        headers = {"Authorization": f"Bearer {token}"}
        if "MS-RequestId" in (case.headers or {}):
            case.headers["MS-RequestId"] = str(uuid.uuid5(uuid.NAMESPACE_OID, case.headers["MS-RequestId"]))
        answer = case.call(base_url=emulator.options.base_url, headers=headers, app=application, allow_redirects=False)
        case.validate_response(answer, checks=CHECKS)

    strategy = operation.as_strategy(generation_mode=mode)
    calm = list(HealthCheck)
    phases = [Phase.generate]
    plan = settings(
        max_examples=examples, deadline=None, database=None, derandomize=True, phases=phases, suppress_health_check=calm
    )
    plan(given(strategy)(send))()


def test_a_wrong_answer_is_noticed():
    """The checks can fail: an answer that lacks a required member of its description is a violation."""
    case = SCHEMA["/v1/customers/{customer}"]["GET"].Case(path_parameters={"customer": str(uuid.uuid4())})
    answer = httpx.Response(
        200,
        json={"id": "no customer"},
        headers=dict.fromkeys(("MS-RequestId", "MS-CorrelationId", "MS-CV", "MS-ServerId", "Date"), "x"),
        request=httpx.Request("GET", "http://127.0.0.1/"),
    )
    answer.elapsed = timedelta(0)
    with pytest.raises(FailureGroup):
        case.validate_response(answer, checks=[response_schema_conformance])


def test_every_route_is_described():
    """No route is left out of the tables, and no table describes what is not there."""
    assert set(document.operations()) == {route.key for route in DESCRIBED}


@pytest.mark.parametrize("key", KEYS)
def test_every_answer_is_as_described(key: str):
    """A few generated calls of each route."""
    _try(key, 2)


WRITES = [key for key in KEYS if document.operations()[key][1].body is not None]


@pytest.mark.parametrize("key", WRITES)
def test_what_is_not_allowed_is_refused_in_a_described_form(key: str):
    """A few calls whose body or parameters break the description."""
    _try(key, 2, GenerationMode.NEGATIVE)


@pytest.mark.slow
@pytest.mark.parametrize("key", WRITES)
def test_what_is_not_allowed_is_refused_over_many_examples(key: str):
    """Many calls whose body or parameters break the description."""
    _try(key, 40, GenerationMode.NEGATIVE)


@pytest.mark.slow
@pytest.mark.parametrize("key", KEYS)
def test_every_answer_is_as_described_over_many_examples(key: str):
    """Many generated calls of each route."""
    _try(key, 40)
