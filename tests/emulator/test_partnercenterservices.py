"""A client that somebody else generated from the service's own description works against the emulator.

``partnercenterservices`` (PyPI) takes any msrest credentials; it writes the version into the path as ``v1`` or ``v1.0``
and never raises on 400 to 404, it then returns None.
"""

from __future__ import annotations

import warnings

import pytest

from partner_center_emulator.emulator import Emulator
from tests.emulator.conftest import access_token
from tests.emulator.small_world import ALFA, PLAIN_OFFER, STRANGER

with warnings.catch_warnings():
    # the client is from 2019: its imports and regular expressions raise deprecation warnings
    warnings.simplefilter("ignore")
    from microsoft.store.partnercenterservices import MicrosoftPartnerStoreApis, models
    from msrest.authentication import BasicTokenAuthentication

pytestmark = pytest.mark.filterwarnings("ignore")


@pytest.fixture
def apis(emulator_server: Emulator) -> MicrosoftPartnerStoreApis:
    """Return the client, signed in to the Swedish tenant of the served emulator."""
    token = access_token(emulator_server, "se")
    return MicrosoftPartnerStoreApis(
        BasicTokenAuthentication({"access_token": token}), emulator_server.options.base_url
    )


def buy(apis: MicrosoftPartnerStoreApis, quantity: int = 5) -> models.MicrosoftPartnerSdkContractsV1Order:
    """Order the plain offer for Alfa and return the order."""
    line = models.MicrosoftPartnerSdkContractsV1OrderLineItem(
        line_item_number=0, offer_id=PLAIN_OFFER, friendly_name="Bought by SDK", quantity=quantity
    )
    order = models.MicrosoftPartnerSdkContractsV1Order(
        reference_customer_id=ALFA, billing_cycle="monthly", line_items=[line]
    )
    return apis.postvversioncustomerscustomer.idorders(ALFA, order, "1")


def test_it_lists_and_reads_customers(apis: MicrosoftPartnerStoreApis):
    """List, filter and read one customer, with either spelling of the version."""
    listed = apis.getvversioncustomersfilterfilter.value("1", size=2)
    narrowed = apis.getvversioncustomersfilterfilter.value(
        "1.0", filter='{"Field":"CompanyName","Operator":"StartsWith","Value":"alfa"}'
    )
    read = apis.getvversioncustomerscustomer.id(ALFA, "1")
    assert [row.company_profile.company_name for row in listed.items] == ["Alfa Bygg AB", "Bravo <b>& Co</b>"]
    assert listed.links.next.headers[0].key == "MS-ContinuationToken"
    assert [row.id for row in narrowed.items] == [ALFA]
    assert (read.id, read.billing_profile.culture) == (ALFA, "sv-SE")


def test_it_orders_reads_and_suspends(apis: MicrosoftPartnerStoreApis, emulator_server: Emulator):
    """An order is completed at once; its subscription is read, suspended, and listed as suspended."""
    order = buy(apis)
    assert (order.status, order.currency_code) == ("completed", "SEK")
    subscription_id = order.line_items[0].subscription_id
    subscription = apis.getvversioncustomerscustomer.id6(ALFA, subscription_id, "1")
    assert (subscription.status, subscription.quantity, subscription.friendly_name) == ("active", 5, "Bought by SDK")
    subscription.status = "suspended"
    changed = apis.patchvversioncustomerscustomer.id4(ALFA, subscription_id, subscription, "1")
    assert changed.status == "suspended"
    listed = apis.getvversioncustomerscustomer.value9(ALFA, "1")
    assert [(row.id, row.status) for row in listed.items] == [(subscription.id, "suspended")]
    assert [row.status for row in emulator_server.world.subscriptions.values()] == ["suspended"]


def test_it_reads_orders_offers_and_profiles(apis: MicrosoftPartnerStoreApis):
    """The order by id and in the list, the catalog of a country, and the organization profile."""
    order = buy(apis)
    assert apis.getvversioncustomerscustomer.id5(ALFA, order.id, "1").line_items[0].quantity == 5
    assert [row.id for row in apis.getvversioncustomerscustomer.value7(ALFA, "1").items] == [order.id]
    offers = apis.getvversionofferscountrycountry.value("1", "SE")
    assert "Plain Plan" in [row.name for row in offers.items]
    assert apis.getvversionprofilesorganization("1").domain == "foldse.onmicrosoft.com"


def test_its_silence_on_errors_is_the_service_s_refusal(apis: MicrosoftPartnerStoreApis):
    """The client returns None where the service says 404; the raw answer has the form."""
    raw = apis.getvversioncustomerscustomer.id(STRANGER, "1", raw=True)
    assert (raw.output, raw.response.status_code, raw.response.json()["code"]) == (None, 404, 60003)
