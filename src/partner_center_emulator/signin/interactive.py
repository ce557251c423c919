"""Sign-ins that need a person: authorization codes and device codes (core reference 1.3).

The pages of ``page.py`` end here; the token endpoint redeems what came of them. Everything lives in
``world.people``, so that a snapshot taken in the middle of a sign-in can go on.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from hashlib import sha256
from secrets import compare_digest
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import msgspec

from partner_center_emulator.coverage import behaviour
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.signin import models
from partner_center_emulator.signin.models import SignInError
from partner_center_emulator.state.people import AuthorizationCode, Cloud, DeviceCode
from partner_center_emulator.world import AppRegistration, PartnerTenant, PartnerUser

CODE_SECONDS = 600
DEVICE_SECONDS = 900
POLL_SECONDS = 5
ANY_TENANT = frozenset({"organizations", "common"})
_LETTERS = "BCDFGHJKLMNPQRSTVWXZ23456789"  # no vowels, nothing that looks like something else
_THIS_MACHINE = frozenset({"localhost", "127.0.0.1", "::1"})

behaviour(
    "GET /{tenant}/oauth2/authorize",
    source="documented",
    page="core 1.3",
    note="A person signs in with a second factor, the application gets a code; organizations stands for any tenant",
)
behaviour(
    "GET /{tenant}/oauth2/authorize",
    source="assumed",
    page="core 1.3",
    note="A user name is enough, the second factor is a button that may be skipped; codes live ten minutes and work "
    "once; PKCE is checked if it was sent; addresses on this machine need no registration",
)
behaviour(
    "POST /{tenant}/oauth2/devicecode",
    source="assumed",
    page="core 1.3",
    note="Device codes live 15 minutes, five seconds between polls; faster polling is recorded, in strict mode "
    "answered with slow_down",
)


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A person who has named themselves on a sign-in page."""

    tenant: PartnerTenant
    user: PartnerUser


def find_person(emulator: Emulator, tenant_name: str, user_name: str, cloud: Cloud) -> Visit | None:
    """Return who signs in with this user name in this tenant, or in any of the cloud; None for a stranger."""
    wanted = user_name.strip().casefold()
    for tenant in emulator.world.partner_tenants.values():
        if tenant.cloud != cloud or not _is_named(tenant, tenant_name):
            continue
        for user in tenant.users:
            if user.user_principal_name.casefold() == wanted:
                return Visit(tenant=tenant, user=user)
    return None


def _is_named(tenant: PartnerTenant, name: str) -> bool:
    return name.lower() in ANY_TENANT or name.lower() in {tenant.id, tenant.domain.lower()}


def check_request(
    emulator: Emulator, tenant_name: str, client_id: str, redirect_uri: str, cloud: Cloud
) -> AppRegistration:
    """Return the application that asks for a code; raises SignInError 90002, 700016 or 50011."""
    app = models.find_registration(emulator, tenant_name, client_id, cloud)
    known = {uri.rstrip("/") for uri in app.redirect_uris}
    if redirect_uri.rstrip("/") not in known and (known or not _is_here(redirect_uri)):
        raise SignInError(
            50011,
            "invalid_request",
            f"The redirect URI '{redirect_uri}' does not match those of the application '{client_id}'.",
        )
    return app


def _is_here(address: str) -> bool:
    """Whether this is a plain web address on this machine; it goes into a header, so nothing odd may be in it."""
    try:
        parts = urlsplit(address)
        _ = parts.port
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and parts.username is None and parts.hostname in _THIS_MACHINE


def issue_code(emulator: Emulator, code: AuthorizationCode) -> str:
    """Keep an authorization code and return its text."""
    codes = emulator.world.people.codes
    text = f"0.{uuid5(NAMESPACE_URL, f'{emulator.world.seed}/code/{code.object_id}/{len(codes)}').hex}"
    codes[text] = code
    return text


def redeem_code(emulator: Emulator, client_id: str, form: dict[str, str]) -> AuthorizationCode:
    """Return what an authorization code stands for, and use it up.

    Raises SignInError: 9002313 unknown, 70008 older than ten minutes, 54005 used before, 700016 another
    application's, 50011 another redirect address, 501481 wrong PKCE verifier.
    """
    code = emulator.world.people.codes.get(form.get("code", ""))
    if code is None:
        raise SignInError(9002313, "invalid_grant", "Invalid request. The code is malformed or unknown.")
    if code.client_id.lower() != client_id.lower():
        raise SignInError(700016, "invalid_grant", "The code was issued to another application.")
    if code.redeemed:
        raise SignInError(54005, "invalid_grant", "The code was already redeemed; sign in again for a new one.")
    if emulator.clock.now() >= code.issued_at + timedelta(seconds=CODE_SECONDS):
        raise SignInError(70008, "invalid_grant", "The code has expired; sign in again.")
    if form.get("redirect_uri", "") != code.redirect_uri:
        raise SignInError(50011, "invalid_grant", "The redirect_uri is not the one the code was asked for with.")
    if code.challenge and not compare_digest(
        _challenge(form.get("code_verifier", ""), code.challenge_method), code.challenge
    ):
        raise SignInError(501481, "invalid_grant", "The code_verifier does not match the code_challenge.")
    code.redeemed = True
    return code


def _challenge(verifier: str, method: str) -> str:
    if method.upper() != "S256":
        return verifier
    return base64.urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def start_device(emulator: Emulator, tenant_name: str, client_id: str) -> tuple[str, DeviceCode]:
    """Begin a device sign-in; returns the secret device code and what is kept under it."""
    devices = emulator.world.people.device_codes
    mark = uuid5(NAMESPACE_URL, f"{emulator.world.seed}/device/{len(devices)}")
    letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in mark.bytes[:9])
    device = DeviceCode(user_code=letters, client_id=client_id, tenant_name=tenant_name, issued_at=emulator.clock.now())
    text = f"{letters[0]}AQABAAEAAAD.{mark.hex}"
    devices[text] = device
    return text, device


def find_device(emulator: Emulator, user_code: str) -> DeviceCode | None:
    """Return the device sign-in that waits under this user code; None if there is none or it has lapsed."""
    wanted = user_code.strip().replace("-", "").upper()
    for device in emulator.world.people.device_codes.values():
        if device.user_code == wanted and device.status == "pending" and not _lapsed(emulator, device):
            return device
    return None


def _lapsed(emulator: Emulator, device: DeviceCode) -> bool:
    return emulator.clock.now() >= device.issued_at + timedelta(seconds=DEVICE_SECONDS)


def redeem_device(emulator: Emulator, client_id: str, device_code: str) -> DeviceCode:
    """Return an approved device sign-in and use it up.

    Raises SignInError in the words a polling client waits for: authorization_pending (70016),
    authorization_declined (70018), expired_token (70020), bad_verification_code (70019), slow_down.
    """
    device = emulator.world.people.device_codes.get(device_code)
    if device is None or device.client_id.lower() != client_id.lower():
        raise SignInError(70019, "bad_verification_code", "The device code is malformed or unknown.")
    _judge_poll(emulator, device)
    if device.status == "redeemed":
        raise SignInError(54005, "invalid_grant", "The device code was already redeemed.")
    if device.status == "declined":
        raise SignInError(70018, "authorization_declined", "The person declined to sign in.")
    if _lapsed(emulator, device):
        raise SignInError(70020, "expired_token", "The device code has expired; begin anew.")
    if device.status == "pending":
        raise SignInError(70016, "authorization_pending", "The person has not signed in yet; continue polling.")
    device.status = "redeemed"
    return device


def _judge_poll(emulator: Emulator, device: DeviceCode) -> None:
    now = emulator.clock.now()
    before, device.polled_at = device.polled_at, now
    # on a standing clock no client could wait long enough; a second of grace for the way
    if emulator.clock.frozen or before is None or now - before >= timedelta(seconds=POLL_SECONDS - 1):
        return
    emulator.violate(device.tenant_id or device.tenant_name, "polled_too_fast", "device code sign-in")
    if emulator.options.strict:
        raise SignInError(70016, "slow_down", f"Strict mode: wait {POLL_SECONDS} seconds between two polls.")
