"""Whether a delivery is believed: every part of the proof, forged one at a time (core reference 9.4)."""

from __future__ import annotations

import asyncio
import base64
import json
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from partner_center_emulator.webhooks import certificate
from tenantfold.clock import ManualClock
from tenantfold.domain.webhooks import Delivery
from tenantfold.errors import (
    ConfigError,
    SignatureError,
    UnavailableError,
    UnexpectedAnswerError,
)
from tenantfold.partnercenter.signatures import DeliveryReader, read_issuers, trust_of
from tests.contract.stage import Stage
from tests.contract.webhook_desk import BODY, ORGANIZATION, Desk


@pytest.fixture
async def desk(stage: Stage) -> Desk:
    """The demo's world with a receiver beside it."""
    return Desk(stage)


@pytest.mark.parametrize("header", ["x_ms_signature", "authorization"])
async def test_both_ways_to_carry_the_signature_are_read(desk: Desk, header: str):
    """The header that is registered for, and the one it would be without."""
    signature = certificate.sign(desk.stage.emulator, BODY)
    value = signature if header == "x_ms_signature" else f"Signature {signature}"
    headers = desk.signed(**{"x_ms_signature": "", header: value})
    assert await desk.delivery(headers) == Delivery(event="subscription-updated")


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"x_ms_signature": ""}, "unsigned"),
        ({"x_ms_certificate_url": ""}, "unsigned"),
        ({"x_ms_signature_algorithm": ""}, "unsigned"),
        ({"x_ms_signature": "no base64!"}, "unreadable"),
        ({"x_ms_signature": base64.b64encode(b"x" * 256).decode()}, "signature"),
        ({"x_ms_signature": "AA=="}, "signature"),
        ({"x_ms_signature_algorithm": "rsa-md5"}, "algorithm"),
        ({"x_ms_signature_algorithm": "none"}, "algorithm"),
        ({"x_ms_certificate_url": "https://evil.example/emulator.cer"}, "address"),
        ({"x_ms_certificate_url": "http://other.example/emulator.cer"}, "address"),
        ({"x_ms_certificate_url": "http://127.0.0.1:8701/emulator.cer"}, "address"),
        ({"x_ms_certificate_url": "http://a@127.0.0.1:8700/emulator.cer"}, "address"),
        ({"x_ms_certificate_url": "http://127.0.0.1:8700/emulator.cer?x=1"}, "address"),
        ({"x_ms_certificate_url": "http://127.0.0.1:8700@evil.example/x"}, "address"),
        ({"x_ms_certificate_url": "file:///etc/passwd"}, "address"),
        ({"x_ms_certificate_url": "http://[::1"}, "address"),
        ({"x_ms_certificate_url": "http://127.0.0.1:8700/_emulator/health"}, "certificate"),
    ],
    ids=str,
)
async def test_a_forged_delivery_is_refused_with_its_reason(desk: Desk, changed: dict[str, str], reason: str):
    """Each part of the proof; nothing is woken, and no address elsewhere is called."""
    with pytest.raises(SignatureError) as caught:
        await desk.delivery(desk.signed(**changed))
    assert caught.value.facts["reason"] == reason


async def test_a_changed_byte_is_refused(desk: Desk):
    """The body as it came is what was signed."""
    with pytest.raises(SignatureError):
        await desk.delivery(desk.signed(), BODY + b" ")


async def test_what_is_signed_but_no_event_is_told_apart(desk: Desk):
    """It is Microsoft's, and says nothing."""
    for body in (b"[]", b"not json", b'{"ResourceUri":"x"}', b""):
        with pytest.raises(UnexpectedAnswerError):
            await desk.delivery(desk.signed(body), body)


async def test_the_customer_is_found_in_the_address_of_the_resource(desk: Desk):
    """Only a whole id in its place counts."""
    customer = "3F2504E0-4F89-41D3-9A0C-0305E82C3301"
    for uri, found in (
        (f"https://x.example/v1/customers/{customer}", customer.lower()),
        (f"http://x.example/webhooks/v1/customers/{customer}/subscriptions/1", customer.lower()),
        (f"https://x.example/v1/customers/{customer}0", None),
        ("https://x.example/v1/customers/'; DROP TABLE", None),
        (f"https://x.example/v1/invoices/{customer}", None),
    ):
        body = json.dumps({"eventName": "subscription-updated", "ResourceUri": uri}).encode()
        assert (await desk.delivery(desk.signed(body), body)).customer_id == found


@dataclass
class Authority:
    """A certificate authority of the test."""

    key: rsa.RSAPrivateKey
    certificate: x509.Certificate

    @classmethod
    def made(cls, clock: ManualClock, *, is_ca: bool = True, name: str = "Root") -> Authority:
        """A new one."""
        key = rsa.generate_private_key(65537, 2048)
        return cls(key, _certificate(clock, name, key, None, is_ca=is_ca))

    def issues(self, clock: ManualClock, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, **more: object):
        """A certificate for this key."""
        return _certificate(clock, "Leaf", key, self, **more)  # type: ignore[arg-type]  # by name


def _certificate(
    clock: ManualClock,
    name: str,
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey,
    issuer: Authority | None,
    *,
    is_ca: bool = False,
    days: int = 30,
    organization: str = ORGANIZATION,
) -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, organization), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(clock.now() - timedelta(days=60))
        .not_valid_after(clock.now() + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca=is_ca, path_length=None), critical=True)
        .sign(issuer.key if issuer else key, SHA256())
    )


def shelf(stage: Stage, found: x509.Certificate, encoding: Encoding = Encoding.DER) -> httpx2.AsyncClient:
    """A network on which every address holds this certificate."""
    document = found.public_bytes(encoding)
    return httpx2.AsyncClient(transport=httpx2.MockTransport(lambda _: httpx2.Response(200, content=document)))


async def proven(
    stage: Stage, trusted: x509.Certificate, used: x509.Certificate, key: rsa.RSAPrivateKey, **more: object
):
    """Whether a delivery signed by ``key`` and shown with the certificate ``used`` is believed."""
    trust = replace(trust_of("certs.example", ORGANIZATION, [trusted]), **more)  # type: ignore[arg-type]  # by name
    headers = {
        "x-ms-signature": base64.b64encode(key.sign(BODY, PKCS1v15(), SHA256())).decode(),
        "x-ms-certificate-url": "https://certs.example/a.cer",
        "x-ms-signature-algorithm": "RSA-SHA256",
    }
    async with shelf(stage, used, Encoding.PEM) as http:
        return await DeliveryReader(trust, http, stage.clock).delivery(headers, BODY)


async def test_a_certificate_counts_when_an_issuer_of_ours_issued_it(stage: Stage):
    """So that Microsoft may renew it without us."""
    root, key = Authority.made(stage.clock), rsa.generate_private_key(65537, 2048)
    leaf = root.issues(stage.clock, key)
    assert await proven(stage, root.certificate, leaf, key)
    assert await proven(stage, leaf, leaf, key)


async def test_certificates_that_do_not_count(stage: Stage):
    """By another issuer of the same name, by no authority, run out, of another organization, with a short key."""
    clock, key = stage.clock, rsa.generate_private_key(65537, 2048)
    root, twin, no_ca = Authority.made(clock), Authority.made(clock), Authority.made(clock, is_ca=False)
    good = root.issues(clock, key)
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - too short is the example
    for trusted, used, signer in (
        (root, twin.issues(clock, key), key),
        (no_ca, no_ca.issues(clock, key), key),
        (root, root.issues(clock, key, days=-1), key),
        (root, root.issues(clock, short), short),
        (root, root.issues(clock, ec.generate_private_key(ec.SECP256R1())), key),
    ):
        with pytest.raises(SignatureError) as caught:
            await proven(stage, trusted.certificate, used, signer)
        assert caught.value.facts["reason"] == "certificate"
    with pytest.raises(SignatureError, match="organization"):
        await proven(stage, root.certificate, good, key, organization="Microsoft Corporation")


async def test_an_issuer_that_ran_out_vouches_for_nobody(stage: Stage):
    """Its leaf may still be valid."""
    key = rsa.generate_private_key(65537, 2048)
    old = rsa.generate_private_key(65537, 2048)
    root = Authority(old, _certificate(stage.clock, "Root", old, None, is_ca=True, days=-1))
    with pytest.raises(SignatureError):
        await proven(stage, root.certificate, root.issues(stage.clock, key), key)


async def test_the_certificate_is_fetched_once_and_again_when_it_ran_out(desk: Desk):
    """A cache that is asked every time whether what it holds still counts."""
    stage = desk.stage
    root, key = Authority.made(stage.clock), rsa.generate_private_key(65537, 2048)
    fetched: list[str] = []
    documents = [root.issues(stage.clock, key, days=1), root.issues(stage.clock, key, days=30)]

    def answer(request: httpx2.Request) -> httpx2.Response:
        fetched.append(str(request.url))
        return httpx2.Response(200, content=documents[len(fetched) - 1].public_bytes(Encoding.DER))

    headers = {
        "x-ms-signature": base64.b64encode(key.sign(BODY, PKCS1v15(), SHA256())).decode(),
        "x-ms-certificate-url": "https://certs.example/a.cer",
        "x-ms-signature-algorithm": "rsa-sha256",
    }
    async with httpx2.AsyncClient(transport=httpx2.MockTransport(answer)) as http:
        reader = DeliveryReader(trust_of("certs.example", ORGANIZATION, [root.certificate]), http, stage.clock)
        await asyncio.gather(*(reader.delivery(headers, BODY) for _ in range(5)))
        await reader.delivery(headers, BODY)
        assert len(fetched) == 1
        stage.clock.move(2 * 24 * 3600)
        await reader.delivery(headers, BODY)
    assert len(fetched) == 2


async def test_invented_addresses_do_not_make_us_knock_all_day(desk: Desk):
    """Six downloads a minute; what is beyond is not verified, which Microsoft repeats, and a known one still is."""
    reader = DeliveryReader(desk.trust, desk.stage.http, desk.stage.clock)
    assert await reader.delivery(desk.signed(), BODY) == Delivery(event="subscription-updated")
    found = []
    for number in range(8):
        headers = desk.signed(x_ms_certificate_url=f"http://127.0.0.1:8700/_emulator/none/{number}")
        with pytest.raises((UnavailableError, SignatureError)) as caught:
            await reader.delivery(headers, BODY)
        found.append("within a minute" in caught.value.message)
    assert found == [False] * 5 + [True] * 3
    assert await reader.delivery(desk.signed(), BODY) == Delivery(event="subscription-updated")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx2.Response(404), UnavailableError),
        (httpx2.Response(302, headers={"Location": "https://evil.example/"}), UnavailableError),
        (httpx2.Response(200, content=b"x" * 70_000), SignatureError),
        (httpx2.ReadError("gone"), UnavailableError),
    ],
    ids=["missing", "elsewhere", "too large", "lost"],
)
async def test_a_certificate_that_cannot_be_fetched_proves_nothing(
    desk: Desk, answer: httpx2.Response | Exception, error: type[Exception]
):
    """Not verified is not refused: only what is there and wrong is."""

    def reply(_request: httpx2.Request) -> httpx2.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    async with httpx2.AsyncClient(transport=httpx2.MockTransport(reply)) as http:
        with pytest.raises(error):
            await DeliveryReader(desk.trust, http, desk.stage.clock).delivery(desk.signed(), BODY)


@pytest.mark.parametrize(
    "pem", [b"", b"no certificate", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
def test_a_file_without_certificates_is_told_with_what_to_do(pem: bytes):
    """Trusting nobody must not look like working."""
    with pytest.raises(ConfigError, match=r"webhooks\.issuers") as caught:
        read_issuers(pem, str(Path("issuers.pem")))
    assert "wake-early-with-webhooks" in caught.value.next_step
