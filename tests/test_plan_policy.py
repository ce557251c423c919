"""The choices of planning come from the settings, and the careful ones are the defaults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from tenantfold.bootstrap import plan_policy_of, policy_of, regions
from tenantfold.domain.model import Tenant, TenantId, TenantRole
from tenantfold.domain.policy import AgreementSource, GovernmentCloud, PartialCustomers, PlanPolicy, Policy
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


def test_a_run_does_nothing_beside_the_plan_unless_it_is_said(tmp_path: Path):
    """Nothing is bought, canceled or asked of Microsoft's support by default; the settings' defaults are the core's."""
    policy = policy_of(read(tmp_path, WHOLE))
    assert policy == Policy()
    assert not any((policy.buys_azure_plan, policy.cleans_azure_default, policy.opens_service_requests))


def test_each_choice_of_the_other_routes_reaches_the_core(tmp_path: Path):
    """From the file: how often is looked, what is done without a person, and when a person is reminded."""
    policy = policy_of(
        read(
            tmp_path,
            WHOLE + "[policy]\ntransfer_poll_seconds = 60\nhand_off_poll_seconds = 3600.5\nbuys_azure_plan = 'yes'\n"
            "cleans_azure_default = 'yes'\nopens_service_requests = 'yes'\nreminds_days_before_end = 30\n"
            "refused_retry_seconds = 86400\n",
        )
    )
    assert policy == Policy(
        transfer_poll_seconds=60.0,
        hand_off_poll_seconds=3600.5,
        buys_azure_plan=True,
        cleans_azure_default=True,
        opens_service_requests=True,
        reminds_days_before_end=30,
        refused_retry_seconds=86_400.0,
    )


def test_a_tenant_without_a_currency_pays_in_that_of_its_country():
    """R-89: the partner's location decides; what Partner Center says comes first."""
    tenant = Tenant(id=TenantId("t"), key="se", role=TenantRole.SOURCE, name="t", country="SE")
    assert regions().currency_of(tenant) == "SEK"
    assert regions().currency_of(replace(tenant, currency="EUR")) == "EUR"
    assert regions().currency_of(replace(tenant, country="")) == ""
