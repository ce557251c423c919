"""The choices of planning come from the settings, and the careful ones are the defaults."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tenantfold.bootstrap import billing_models_of, gdap_terms_of, plan_policy_of, policy_of, regions
from tenantfold.domain.facts import BillingModel
from tenantfold.domain.gdap import GdapTerms, GroupAccess
from tenantfold.domain.gdap_roles import ROLES
from tenantfold.domain.model import Tenant, TenantId, TenantRole
from tenantfold.domain.policy import AgreementSource, GovernmentCloud, PartialCustomers, PlanPolicy, Policy
from tenantfold.errors import ConfigError
from tenantfold.settings import BILLING_MODELS, BUYERS
from tests.test_config import SOURCE, TARGET, WHOLE, complaint, read


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


def test_whose_word_counts_for_the_agreement_is_known_to_planning_and_to_running(tmp_path: Path):
    """R-113: else a plan that attests nothing would be run by an engine that asks for a list."""
    settings = read(tmp_path, WHOLE + '[policy]\nagreement_source = "customer"\n')
    assert plan_policy_of(settings).agreement_source is AgreementSource.CUSTOMER
    assert policy_of(settings).agreement_source is AgreementSource.CUSTOMER


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


def test_how_each_tenant_is_billed_comes_from_the_settings(tmp_path: Path):
    """R-145, R-216: who answers the API is billed by Microsoft, unless the settings know it better."""
    target, source = (TenantId(one) for one in (TARGET, SOURCE))
    assert billing_models_of(read(tmp_path, WHOLE)) == dict.fromkeys((target, source), BillingModel.BILLING_OWNER)
    told = WHOLE.replace(
        "[[sources]]", 'billing_model = "indirect_provider"\n[[sources]]\nbilling_model = "indirect_reseller"'
    )
    assert billing_models_of(read(tmp_path, told)) == {
        target: BillingModel.INDIRECT_PROVIDER,
        source: BillingModel.INDIRECT_RESELLER,
    }


def test_the_settings_know_the_words_of_the_core():
    """One word for a thing: a model the settings do not offer could not be chosen."""
    assert set(BILLING_MODELS) == {one.value for one in BillingModel}
    assert set(BUYERS) == {one.value for one in BillingModel if one.owns_the_bill}


def test_a_reseller_is_never_the_target(tmp_path: Path):
    """R-216: it cannot buy; the sentence names what is allowed."""
    told = WHOLE.replace("[[sources]]", 'billing_model = "indirect_reseller"\n[[sources]]')
    error = complaint(tmp_path, told)
    assert 'target.billing_model is "indirect_reseller"' in error.message
    assert '"indirect_provider"' in error.message


def test_a_tenant_without_a_currency_pays_in_that_of_its_country():
    """R-89: the partner's location decides; what Partner Center says comes first."""
    tenant = Tenant(id=TenantId("t"), key="se", role=TenantRole.SOURCE, name="t", country="SE")
    assert regions().currency_of(tenant) == "SEK"
    assert regions().currency_of(replace(tenant, currency="EUR")) == "EUR"
    assert regions().currency_of(replace(tenant, country="")) == ""


def test_delegated_admin_access_is_asked_for_by_its_terms_only_where_the_policy_says_so(tmp_path: Path):
    """The default is no; with yes, roles and groups reach the core by their ids."""
    with pytest.raises(ConfigError, match=r"policy\.gdap_request is no"):
        gdap_terms_of(read(tmp_path, WHOLE))
    group = "11111111-1111-4111-8111-111111111111"
    wanted = f"roles = ['Global reader', '{ROLES['User administrator']}']\ngroups = ['{group}: global READER']\n"
    text = WHOLE + f"[policy]\ngdap_request = 'yes'\n[gdap]\n{wanted}duration_days = 90\n"
    terms = gdap_terms_of(read(tmp_path, text))
    assert terms == GdapTerms(
        roles=(ROLES["Global reader"], ROLES["User administrator"]),
        groups=(GroupAccess(group_id=group, roles=(ROLES["Global reader"],)),),
        duration_days=90,
    )


def test_where_the_admin_center_is_not_known_nobody_can_be_asked(tmp_path: Path):
    """In the government cloud its address has to be given."""
    text = WHOLE + "[policy]\ngdap_request = 'yes'\n[cloud]\nname = 'us_government'\n"
    with pytest.raises(ConfigError, match="admin center") as caught:
        gdap_terms_of(read(tmp_path, text))
    assert caught.value.next_step == "Set cloud.admin_center."
    assert gdap_terms_of(read(tmp_path, text + "admin_center = 'https://admin.example'\n")).duration_days == 730
