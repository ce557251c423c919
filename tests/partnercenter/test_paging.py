"""Next links: what they may say, and where they may lead."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tenantfold.domain.model import CustomerId
from tenantfold.errors import UnexpectedAnswerError
from tenantfold.partnercenter import PartnerCenterClient
from tenantfold.partnercenter.paging import following, pack, target_of, unpack
from tenantfold.partnercenter.wire import Header, Link
from tenantfold.partnercenter.wire_routes import CUSTOMERS
from tests.partnercenter.fake_microsoft import BASE, FakeMicrosoft, listing, reply


@pytest.mark.parametrize(
    "uri",
    [
        "/customers?size=500&seekOperation=Next",
        "customers?size=500&seekOperation=Next",
        "/v1/customers?size=500&seekOperation=Next",
        "v1/customers?size=500&seekOperation=Next",
        "//customers?size=500&seekOperation=Next",
        "/v1//customers?size=500&seekOperation=Next",
        "/v1//v1/customers?size=500&seekOperation=Next",
        f"{BASE}/v1/customers?size=500&seekOperation=Next",
    ],
)
def test_reads_every_way_a_link_was_ever_written(uri: str):
    """With or without the version in front, once or twice (core reference 2.3)."""
    assert target_of(uri, BASE) == "/v1/customers?size=500&seekOperation=Next"


@pytest.mark.parametrize("uri", ["https://evil.example/v1/customers", "http://partner.example/v1/customers"])
def test_follows_no_link_to_another_host(uri: str):
    """Our token would go there."""
    with pytest.raises(UnexpectedAnswerError):
        target_of(uri, BASE)


def test_an_address_in_the_query_is_no_other_host():
    """Filters may hold anything."""
    assert target_of("/customers?filter=https://x", BASE) == "/v1/customers?filter=https://x"


headers = st.lists(st.builds(Header, key=st.text(min_size=1), value=st.text()), max_size=3)


@given(st.builds(Link, uri=st.text(), headers=st.none() | headers))
def test_a_packed_link_comes_back_whole(link: Link):
    """What is kept in the database leads to the same page after a crash."""
    assert unpack(pack(link)) == link


@pytest.mark.parametrize("text", ["", "{", "https://x", '{"headers":[]}'])
def test_a_damaged_link_is_noticed(text: str):
    """Better start the list again than read some other page."""
    with pytest.raises(UnexpectedAnswerError):
        unpack(text)


def test_a_link_cannot_replace_our_own_headers():
    """Only what paging needs is taken over."""
    link = Link(
        uri="/customers",
        headers=[Header(key="authorization", value="x"), Header(key="MS-ContinuationToken", value="y")],
    )
    assert following(CUSTOMERS, link, BASE).headers == {"MS-ContinuationToken": "y"}


async def test_reads_a_list_over_more_than_two_pages(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """Subscriptions are not paged today; if they ever are, none gets lost."""
    item = {"status": "active", "quantity": 1}
    pages = [listing({"id": f"s{n}", **item}, next_link={"uri": f"/customers/c/subscriptions?p={n}"}) for n in "12"]
    microsoft.on("GET", "/v1/customers/c/subscriptions", *pages, listing({"id": "s3", **item}))
    reads = await client.subscriptions(CustomerId("c"))
    assert [read.value.id for read in reads] == ["s1", "s2", "s3"]


async def test_notices_a_circle_of_two_pages(client: PartnerCenterClient, microsoft: FakeMicrosoft):
    """A token that comes back later is a circle as well."""
    links = [{"uri": f"/customers?p={n}"} for n in "1212"]
    microsoft.on("GET", "/v1/customers", *(listing({"id": "a"}, next_link=link) for link in links))
    with pytest.raises(UnexpectedAnswerError, match="twice"):
        _ = [read async for read in client.customers()]
    assert len(microsoft.requests) == 3


async def test_a_page_that_fails_in_the_middle_fails_the_whole_list(
    client: PartnerCenterClient, microsoft: FakeMicrosoft
):
    """Half a list of subscriptions must never look like all of them (invariant 9)."""
    first = listing(
        {"id": "s1", "status": "active", "quantity": 1}, next_link={"uri": "/customers/c/subscriptions?p=2"}
    )
    microsoft.on("GET", "/v1/customers/c/subscriptions", first, reply({"statusCode": 404, "message": "gone"}, 404))
    with pytest.raises(Exception, match="404"):
        await client.subscriptions(CustomerId("c"))
