"""The way of events to the receiver (simulation room): a proxy that loses and delays them, and those that are lies.

Each delivery is taken in by the product's own receiver, in a process of its own beside the runs. Whatever it changes in
the ledger but a time that is due earlier, and a line of history, is noted for the judge.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from random import Random
from typing import Any, TypeVar

import httpx2

from partner_center_emulator.app import create_app
from partner_center_emulator.emulator import Emulator
from partner_center_emulator.webhooks import certificate
from partner_center_emulator.webhooks.delivery import Courier, kick
from tenantfold.bootstrap import Program
from tenantfold.domain.model import CustomerId
from tenantfold.flow.webhooks import Received, RegistrationTask, register
from tenantfold.receiver import STATUS
from tenantfold.settings import WebhookSettings
from tenantfold.simulation import webhook_script
from tenantfold.simulation.life import Life, MortalDatabase, MortalStore
from tenantfold.simulation.network import Network
from tenantfold.simulation.stage import Stage
from tenantfold.simulation.webhook_script import Lie, WebhookScript
from tenantfold.simulation.window import Ending, Window
from tenantfold.store import tables

T = TypeVar("T")

URL = "http://127.0.0.1:8790/partner-center"
ISSUERS = "webhook-issuers.pem"
_PLACE = 2  # of the window
_LEDGER_FAILED = 503
_AGAIN_SECONDS = 900.0  # until somebody registers once more
_SHORTEST_NAP, _NAP, _LONGEST_NAP = 1.0, 60.0, 3_600.0  # of whoever looks whether an event is due
_MAY_MOVE = frozenset({"due_at", "version"})  # of a customer's row
_MAY_CHANGE = frozenset({tables.wake_up.name, tables.event.name})

Rows = Mapping[str, list[tuple[object, ...]]]


class WebhookPost(httpx2.AsyncBaseTransport):
    """Carries what the emulator delivers to customers ``ids`` (number -> id); ``note`` tells the story.

    ``changed`` are sentences about what deliveries changed and must not have.
    """

    def __init__(
        self, stage: Stage, script: WebhookScript, ids: Mapping[int, CustomerId], note: Callable[[str], None]
    ) -> None:
        self.script = script
        self.changed: list[str] = []
        self.window = Window(stage, _PLACE, note, Network(create_app(stage.emulator), f"webhooks/{stage.options.seed}"))
        self.window.store_of = _store
        self._stage = stage
        self._ids = ids
        self._note = note
        self._chance = Random(f"deliveries/{stage.options.seed}")
        self._is_over = False
        stage.emulator.derived(Courier).transport = self
        pem = ssl.DER_cert_to_PEM_cert(certificate.certificate(stage.emulator))
        (stage.folder / ISSUERS).write_text(pem, encoding="ascii")

    # --- when --------------------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """Register at every tenant, and tell the lies when their time has come."""
        self.window.later(self._register())
        self.window.later(self._send_what_is_due())
        for lie in self.script.lies:
            self.window.later(self._tell(lie))

    def end(self) -> None:
        """From now on every delivery arrives, once and at once."""
        self._is_over = True

    async def _register(self) -> None:
        while not self._is_over:
            if await self.window.command("webhooks register", _register_all) is Ending.WELL:
                return
            await self._wait(_AGAIN_SECONDS)

    async def _send_what_is_due(self) -> None:
        """Events leave when they are due, not only when somebody calls."""
        emulator = self._stage.emulator
        while True:
            due = emulator.clock.next_due()
            soon = (due - self._stage.now()).total_seconds() if due is not None else _LONGEST_NAP
            await self._wait(max(_SHORTEST_NAP, min(soon, _LONGEST_NAP if self._is_over else _NAP)))
            kick(emulator)

    async def _tell(self, lie: Lie) -> None:
        await self._wait(lie.moment)
        body, headers = _lie(self._stage.emulator, self._ids[lie.number], lie)
        await self._deliver(lie.event, headers, body, is_forged=lie.is_forged)

    async def _wait(self, seconds: float) -> None:
        await self._stage.wait_until(self._stage.now() + timedelta(seconds=seconds))

    # --- a delivery --------------------------------------------------------------------------------------------------

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """What the emulator's courier hands over: to the receiver, or to nobody."""
        body = await request.aread()
        headers = {name.lower(): value for name, value in request.headers.items()}
        script, share = self.script, self._chance.random()
        if self._is_over:
            return await self._answered(headers, body, request)
        if share < script.lost:
            self._note("A delivery is lost behind the proxy.")
            return httpx2.Response(200)
        if self._chance.random() < script.unanswered:
            raise httpx2.ConnectError("Nobody listens.", request=request)
        if self._chance.random() < script.late:
            self.window.later(self._deliver_later(headers, body))
            return httpx2.Response(200)
        return await self._answered(headers, body, request)

    async def _answered(self, headers: Mapping[str, str], body: bytes, request: httpx2.Request) -> httpx2.Response:
        status = await self._deliver("an event", headers, body)
        if status is None:
            raise httpx2.ReadError("The receiver died.", request=request)
        return httpx2.Response(status)

    async def _deliver_later(self, headers: Mapping[str, str], body: bytes) -> None:
        await self._wait(self.script.late_seconds)
        await self._deliver("a late event", headers, body)

    async def _deliver(
        self, what: str, headers: Mapping[str, str], body: bytes, *, is_forged: bool = False
    ) -> int | None:
        """What the receiver answers; None when it died."""
        answers: list[Received] = []

        async def work(program: Program) -> None:
            receiver = program.receiver()
            await program.follow_server_time()
            self._watch(program)
            answers.append(await receiver.receive(headers, body))

        death = None if self._is_over else webhook_script.death(self._chance, self.script)
        ending = await self.window.command(f"to receive {what}", work, death, is_told=False)
        if ending is Ending.KILLED:
            return None
        if is_forged and answers not in ([], [Received.REFUSED], [Received.NOT_VERIFIED]):
            self.changed.append(f"A forged delivery was believed ({answers[0].value}).")
        return STATUS[answers[0]] if answers else _LEDGER_FAILED

    def _watch(self, program: Program) -> None:
        database = program.store.database
        assert isinstance(database, _WatchedDatabase)  # noqa: S101  # see _store
        database.told = self.changed.append


# --- what a delivery changes -----------------------------------------------------------------------------------------


class _WatchedDatabase(MortalDatabase):
    """The ledger of a receiver: what a delivery changes beyond what it may is told."""

    told: Callable[[str], None] | None = None

    async def write(self, work: Callable[[Any], T], *, durable: bool) -> T:
        """As ever, with a look before and after while somebody listens."""
        told = self.told
        if told is None:
            return await super().write(work, durable=durable)

        def watched(conn: Any) -> T:  # noqa: ANN401  # a connection; only the store knows its kind
            before, due = _rows(conn), _due(conn)
            value = work(conn)
            after, due_now = _rows(conn), _due(conn)
            for name, rows in after.items():
                if rows != before[name]:
                    told(f"A delivery changed {name}.")
            for sentence in _later(due, due_now):
                told(sentence)
            return value

        return await super().write(watched, durable=durable)


def _store(url: str, life: Life) -> MortalStore:
    return MortalStore.of(url, life, _WatchedDatabase)


def _rows(conn: Any) -> Rows:  # noqa: ANN401  # see above
    """Everything that a delivery must leave as it is."""
    found: dict[str, list[tuple[object, ...]]] = {}
    for table in tables.metadata.sorted_tables:
        left_out = _MAY_MOVE if table is tables.progress else ()
        kept = [place for place, column in enumerate(table.c) if column.name not in left_out]
        if table.name not in _MAY_CHANGE:
            found[table.name] = [tuple(row[place] for place in kept) for row in conn.execute(table.select())]
    return found


def _due(conn: Any) -> Mapping[str, Any]:  # noqa: ANN401  # see above
    return {row.customer_id: row.due_at for row in conn.execute(tables.progress.select())}


def _later(before: Mapping[str, Any], after: Mapping[str, Any]) -> Iterator[str]:
    for key, due_at in after.items():
        if due_at != before[key] and (before[key] is None or due_at is None or due_at > before[key]):
            yield f"A delivery put {key} off from {before[key]} to {due_at}."


# --- what is sent ----------------------------------------------------------------------------------------------------


async def _register_all(program: Program) -> None:
    """As ``tenantfold webhooks register`` does."""
    for tenant in program.tenants:
        center = program.centers[tenant.id]
        await register(
            RegistrationTask(
                center=center,
                ledger=program.store,
                clock=program.clock,
                tenant_key=tenant.key,
                url=program.settings.webhooks.url,
            )
        )


def _lie(emulator: Emulator, customer_id: str, lie: Lie) -> tuple[bytes, dict[str, str]]:
    uri = f"{emulator.options.base_url}/v1/customers/{customer_id}"
    body = f'{{"EventName":"{lie.event}","ResourceUri":"{uri}","ResourceName":"Customer","AuditUri":null}}'.encode()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-ms-certificate-url": certificate.url(emulator),
        "x-ms-signature-algorithm": "rsa-sha256",
        "x-ms-signature": certificate.sign(emulator, b"something else" if lie.is_forged else body),
    }
    return body, headers


def settings_of(script: WebhookScript, stage: Stage) -> WebhookSettings:
    """The settings of a partner that listens to the emulator."""
    options = stage.emulator.options
    return WebhookSettings(
        issuers=stage.folder / ISSUERS,
        url=URL,
        certificate_hosts=options.base_url.partition("://")[2],
        certificate_organization=options.webhook_certificate_organization,
        quiet_seconds=script.quiet_seconds,
    )
