"""A desk for tests of webhooks: a stage, and a receiver that believes its emulator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from partner_center_emulator.webhooks import certificate
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event
from tenantfold.domain.webhooks import Delivery
from tenantfold.errors import (
    StoreError,
)
from tenantfold.flow.ports import DeliveryCheck, WakeUps, WebhookCenter
from tenantfold.flow.webhooks import Receiver
from tenantfold.partnercenter.client import PartnerCenterClient
from tenantfold.partnercenter.signatures import DeliveryReader, Trust, read_issuers, trust_of
from tests.contract.stage import Stage

ORGANIZATION = "Partner Center emulator"
ACCEPTED = "reseller-relationship-accepted-by-customer"
BODY = b'{"EventName":"subscription-updated","ResourceUri":null}'


@dataclass
class KeptWakeUps:
    """Keeps what is asked for. Implements ``flow.ports.WakeUps``."""

    acceptances: list[CustomerId | None] = field(default_factory=list)
    customers: list[CustomerId] = field(default_factory=list)
    broken: bool = False

    async def ask_for_acceptances(self, customer_id: CustomerId | None, event: Event) -> bool:
        """Keep it."""
        if self.broken:
            raise StoreError("The ledger is gone.")
        self.acceptances.append(customer_id)
        return True

    async def take_ask(self, now: object, quiet: timedelta) -> bool:
        """Nobody runs here."""
        return False

    async def give_ask_back(self) -> None:
        """Nobody runs here."""

    async def wake_customer(self, customer_id: CustomerId, quiet: timedelta, event: Event) -> None:
        """Keep it; nothing was later."""
        self.customers.append(customer_id)


def as_ports(client: PartnerCenterClient, reader: DeliveryReader, kept: KeptWakeUps) -> tuple[object, ...]:
    """The type checker compares every signature here."""
    center: WebhookCenter = client
    check: DeliveryCheck = reader
    wake_ups: WakeUps = kept
    return center, check, wake_ups


class Desk:
    """A stage with a receiver that believes the emulator."""

    def __init__(self, stage: Stage) -> None:
        self.stage = stage
        self.kept = KeptWakeUps()
        pem = x509.load_der_x509_certificate(certificate.certificate(stage.emulator)).public_bytes(Encoding.PEM)
        self.trust = trust_of("127.0.0.1:8700, other.example", ORGANIZATION, read_issuers(pem, "issuers.pem"))
        self.receiver = self.receiver_with(self.trust)

    def receiver_with(self, trust: Trust) -> Receiver:
        """A receiver with this trust."""
        reader = DeliveryReader(trust, self.stage.http, self.stage.clock)
        return Receiver(reader, self.kept, self.stage.clock, timedelta(seconds=60))

    def signed(self, body: bytes = BODY, /, **changed: str) -> dict[str, str]:
        """Headers as the emulator makes them; ``changed`` ones by their name with underscores."""
        headers = {
            "x-ms-signature": certificate.sign(self.stage.emulator, body),
            "x-ms-certificate-url": certificate.url(self.stage.emulator),
            "x-ms-signature-algorithm": "rsa-sha256",
        }
        given = {name.replace("_", "-"): value for name, value in changed.items()}
        return {name: value for name, value in (headers | given).items() if value}

    async def delivery(self, headers: Mapping[str, str], body: bytes = BODY, trust: Trust | None = None) -> Delivery:
        """What a delivery says, if it is proven."""
        reader = DeliveryReader(trust or self.trust, self.stage.http, self.stage.clock)
        return await reader.delivery(headers, body)
