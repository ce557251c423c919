"""The stage (simulation room): an emulator and the real program in one process, put together on virtual time.

``Stage`` must be made inside ``loop.run``. Each ``program()`` is one start of tenantfold on the same ledger file and
against the same emulator; leave it, and the next one finds what the last one wrote.
"""

from __future__ import annotations

import logging
import shutil
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import gettempdir, mkdtemp
from typing import Literal

import httpx2
import structlog

from partner_center_emulator.app import create_app
from partner_center_emulator.clock import Clock as EmulatorClock
from partner_center_emulator.credentials import TenantSheet, sheet
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.world import World
from tenantfold.bootstrap import Program, open_program
from tenantfold.clock import ServerClock, SystemClock
from tenantfold.secret_refs import SecretRef
from tenantfold.settings import (
    CloudSettings,
    FileSettings,
    GdapSettings,
    LimitSettings,
    LogSettings,
    PolicySettings,
    Settings,
    TenantSettings,
    WaveSettings,
)
from tenantfold.simulation.loop import virtual_loop
from tenantfold.simulation.network import Network
from tenantfold.store import Store, schema
from tenantfold.store.database import Database

_MEMORY = Path("/dev/shm")  # noqa: S108 - only a place that is fast, where there is one; folders in it are private
TARGET_KEY = "target"


class SimulatedStore(Store):
    """The ledger of the simulation: its schema is known to be right, for the template was migrated."""

    async def check_schema(self) -> None:
        """Nothing to check."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StageOptions:
    """``laptop_ahead``: how wrong the machine's clock is. ``sources``: keys of the source tenants, empty for all."""

    seed: int = 0
    emulator: Options = field(default_factory=Options)
    laptop_ahead: timedelta = timedelta(0)
    sources: Sequence[str] = ()
    policy: PolicySettings = field(default_factory=PolicySettings)
    limits: LimitSettings = field(default_factory=LimitSettings)
    waves: WaveSettings = field(default_factory=WaveSettings)
    gdap: GdapSettings = field(default_factory=GdapSettings)
    log_level: str = "error"
    cloud: Literal["commercial", "us_government"] = "commercial"


class Stage:
    """An emulator with ``world`` whose clock is the loop's, and the ledger file of one consolidation.

    ``beside`` is the stage of another consolidation in the same world: its emulator is this one's, too.
    """

    def __init__(
        self, world: World, folder: Path, options: StageOptions | None = None, beside: Stage | None = None
    ) -> None:
        self.options = options or StageOptions()
        self.folder = folder
        self.loop = virtual_loop()
        self.emulator: Emulator = (
            beside.emulator
            if beside
            else Emulator(world, self.options.emulator, EmulatorClock(world.started_at, monotonic=self.loop.seconds))
        )
        self.network = Network(create_app(self.emulator), self.options.seed)
        self.ledger_file = folder / "tenantfold.db"
        if not self.ledger_file.exists():
            self.ledger_file.write_bytes(_empty_ledger())
        self._environ: dict[str, str] = {}
        self.settings = self._settings()

    @property
    def world(self) -> World:
        """What the emulator pretends."""
        return self.emulator.world

    def beside_url(self, window: int) -> str:
        """The ledger's file by another name for each window: connections are kept by name, and each name has one."""
        return f"sqlite:///{self.folder}/{'./' * (window + 1)}{self.ledger_file.name}"

    def now(self) -> datetime:
        """The true time: the emulator's."""
        return self.emulator.clock.now()

    async def wait_until(self, when: datetime) -> None:
        """Let virtual time pass until ``when``; what is due at the emulator on the way happens."""
        await SystemClock().sleep((when - self.now()).total_seconds())
        self.emulator.clock.run_due()

    @asynccontextmanager
    async def program(
        self, store: Store | None = None, transport: httpx2.AsyncBaseTransport | None = None
    ) -> AsyncIterator[Program]:
        """Start the program on the ledger file; it ends with the block.

        ``store`` and ``transport`` replace the usual ones, for whoever wants to look on or to break something.
        """
        async with open_program(
            self.settings,
            transport=transport or self.network,
            clock=ServerClock(system=self._laptop_time, monotonic=self.loop.seconds),
            store=store or SimulatedStore.open(self.settings.database_url, inline=True),
            environ=self._environ,
        ) as program:
            yield program

    @asynccontextmanager
    async def program_beside(
        self, store: Store, transport: httpx2.AsyncBaseTransport | None = None
    ) -> AsyncIterator[Program]:
        """The same beside others that run; there is one log in a process, and it stays the others'.

        Its store is at a ``beside_url``: the same file, through connections of its own.
        """
        hush()
        after = structlog.get_config()
        try:
            async with self.program(store, transport) as program:
                structlog.configure(**after)
                try:
                    yield program
                finally:
                    after = structlog.get_config()  # another one may have started or ended meanwhile
        finally:
            structlog.configure(**after)

    def _laptop_time(self) -> datetime:
        return self.now() + self.options.laptop_ahead

    def sign_in_again(self) -> None:
        """What an operator does before refresh tokens end after 90 days: sign in at each tenant, keep the new one."""
        for one in sheet(self.emulator, self.options.cloud).tenants:
            self._tenant(one)

    def _settings(self) -> Settings:
        given = sheet(self.emulator, self.options.cloud)
        tenants = {one.key: self._tenant(one) for one in given.tenants}
        keys = self.options.sources or [key for key in tenants if key != TARGET_KEY]
        return Settings(
            consolidation="simulated-fold",
            database_url=f"sqlite:///{self.ledger_file}",
            target=tenants[TARGET_KEY],
            sources=tuple(tenants[key] for key in keys),
            files=FileSettings(
                offer_mapping=self.folder / "offer-mapping.csv",
                invitations=self.folder / "invitations",
                reports=self.folder / "reports",
            ),
            cloud=CloudSettings(
                name=self.options.cloud,
                authority=given.authority,
                partner_center=given.partner_center_url,
                graph=given.graph_url,
                resource=given.partner_center_resource,
            ),
            policy=self.options.policy,
            limits=self.options.limits,
            waves=self.options.waves,
            gdap=self.options.gdap,
            log=LogSettings(level=self.options.log_level, file=self.folder / "tenantfold.log"),
        )

    def _tenant(self, one: TenantSheet) -> TenantSettings:
        secret, token = f"{one.key}_SECRET".upper(), f"{one.key}_REFRESH_TOKEN".upper()
        self._environ |= {secret: one.client_secret, token: one.refresh_token}
        return TenantSettings(
            key=one.key,
            tenant_id=one.id,
            client_id=one.client_id,
            client_secret=SecretRef("env", secret),
            refresh_token=SecretRef("env", token),
        )


def hush() -> None:
    """Where no process keeps a log, let those beside it tell nobody anything but errors."""
    if not structlog.is_configured():
        structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.ERROR))


def fast_folder(prefix: str = "tenantfold-simulation-") -> Path:
    """A new private folder, in memory where the machine has such a place. The caller removes it."""
    parent = _MEMORY if _MEMORY.is_dir() else Path(gettempdir())
    return Path(mkdtemp(prefix=prefix, dir=parent))


@cache
def _empty_ledger() -> bytes:
    """An empty ledger as a file's content; made once in a process, because migrating takes longer than a simulation."""
    folder = fast_folder()
    try:
        database = Database.open(f"sqlite:///{folder / 'empty.db'}", inline=True)
        schema.migrate(database)
        database.close_now()
        return (folder / "empty.db").read_bytes()
    finally:
        shutil.rmtree(folder)
