"""The table of rules section E: every row with a subscription that goes this way, and a neighbor that does not."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, timedelta

import pytest

from tenantfold.domain.alternatives import Alternative, Confidence, WeighedRoute, weigh
from tenantfold.domain.facts import BillingModel
from tenantfold.domain.model import ModernTerms, Route, Subscription
from tenantfold.domain.routes import Choice, Market, billed, choose, days_of_grace, facts_of, rebuy_until
from tests.domain.samples import NOW, TODAY, later, source

YESTERDAY = TODAY - timedelta(days=1)
NEW = source(offer_id="CFQ7TTC0LF8S:0002:CFQ7TTC0K971", product_type="OnlineServicesNCE", modern=ModernTerms())
AZURE_PLAN = source(offer_id="DZH318Z0BPS6:0001:DZH318Z0BMTV", product_type="Azure", billing_type="usage")
RESERVATION = source(offer_id="DZH318Z08B8X:0001:DZH318Z0BMTV", product_type="AzureReservation")
SAVINGS_PLAN = source(offer_id="DZH318Z08C2X:0001:DZH318Z0BMTV", product_type="AzureSavingsPlan")
LEGACY_AZURE = source(offer_id="MS-AZR-0145P", billing_type="usage")
SOFTWARE = source(
    offer_id="DG7GMGF0D5RK:0005:DG7GMGF0DVT7", product_type="Software", term_duration="P1Y", commitment_end_on=TODAY
)
PERPETUAL = source(offer_id="DG7GMGF0FLR2:0002:DG7GMGF0DVSV", product_type="Software", license_count=1)
SAAS = source(offer_id="DZH318Z0HWVC:0001:DZH318Z0MXXX", product_type="SaaS")
EUROPE = Market(today=TODAY, in_region=True, billing_owners=True, source_currency="SEK", target_currency="EUR")
TO_PROVIDER = billed(EUROPE, BillingModel.INDIRECT_RESELLER, BillingModel.INDIRECT_PROVIDER)
FROM_RESELLER = billed(EUROPE, BillingModel.INDIRECT_RESELLER, BillingModel.DIRECT_BILL)
BETWEEN_PROVIDERS = billed(EUROPE, BillingModel.INDIRECT_PROVIDER, BillingModel.INDIRECT_PROVIDER)


@dataclass(frozen=True)
class Row:
    """One row of section E, or a rule that bends it: who goes this way, and the nearest neighbor that goes another."""

    about: str
    route: Route
    rule: str
    goes: Subscription
    other: Subscription
    market: Market = EUROPE
    other_market: Market = EUROPE
    transferable: bool | None = True

    def __str__(self) -> str:
        """The test's name."""
        return f"{self.rule} {self.about}: {self.route.value}"


ROWS = [
    Row("new-commerce license", Route.TRANSFER, "R-145", NEW, source()),
    Row(
        "new-commerce license that cannot be transferred",
        Route.EXPIRE_AND_REBUY,
        "R-132",
        NEW,
        NEW,
        transferable=False,
    ),
    Row(
        "new-commerce license in its days of grace",
        Route.EXPIRE_AND_REBUY,
        "R-132",
        replace(NEW, wire_status="expired", commitment_end_on=YESTERDAY),
        replace(NEW, wire_status="expired", commitment_end_on=TODAY - timedelta(days=31)),
    ),
    Row("legacy license", Route.RECREATE, "R-27", source(), NEW),
    Row("legacy add-on, with its base", Route.RECREATE, "R-27", source(parent_id="s0"), NEW),
    Row("legacy license, direct-bill to provider", Route.MANUAL, "R-156", source(), source(), market=TO_PROVIDER),
    Row(
        "legacy Azure, direct-bill to provider",
        Route.MANUAL,
        "R-156",
        LEGACY_AZURE,
        AZURE_PLAN,
        market=TO_PROVIDER,
        other_market=TO_PROVIDER,
    ),
    Row(
        "legacy license between two providers",
        Route.RECREATE,
        "R-27",
        source(),
        source(),
        market=BETWEEN_PROVIDERS,
        other_market=TO_PROVIDER,
    ),
    Row(
        "legacy license of another's reseller",
        Route.MANUAL,
        "R-216",
        source(),
        source(),
        market=FROM_RESELLER,
        other_market=TO_PROVIDER,
    ),
    Row("legacy Azure of another's reseller", Route.MANUAL, "R-216", LEGACY_AZURE, LEGACY_AZURE, market=FROM_RESELLER),
    Row("Azure plan", Route.AZURE_TRANSFER, "R-164", AZURE_PLAN, LEGACY_AZURE),
    Row("reservation", Route.AZURE_TRANSFER, "R-168", RESERVATION, replace(RESERVATION, wire_status="deleted")),
    Row("savings plan", Route.AZURE_TRANSFER, "R-168", SAVINGS_PLAN, replace(SAVINGS_PLAN, wire_status="suspended")),
    Row("legacy Azure", Route.AZURE_SUPPORT, "R-46", LEGACY_AZURE, AZURE_PLAN),
    Row("software subscription", Route.MANUAL, "R-151", SOFTWARE, replace(SOFTWARE, wire_status="suspended")),
    Row("perpetual software", Route.MANUAL, "R-151", PERPETUAL, replace(PERPETUAL, wire_status="deleted")),
    Row("marketplace", Route.MANUAL, "R-169", SAAS, NEW),
    Row("legacy trial", Route.SKIP, "R-151", source(is_trial=True), source()),
    Row("new-commerce trial", Route.SKIP, "R-151", replace(NEW, is_trial=True), NEW),
    Row("suspended legacy license", Route.SKIP, "R-134", source(wire_status="suspended"), source()),
    Row("deleted", Route.SKIP, "R-134", replace(NEW, wire_status="deleted"), NEW),
    Row("disabled", Route.SKIP, "R-134", replace(NEW, wire_status="disabled"), NEW),
    Row(
        "suspended new commerce",
        Route.KEEP,
        "R-135",
        replace(NEW, wire_status="suspended"),
        source(wire_status="suspended"),
    ),
    Row("another region", Route.KEEP, "R-85", source(), source(), market=replace(EUROPE, in_region=False)),
    Row("a reseller's tenant", Route.MANUAL, "R-216", NEW, NEW, market=FROM_RESELLER, other_market=BETWEEN_PROVIDERS),
    Row("a reseller's Azure", Route.MANUAL, "R-216", AZURE_PLAN, AZURE_PLAN, market=TO_PROVIDER),
    Row(
        "a license in a cloud without transfers",
        Route.EXPIRE_AND_REBUY,
        "R-132",
        NEW,
        NEW,
        market=replace(EUROPE, transfers=False),
    ),
    Row(
        "Azure in a cloud without transfers",
        Route.MANUAL,
        "commerce 4.1",
        AZURE_PLAN,
        AZURE_PLAN,
        market=replace(EUROPE, transfers=False),
    ),
    Row(
        "a reservation in a cloud without transfers",
        Route.MANUAL,
        "commerce 4.1",
        RESERVATION,
        RESERVATION,
        market=replace(EUROPE, transfers=False),
    ),
    Row("unknown kind", Route.MANUAL, "R-227", source(billing_type="benefit"), source()),
    Row(
        "suspended, unknown kind",
        Route.MANUAL,
        "R-227",
        source(billing_type="benefit", wire_status="suspended"),
        source(),
    ),
    Row("unknown status", Route.MANUAL, "R-227", source(wire_status="frozen"), source()),
    Row("status in another spelling", Route.MANUAL, "R-227", source(wire_status="Active"), source()),
    Row("no status", Route.MANUAL, "R-227", source(wire_status=""), source()),
    Row("pending", Route.MANUAL, "R-227", replace(NEW, wire_status="pending"), NEW),
]


SECTION_E = (  # every line of the table in the rules, in its order
    ("new-commerce license",),
    ("new-commerce license that cannot be transferred", "new-commerce license in its days of grace"),
    ("legacy license",),
    ("legacy license, direct-bill to provider",),
    ("Azure plan", "reservation", "savings plan"),
    ("legacy Azure",),
    ("perpetual software", "software subscription", "marketplace", "legacy trial", "new-commerce trial"),
)


def _choice(subscription: Subscription, market: Market = EUROPE, *, transferable: bool | None = True) -> Choice:
    return choose(facts_of(subscription, transferable), market)


def _weighed(subscription: Subscription, market: Market = EUROPE, *, transferable: bool | None = True) -> WeighedRoute:
    return weigh(facts_of(subscription, transferable), market)


def test_every_route_has_a_row():
    """A route that nothing goes by would not be a route."""
    assert {row.route for row in ROWS} == set(Route)


def test_every_line_of_section_e_has_its_rows():
    """A line that no row is about would be covered by nobody."""
    assert {about for line in SECTION_E for about in line} <= {row.about for row in ROWS}


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_goes_this_way(row: Row):
    """With the rule that leads, and a reason."""
    choice = _choice(row.goes, row.market, transferable=row.transferable)
    assert (choice.route, choice.rules[0]) == (row.route, row.rule)
    assert choice.why


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_the_neighbor_goes_another_way(row: Row):
    """The nearest subscription for which the row does not hold."""
    choice = _choice(row.other, row.other_market)
    assert (choice.route, choice.rules[0]) != (row.route, row.rule)


def _instead(route: Route, subscription: Subscription, market: Market = EUROPE) -> Alternative:
    """What is said of a route that was not chosen."""
    (found,) = [one for one in _weighed(subscription, market).alternatives if one.route is route]
    return found


def test_a_legacy_transfer_is_named_and_declined():
    """Section I: the legacy transfer is for partners that became resellers, so a legacy license is ordered again."""
    legacy = _instead(Route.TRANSFER, source())
    assert not legacy.is_possible
    assert legacy.rules[0] == "R-156"


def test_what_goes_to_its_provider_is_not_ordered_again():
    """R-216: a reseller can neither order nor suspend, so both would be billed; its provider acts, and says so."""
    for market in (TO_PROVIDER, FROM_RESELLER):
        recreate = _instead(Route.RECREATE, source(), market)
        assert (recreate.is_possible, recreate.rules[0]) == (False, "R-216")
        assert not _instead(Route.TRANSFER, source(), market).is_possible
        support = _instead(Route.AZURE_SUPPORT, LEGACY_AZURE, market)
        assert (support.is_possible, support.rules[0]) == (False, "R-177")
    assert "a person requests" in _instead(Route.TRANSFER, source(), TO_PROVIDER).why


def test_legacy_azure_could_go_by_the_transfer_of_azure_plans():
    """R-170: the same tool converts it to an Azure plan; a legacy license it does not take."""
    transfer = _instead(Route.AZURE_TRANSFER, LEGACY_AZURE)
    assert (transfer.is_possible, transfer.rules[0]) == (True, "R-170")
    assert "becomes an Azure plan" in transfer.why
    assert not _instead(Route.AZURE_TRANSFER, source()).is_possible
    assert not _instead(Route.AZURE_TRANSFER, LEGACY_AZURE, FROM_RESELLER).is_possible
    assert not _instead(Route.AZURE_TRANSFER, LEGACY_AZURE, replace(EUROPE, transfers=False)).is_possible


@pytest.mark.parametrize("source_model", [None, *BillingModel], ids=str)
@pytest.mark.parametrize("target_model", [None, *BillingModel], ids=str)
def test_how_both_tenants_are_billed_decides_who_may_transfer(
    source_model: BillingModel | None, target_model: BillingModel | None
):
    """R-145: any combination of billing owners; one that is not known leaves it open (invariant 9)."""
    market = billed(Market(), source_model, target_model)
    reseller = BillingModel.INDIRECT_RESELLER
    known = source_model is not None and target_model is not None
    assert market.billing_owners is (reseller not in {source_model, target_model} if known else None)
    to_provider = (source_model, target_model) == (reseller, BillingModel.INDIRECT_PROVIDER)
    assert market.to_provider is (to_provider if known else None)


def test_where_there_are_no_transfers_none_is_called_possible():
    """US Government: the API answers 900138, so neither kind of transfer is offered as a way out."""
    for held in (NEW, AZURE_PLAN):
        others = _weighed(held, replace(EUROPE, transfers=False)).alternatives
        assert not [one for one in others if one.is_possible and one.route in {Route.TRANSFER, Route.AZURE_TRANSFER}]


def test_new_commerce_is_not_recreated_because_its_bill_would_not_stop():
    """The reason against it names the overlap it would cost, and the window in which it may still be canceled (S-1)."""
    held = replace(
        NEW, commitment_end_on=TODAY + timedelta(days=90), modern=ModernTerms(cancellable_until=later(days=2))
    )
    (recreate,) = [one for one in _weighed(held).alternatives if one.route is Route.RECREATE]
    assert not recreate.is_possible
    assert recreate.rules[0] == "R-135"
    assert recreate.cost is not None
    assert recreate.cost.overlap_days == 90
    assert "2026-03-04 08:00 UTC" in recreate.why


def test_the_cost_of_waiting_is_told_in_days():
    """Expiry costs the rest of the term, the promotion, and today's price in the other currency."""
    held = replace(NEW, commitment_end_on=TODAY + timedelta(days=40), modern=ModernTerms(promotion_id="promo"))
    (expiry,) = [one for one in _weighed(held).alternatives if one.route is Route.EXPIRE_AND_REBUY]
    assert expiry.is_possible
    assert expiry.cost is not None
    assert (expiry.cost.overlap_days, expiry.cost.days_to_wait, expiry.cost.loses_promotion) == (0, 40, True)
    assert expiry.cost.words() == "40 days to wait; promotion lost; today's price not known; SEK becomes EUR"


def test_what_is_not_known_is_said_to_be_unknown():
    """Neither days nor currency nor promotion are guessed (invariant 9)."""
    weighed = _weighed(replace(NEW, modern=None), Market(in_region=True), transferable=None)
    (expiry,) = [one for one in weighed.alternatives if one.route is Route.EXPIRE_AND_REBUY]
    assert expiry.cost is not None
    said = "unknown days to wait; promotion not known; today's price not known; currency not known"
    assert expiry.cost.words() == said
    assert weighed.confidence is Confidence.FACTS_MISSING


def test_what_is_bought_again_has_its_price_and_nothing_else_has():
    """A transfer keeps its price (R-149); the source's own price is nobody's to tell."""
    weighed = weigh(facts_of(NEW, None), EUROPE, price="price 5 x 12.50 = 62.50 EUR a month")
    priced = {one.route for one in weighed.alternatives if one.cost is not None and "62.50 EUR" in one.cost.words()}
    assert priced == {Route.RECREATE, Route.EXPIRE_AND_REBUY}
    assert "62.50" not in weighed.cost.words()
    assert "62.50 EUR" in weigh(facts_of(source()), EUROPE, price="price 5 x 12.50 = 62.50 EUR a month").cost.words()


@pytest.mark.parametrize(
    ("subscription", "route"),
    [
        pytest.param(NEW, Route.EXPIRE_AND_REBUY, id="a transfer"),
        pytest.param(LEGACY_AZURE, Route.AZURE_TRANSFER, id="through support"),
        pytest.param(source(), Route.MANUAL, id="a legacy license has only people"),
        pytest.param(source(wire_status="frozen"), Route.KEEP, id="what nobody knows stays"),
        pytest.param(source(wire_status="deleted"), None, id="what is over needs none"),
    ],
)
def test_the_best_alternative_needs_no_person_where_there_is_one(subscription: Subscription, route: Route | None):
    """Staying at the source comes last, and what is not possible never."""
    best = _weighed(subscription, transferable=None).best_alternative()
    assert (best.route if best else None) is route


@pytest.mark.parametrize(
    ("subscription", "market", "confidence"),
    [
        pytest.param(source(), EUROPE, Confidence.DOCUMENTED, id="legacy license"),
        pytest.param(source(), replace(EUROPE, in_region=None), Confidence.FACTS_MISSING, id="country unknown"),
        pytest.param(NEW, EUROPE, Confidence.PARTLY_CONFIRMED, id="transfer"),
        pytest.param(NEW, replace(EUROPE, billing_owners=None), Confidence.FACTS_MISSING, id="billing unknown"),
        pytest.param(AZURE_PLAN, EUROPE, Confidence.DOCUMENTED, id="Azure plan"),
        pytest.param(LEGACY_AZURE, EUROPE, Confidence.PARTLY_CONFIRMED, id="legacy Azure"),
        pytest.param(source(wire_status="frozen"), EUROPE, Confidence.FACTS_MISSING, id="status unknown"),
        pytest.param(source(wire_status="deleted"), EUROPE, Confidence.DOCUMENTED, id="over"),
    ],
)
def test_says_how_sure_it_is(subscription: Subscription, market: Market, confidence: Confidence):
    """A documented rule on a fact that nobody looked up is a guess, and is called one."""
    assert _weighed(subscription, market).confidence is confidence


@pytest.mark.parametrize(
    ("ends_on", "days"),
    [(date(2026, 5, 3), 30), (date(2026, 5, 4), 30), (date(2026, 5, 5), 0), (date(2027, 1, 1), 0)],
)
def test_days_of_grace_ended_in_may_2026(ends_on: date, days: int):
    """Commerce reference 3.7: terms that end after 4 May 2026 have no free days after them."""
    assert days_of_grace(ends_on) == days
    assert rebuy_until(ends_on) == ends_on + timedelta(days=days)


def test_without_a_known_end_no_day_of_grace_is_promised():
    """Nobody knows until when it can be bought again."""
    assert rebuy_until(None) is None
    assert _choice(replace(NEW, wire_status="expired", commitment_end_on=None)).route is Route.EXPIRE_AND_REBUY


def test_azure_says_what_a_currency_does_to_reservations():
    """R-168, also where a currency is not known."""
    for market in (EUROPE, replace(EUROPE, source_currency="")):
        assert "R-168" in _weighed(AZURE_PLAN, market).cost.words()
    assert "R-168" not in _weighed(AZURE_PLAN, replace(EUROPE, source_currency="EUR")).cost.words()
    assert NOW.date() == TODAY
