"""The place that is checked (report room): its addresses, tokens, and a few things that exist there."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import cast
from uuid import uuid4

import httpx2
import msgspec

Json = dict[str, object]
_BOM = b"\xef\xbb\xbf"


class NotMetError(Exception):
    """A check found something else than what is documented; the text says what."""


class NotTriedError(Exception):
    """A check cannot be made here, for want of a token or of something to look at; the text says what is missing."""


class Access(msgspec.Struct, kw_only=True):
    """Tokens and addresses, as a token file holds them; an empty token means that checks with it are not tried."""

    partner_token: str
    app_token: str = ""
    graph_token: str = ""
    authority: str = "https://login.microsoftonline.com"
    graph_url: str = "https://graph.microsoft.com"
    tenant: str = ""
    client_id: str = ""


class Known(msgspec.Struct, kw_only=True):
    """What exists on the site, found by reading; empty where there is none."""

    customer: str = ""
    company_name: str = ""
    country: str = ""
    subscription: str = ""
    offer: str = ""
    unsigned_customer: str = ""


class Answer:
    """One answer, with its JSON read past a byte order mark."""

    def __init__(self, response: httpx2.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.raw = response.content

    @property
    def json(self) -> object:
        """The body's JSON; raises NotMetError if it is none."""
        try:
            return cast("object", msgspec.json.decode(self.raw.removeprefix(_BOM)))
        except msgspec.DecodeError:
            raise NotMetError("The answer is not JSON.") from None

    @property
    def members(self) -> Json:
        """The body as an object; raises NotMetError if it is something else."""
        found = self.json
        if not isinstance(found, dict):
            raise NotMetError("The answer is not an object.")
        return cast("Json", found)

    @property
    def items(self) -> list[Json]:
        """The items of a collection; raises NotMetError if there is no list of objects."""
        found = self.members.get("items")
        if not isinstance(found, list):
            raise NotMetError("The answer has no items.")
        return cast("list[Json]", found)


class Site:
    """One site with a client, tokens and known things."""

    def __init__(self, client: httpx2.AsyncClient, access: Access, known: Known | None = None) -> None:
        self.client = client
        self.access = access
        self.known = known or Known()

    async def call(
        self,
        method: str,
        path: str,
        *,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """Send one call, as the user unless ``token`` says otherwise ("" = no token)."""
        token = self.access.partner_token if token is None else token
        sent = {"MS-RequestId": str(uuid4()), "MS-CorrelationId": str(uuid4()), "Accept": "application/json"}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        sent.update(headers or {})
        content = None if body is None else msgspec.json.encode(body)
        if content is not None:
            sent["Content-Type"] = "application/json"
        response = await self.client.request(method, path, content=content, headers=sent, data=form)
        return Answer(response)

    async def get(self, path: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Read ``path`` as the user."""
        return await self.call("GET", path, headers=headers)

    def customer(self) -> str:
        """Return the path of a customer; raises NotTriedError if there is none."""
        return f"/v1/customers/{need(self.known.customer, 'a customer')}"

    def subscription(self) -> str:
        """Return the path of a subscription; raises NotTriedError if there is none."""
        return f"{self.customer()}/subscriptions/{need(self.known.subscription, 'a subscription')}"


def need(value: str, what: str) -> str:
    """Return ``value``; raises NotTriedError if it is empty."""
    if not value:
        raise NotTriedError(f"There is not {what} to look at.")
    return value


def expect(met: bool, sentence: str) -> None:  # noqa: FBT001 - reads like an assertion
    """Raise NotMetError with ``sentence`` unless ``met``."""
    if not met:
        raise NotMetError(sentence)


def expect_refusal(answer: Answer, status: int, *codes: int) -> None:
    """Raise NotMetError unless this is a refusal with ``status``, one of ``codes`` (if any), and a description."""
    expect(answer.status == status, f"The status is {answer.status}, not {status}.")
    members = answer.members
    expect(bool(members.get("description") or members.get("message")), "The refusal has no description.")
    code = str(members.get("code", ""))
    expect(not codes or code in map(str, codes), f"The code is {code or 'absent'}, not {' or '.join(map(str, codes))}.")


async def emulator_access(client: httpx2.AsyncClient) -> Access:
    """Return access to a running emulator, from its own sheet of credentials; raises httpx2.HTTPError."""
    sheet = (await client.get("/_emulator/credentials")).raise_for_status().json()
    tenant = next((row for row in sheet["tenants"] if row["role"] == "source"), sheet["tenants"][0])
    url = f"{sheet['authority']}/{tenant['id']}/oauth2/token"
    who = {"client_id": tenant["client_id"], "client_secret": tenant["client_secret"]}
    renewed = {**who, "grant_type": "refresh_token", "refresh_token": tenant["refresh_token"]}
    forms = (
        {**renewed, "resource": sheet["partner_center_resource"]},
        {**who, "grant_type": "client_credentials", "resource": sheet["partner_center_resource"]},
        {**renewed, "resource": sheet["graph_url"]},
    )
    tokens = [(await client.post(url, data=form)).raise_for_status().json()["access_token"] for form in forms]
    return Access(
        partner_token=tokens[0],
        app_token=tokens[1],
        graph_token=tokens[2],
        authority=sheet["authority"],
        graph_url=sheet["graph_url"],
        tenant=tenant["id"],
        client_id=tenant["client_id"],
    )


def file_access(path: Path) -> Access:
    """Return the access written in a JSON file; raises OSError and msgspec.ValidationError."""
    return msgspec.json.decode(path.read_bytes(), type=Access)


async def explore(site: Site) -> Known:
    """Find a customer with a subscription by reading at most the first ten customers."""
    known = site.known
    for row in (await site.get("/v1/customers?size=10")).items:
        customer = str(row["id"])
        if not known.customer:
            known.customer = customer
            known.company_name = str(cast("Json", row["companyProfile"])["companyName"])
        held = (await site.get(f"/v1/customers/{customer}/subscriptions")).items
        active = [one for one in held if one.get("status") == "active" and not one.get("isTrial")]
        if active:
            known.customer, known.subscription = customer, str(active[0]["id"])
            known.company_name = str(cast("Json", row["companyProfile"])["companyName"])
            known.offer = str(active[0]["offerId"])
            break
    profile = (await site.get("/v1/profiles/organization")).members
    known.country = str(cast("Json", profile.get("defaultAddress") or {}).get("country", ""))
    return known
