"""The choices of planning come from the settings, and the careful ones are the defaults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tenantfold.bootstrap import plan_policy_of, regions
from tenantfold.domain.model import Tenant, TenantId, TenantRole
from tenantfold.domain.policy import AgreementSource, GovernmentCloud, PartialCustomers, PlanPolicy
from tests.test_config import WHOLE, read


def test_the_defaults_are_the_careful_choices(tmp_path: Path):
    """Only plan in the government cloud, attest what the list says, no GDAP request, all of a customer or nothing."""
    assert plan_policy_of(read(tmp_path, WHOLE)) == PlanPolicy()
    careful = PlanPolicy()
    assert careful.us_government is GovernmentCloud.PLAN_ONLY
    assert careful.partial_customers is PartialCustomers.ALL_OR_NOTHING
    assert not careful.gdap_request


def test_each_choice_can_be_made(tmp_path: Path):
    """As texts of the settings file."""
    settings = read(tmp_path, WHOLE)
    bold = replace(
        settings.policy,
        us_government="move",
        agreement_source="customer",
        gdap_request="yes",
        partial_customers="allowed",
    )
    assert plan_policy_of(replace(settings, policy=bold)) == PlanPolicy(
        us_government=GovernmentCloud.MOVE,
        agreement_source=AgreementSource.CUSTOMER,
        gdap_request=True,
        partial_customers=PartialCustomers.ALLOWED,
    )


def test_a_tenant_without_a_currency_pays_in_that_of_its_country():
    """R-89: the partner's location decides; what Partner Center says comes first."""
    tenant = Tenant(id=TenantId("t"), key="se", role=TenantRole.SOURCE, name="t", country="SE")
    assert regions().currency_of(tenant) == "SEK"
    assert regions().currency_of(replace(tenant, currency="EUR")) == "EUR"
    assert regions().currency_of(replace(tenant, country="")) == ""
