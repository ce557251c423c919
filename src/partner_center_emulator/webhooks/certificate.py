"""The emulator's own certificate, with which a receiver verifies the signature of an event (core reference 9.4).

It is self-signed with the world's key, valid on the emulator's clock, and served at its address as DER.
"""

from __future__ import annotations

import base64
from datetime import timedelta
from uuid import NAMESPACE_URL, uuid5

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from partner_center_emulator.emulator import Emulator
from partner_center_emulator.signin.models import SigningKey
from partner_center_emulator.world import World

PATH = "/webhooks/certificates/emulator.cer"
_YEARS = timedelta(days=3650)


class CertificateShelf:
    """Certificates by the organization named in them; obtained with ``emulator.derived(CertificateShelf)``."""

    def __init__(self, _world: World) -> None:
        self.made: dict[str, bytes] = {}


def certificate(emulator: Emulator) -> bytes:
    """Return the certificate as DER."""
    shelf = emulator.derived(CertificateShelf).made
    organization = emulator.options.webhook_certificate_organization
    if organization not in shelf:
        shelf[organization] = _make(emulator, organization)
    return shelf[organization]


def _make(emulator: Emulator, organization: str) -> bytes:
    key = emulator.derived(SigningKey).private
    name = x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization),
            x509.NameAttribute(NameOID.COMMON_NAME, "Partner Center emulator webhooks"),
        ]
    )
    started = emulator.world.started_at
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(uuid5(NAMESPACE_URL, f"{emulator.world.seed}/{organization}").int >> 1)
        .not_valid_before(started - _YEARS)
        .not_valid_after(started + _YEARS)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, SHA256())
    )
    return made.public_bytes(Encoding.DER)


def sign(emulator: Emulator, body: bytes) -> str:
    """Return the base64 RSA signature of the body with SHA-256."""
    signature = emulator.derived(SigningKey).private.sign(body, PKCS1v15(), SHA256())
    return base64.b64encode(signature).decode()


def url(emulator: Emulator) -> str:
    """Return the address of the certificate."""
    return f"{emulator.options.base_url}{PATH}"
