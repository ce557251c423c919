"""The doctor: is everything there that a consolidation needs? Reads only."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from tenantfold.clock import ManualClock
from tenantfold.domain.facts import BillingModel
from tenantfold.domain.model import Tenant, TenantId, TenantRole
from tenantfold.domain.regions import RegionMap
from tenantfold.domain.resellers import Reseller
from tenantfold.errors import AuthError, RefusedError, RoleMissingError
from tenantfold.flow.doctor import Check, Verdict, examine
from tests.flow.fake_inventory import PagedPartnerCenter
from tests.flow.fakes import TARGET, FakeWorld
from tests.flow.stage import SE, START

NO = TenantId("no")
FIRST_UP = Reseller(tenant_id=TenantId("first-up"), partner_id="4847383", name="First Up", is_active=True)
REGIONS = RegionMap({"SE": "Europe", "NO": "Europe", "IE": "Europe", "US": "United States"})


@dataclass
class Offset:
    """A clock that is this far off."""

    offset_seconds: float = 0.0


class Practice:
    """Two sources and a target, all well."""

    def __init__(self) -> None:
        world = FakeWorld(clock=ManualClock(START))
        self.centers = {one: PagedPartnerCenter(one, world) for one in (SE, NO, TARGET)}
        self.clock = Offset()
        self.world = world
        self.models: dict[TenantId, BillingModel] = {}

    async def examine(self) -> list[Check]:
        """All checks."""
        tenants = [
            Tenant(id=one, key=one, role=TenantRole.TARGET if one == TARGET else TenantRole.SOURCE, name="", country="")
            for one in self.centers
        ]
        return await examine(tenants, self.centers, REGIONS, self.clock, self.models)

    async def bad(self) -> list[Check]:
        """Those that are not well."""
        return [one for one in await self.examine() if one.verdict is not Verdict.GOOD]


async def test_a_healthy_partner_has_only_good_checks():
    """Sign-in and role of each tenant, invitations at the target, region, clock."""
    checks = await Practice().examine()
    assert {one.verdict for one in checks} == {Verdict.GOOD}
    assert [one.subject for one in checks] == [
        "tenant 'se'", "tenant 'se'", "tenant 'no'", "tenant 'no'",
        "tenant 'target'", "tenant 'target'", "tenant 'target'", "region", "clock",
    ]  # fmt: skip


async def test_one_bad_tenant_does_not_hide_the_others():
    """Each problem is told with what to do."""
    practice = Practice()
    practice.centers[SE].broken["identity"] = AuthError("The secret has expired.", next_step="Make a new one.")
    practice.centers[NO].roles = frozenset({"HelpdeskAgents"})
    bad = await practice.bad()
    assert [(one.verdict, one.subject) for one in bad] == [
        (Verdict.FAILED, "tenant 'se'"),
        (Verdict.FAILED, "tenant 'no'"),
    ]
    assert (bad[0].detail, bad[0].next_step) == ("The secret has expired.", "Make a new one.")
    assert "HelpdeskAgents" in bad[1].detail


@pytest.mark.parametrize(
    ("roles", "good"),
    [
        (("AdminAgents",), 1),
        (("Global administrator",), 1),
        (("SalesAgents", "AdminAgents"), 1),
        (("SalesAgents",), 0),
        ((), 0),
    ],
    ids=str,
)
async def test_an_admin_agent_or_global_administrator_is_needed(roles: tuple[str, ...], good: int):
    """S-10: require Admin agent, accept Global admin."""
    practice = Practice()
    practice.centers[SE].roles = frozenset(roles)
    assert (await practice.bad() == []) is bool(good)


async def test_a_sign_in_of_another_tenant_is_told():
    """Before anything is read from the wrong book."""
    practice = Practice()
    practice.centers[SE].belongs_to = TenantId("somebody-else")
    (check,) = await practice.bad()
    assert check.verdict is Verdict.FAILED
    assert "somebody-else" in check.detail
    assert check.next_step


async def test_a_target_that_cannot_invite_is_told():
    """Only the target has to."""
    practice = Practice()
    practice.centers[SE].broken["relationship_url"] = RoleMissingError("Not you.")
    assert await practice.bad() == []
    practice.centers[TARGET].broken["relationship_url"] = RoleMissingError("Not you.")
    (check,) = await practice.bad()
    assert (check.subject, check.detail) == ("tenant 'target'", "Not you.")


@pytest.mark.parametrize(
    ("model", "resellers", "verdict"),
    [
        pytest.param(None, (), None, id="nothing to say"),
        pytest.param(BillingModel.DIRECT_BILL, (FIRST_UP,), Verdict.WARNING, id="the setting does not know them"),
        pytest.param(BillingModel.DIRECT_BILL, (replace(FIRST_UP, is_active=False),), None, id="none is active"),
        pytest.param(BillingModel.INDIRECT_PROVIDER, (FIRST_UP,), Verdict.GOOD, id="a provider"),
    ],
)
async def test_the_resellers_of_the_target_are_compared_with_its_setting(
    model: BillingModel | None, resellers: tuple[Reseller, ...], verdict: Verdict | None
):
    """R-220: the setting decides which links customers are sent."""
    practice = Practice()
    practice.world.resellers = resellers
    practice.models = {TARGET: model} if model else {}
    said = [one.verdict for one in await practice.examine() if "reseller" in one.detail]
    assert said == ([verdict] if verdict else [])


@pytest.mark.parametrize(
    ("model", "verdicts"), [(BillingModel.INDIRECT_PROVIDER, [Verdict.FAILED]), (BillingModel.BILLING_OWNER, [])]
)
async def test_resellers_that_cannot_be_read_matter_to_a_provider_only(model: BillingModel, verdicts: list[Verdict]):
    """A direct-bill partner has none to be told of."""
    practice = Practice()
    practice.models = {TARGET: model}
    practice.centers[TARGET].broken["resellers"] = RefusedError("Not for you.")
    assert [one.verdict for one in await practice.bad()] == verdicts


async def test_a_source_outside_the_region_is_told():
    """R-75: a consolidation cannot cross CSP regions."""
    practice = Practice()
    practice.centers[NO].home = "US"
    (check,) = await practice.bad()
    assert (check.verdict, check.subject) == (Verdict.FAILED, "tenant 'no'")
    assert "US" in check.detail


async def test_regions_are_not_judged_without_the_target():
    """What could not be read is not called good (invariant 9)."""
    practice = Practice()
    practice.centers[TARGET].broken["identity"] = AuthError("No token.")
    assert "region" not in [one.subject for one in await practice.examine()]


@pytest.mark.parametrize(
    ("seconds", "verdict", "word"),
    [
        (0.0, Verdict.GOOD, "behind"),
        (59.0, Verdict.GOOD, "59 s behind"),
        (-59.0, Verdict.GOOD, "59 s ahead of"),
        (3600.0, Verdict.WARNING, "3600 s behind"),
        (-60.0, Verdict.WARNING, "60 s ahead of"),
    ],
)
async def test_a_wrong_clock_is_a_warning(seconds: float, verdict: Verdict, word: str):
    """Nothing breaks, but the person should know."""
    practice = Practice()
    practice.clock = Offset(seconds)
    check = (await practice.examine())[-1]
    assert (check.subject, check.verdict) == ("clock", verdict)
    assert word in check.detail
