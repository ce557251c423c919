"""Whether a delivery is Microsoft's (partnercenter room, core reference 9.4): its signature, and who vouches for that.

The delivery names the address of the certificate it was signed with. Addresses of hosts that are not listed are never
called, and a certificate counts only if it is one of ours to trust, or was issued by one of those.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import httpx2
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, SHA512, HashAlgorithm
from cryptography.x509.oid import NameOID

from tenantfold.domain.webhooks import Delivery
from tenantfold.errors import ConfigError, SignatureError, UnavailableError
from tenantfold.partnercenter import wire_webhooks
from tenantfold.partnercenter.failures import FOREIGN
from tenantfold.partnercenter.ports import Clock

_ALGORITHMS: Mapping[str, type[HashAlgorithm]] = {"rsa-sha256": SHA256, "rsa-sha384": SHA384, "rsa-sha512": SHA512}
_SHORTEST_KEY = 2048  # bits
_LARGEST_CERTIFICATE = 64 * 1024  # bytes
_ANSWER_SECONDS = 10.0
_KEPT = 8  # certificates
_DOWNLOADS_A_MINUTE = 6  # invented addresses must not make us knock at somebody's door all day
_MINUTE = timedelta(minutes=1)
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """Whom to believe. ``hosts`` are where certificates may be fetched (with a port, if it is not the usual one).

    ``issuers`` are the certificates that count, themselves or as issuer; ``organization`` stands in the certificate or
    in its issuer's name.
    """

    hosts: frozenset[str]
    organization: str
    issuers: tuple[x509.Certificate, ...]


def read_issuers(pem: bytes, where: str) -> tuple[x509.Certificate, ...]:
    """The certificates of a PEM file. ConfigError when there is none in it."""
    try:
        return tuple(x509.load_pem_x509_certificates(pem))
    except ValueError:
        raise ConfigError(
            f"{where} (webhooks.issuers) holds no certificate in PEM form.",
            next_step="Put the certificates there that Microsoft's webhook certificate is issued by; the how-to page "
            "wake-early-with-webhooks says how.",
            path=where,
        ) from None


def check_address(url: str, trust: Trust) -> None:
    """Raise SignatureError unless a certificate may be fetched from this address: a listed host, by https.

    This machine is reached by http as well: there is the emulator.
    """
    try:
        parts = httpx2.URL(url)
        host = parts.host.lower()
        place = f"{host}:{parts.port}" if parts.port is not None else host
    except (httpx2.InvalidURL, ValueError):
        raise SignatureError("The address of the certificate cannot be read.", reason="address") from None
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and host in _THIS_MACHINE)
    if not is_safe or parts.userinfo or parts.query or parts.fragment or place not in trust.hosts:
        raise SignatureError(
            f"The certificate is at {place[:200]}, which is not in webhooks.certificate_hosts.", reason="address"
        )


def check_certificate(certificate: x509.Certificate, trust: Trust, now: datetime) -> RSAPublicKey:
    """The key of a certificate that counts now. SignatureError with the reason for one that does not."""
    if not certificate.not_valid_before_utc <= now <= certificate.not_valid_after_utc:
        raise SignatureError("The certificate of the delivery is not valid today.", reason="certificate")
    names = [certificate.subject, certificate.issuer]
    organizations = {str(one.value) for name in names for one in name.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)}
    if trust.organization not in organizations:
        raise SignatureError(
            f"The certificate of the delivery does not name the organization {trust.organization}.",
            reason="certificate",
        )
    if not any(_vouches(issuer, certificate, now) for issuer in trust.issuers):
        raise SignatureError(
            "The certificate of the delivery is not in webhooks.issuers, nor issued by one that is.",
            reason="certificate",
        )
    key = certificate.public_key()
    if not isinstance(key, RSAPublicKey) or key.key_size < _SHORTEST_KEY:
        raise SignatureError("The certificate of the delivery has no RSA key of 2048 bits.", reason="certificate")
    return key


def _vouches(issuer: x509.Certificate, certificate: x509.Certificate, now: datetime) -> bool:
    if issuer == certificate:
        return True
    if not issuer.not_valid_before_utc <= now <= issuer.not_valid_after_utc or not _may_issue(issuer):
        return False
    try:
        certificate.verify_directly_issued_by(issuer)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _may_issue(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except (x509.ExtensionNotFound, ValueError):
        return False


def check_signature(body: bytes, signed: wire_webhooks.Signed, key: RSAPublicKey) -> None:
    """Raise SignatureError unless the body, byte by byte, is what was signed with this key."""
    algorithm = _ALGORITHMS.get(signed.algorithm)
    if algorithm is None:
        raise SignatureError(
            f"The delivery is signed with {signed.algorithm[:50]}; known are {', '.join(_ALGORITHMS)}.",
            reason="algorithm",
        )
    try:
        key.verify(signed.signature, body, PKCS1v15(), algorithm())
    except InvalidSignature:
        raise SignatureError("The signature does not belong to what was delivered.", reason="signature") from None


class DeliveryReader:
    """Reads deliveries that are proven to be Microsoft's. Implements ``flow.ports.DeliveryCheck``."""

    def __init__(self, trust: Trust, http: httpx2.AsyncClient, clock: Clock) -> None:
        self._trust = trust
        self._clock = clock
        self._shelf = _Shelf(trust, http, clock)

    async def delivery(self, headers: Mapping[str, str], body: bytes) -> Delivery:
        """What a delivery says; header names in lower case.

        SignatureError when it is not proven, UnavailableError when that cannot be found out now, UnexpectedAnswerError
        for something that is signed but no event.
        """
        signed = wire_webhooks.signed_by(headers)
        check_address(signed.certificate_url, self._trust)
        certificate = await self._shelf.certificate(signed.certificate_url)
        check_signature(body, signed, check_certificate(certificate, self._trust, self._clock.now()))
        return wire_webhooks.read_delivery(body)


class _Shelf:
    """The few certificates that counted when they were fetched, by their address; one download at a time."""

    def __init__(self, trust: Trust, http: httpx2.AsyncClient, clock: Clock) -> None:
        self._trust = trust
        self._http = http
        self._clock = clock
        self._kept: dict[str, x509.Certificate] = {}
        self._downloads: deque[datetime] = deque(maxlen=_DOWNLOADS_A_MINUTE)
        self._one_at_a_time = asyncio.Lock()

    async def certificate(self, url: str) -> x509.Certificate:
        """The certificate at an address that may be called; fetched again when the kept one counts no more."""
        kept = self._counting(url)
        if kept is not None:  # asked before the queue, so that nobody's slow download holds up what is known
            return kept
        async with self._one_at_a_time:
            kept = self._counting(url)  # whoever was before us in the queue may have fetched it
            if kept is not None:
                return kept
            found = _parsed(await self._download(url))
            check_certificate(found, self._trust, self._clock.now())
            while len(self._kept) >= _KEPT:
                del self._kept[next(iter(self._kept))]
            self._kept[url] = found
            return found

    def _counting(self, url: str) -> x509.Certificate | None:
        kept = self._kept.get(url)
        try:
            if kept is not None:
                check_certificate(kept, self._trust, self._clock.now())
        except SignatureError:
            return None
        return kept

    async def _download(self, url: str) -> bytes:
        now = self._clock.now()
        if len(self._downloads) == _DOWNLOADS_A_MINUTE and timedelta(0) <= now - self._downloads[0] < _MINUTE:
            raise UnavailableError("Too many different certificates were named within a minute; this one waits.")
        self._downloads.append(now)
        try:
            async with self._http.stream("GET", url, timeout=_ANSWER_SECONDS, follow_redirects=False) as answer:
                if not answer.is_success:
                    raise UnavailableError(f"The certificate could not be fetched (HTTP {answer.status_code}).")
                return await _bounded(answer)
        except FOREIGN as error:
            raise UnavailableError(f"The certificate could not be fetched ({type(error).__name__}).") from None


async def _bounded(answer: httpx2.Response) -> bytes:
    parts, size = [], 0
    async for part in answer.aiter_bytes():
        parts.append(part)
        size += len(part)
        if size > _LARGEST_CERTIFICATE:
            raise SignatureError("What is at the certificate's address is too large for one.", reason="certificate")
    return b"".join(parts)


def _parsed(document: bytes) -> x509.Certificate:
    try:
        if document.lstrip().startswith(b"-----BEGIN"):
            return x509.load_pem_x509_certificate(document)
        return x509.load_der_x509_certificate(document)
    except ValueError:
        raise SignatureError("What is at the certificate's address is no certificate.", reason="certificate") from None


def hosts_of(text: str) -> frozenset[str]:
    """The hosts of a list with commas, in lower case."""
    return frozenset(one.strip().lower() for one in text.split(",") if one.strip())


def trust_of(hosts: str, organization: str, issuers: Sequence[x509.Certificate]) -> Trust:
    """Whom to believe, from the settings' texts."""
    return Trust(hosts=hosts_of(hosts), organization=organization, issuers=tuple(issuers))
