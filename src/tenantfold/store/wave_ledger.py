"""Store: waves and holds as an object: the part of the ledger that decides who may begin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection

from tenantfold.domain.admission import Load
from tenantfold.domain.model import CustomerId
from tenantfold.domain.records import Event, Place
from tenantfold.domain.states import Phase
from tenantfold.domain.waves import Growth, Held, Hold, Wave, WaveSize, WaveState
from tenantfold.store import holds, standing, waves
from tenantfold.store.database import Database


class WaveLedger:
    """Waves, holds, and what is left to do. Implements ``flow.ports.Waves``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def create_wave(self, wave: Wave, customer_ids: Sequence[CustomerId], event: Event) -> Wave:
        """Keep a new wave with its customers. ConflictError when its name is taken."""
        return await self._database.write(lambda conn: waves.create(conn, wave, customer_ids, event), durable=True)

    async def waves(self, *states: WaveState) -> tuple[Wave, ...]:
        """Waves in the order they were made; all, or those in some states."""
        return await self._database.read(lambda conn: waves.waves(conn, *states))

    async def wave(self, name: str) -> Wave | None:
        """The wave of this name."""
        return await self._database.read(lambda conn: waves.wave(conn, name))

    async def change_wave(self, before: WaveState, after: Wave, event: Event) -> Wave:
        """Bring a wave to these values; ConflictError when it is not in the state ``before`` any more."""
        return await self._database.write(lambda conn: waves.change(conn, before, after, event), durable=True)

    async def next_start_at(self) -> datetime | None:
        """When the next scheduled wave is (or was) to begin; None when none is scheduled."""
        return await self._database.read(waves.next_start_at)

    async def grow_wave(
        self, wave_id: int, state: WaveState, customer_ids: Sequence[CustomerId], event: Event
    ) -> Growth:
        """Add customers that are in no open wave to a wave in this state, whose overrides lapse. ConflictError."""
        return await self._database.write(
            lambda conn: waves.grow(conn, wave_id, state, customer_ids, event), durable=True
        )

    async def leave_wave(self, wave_id: int, customer_ids: Sequence[CustomerId]) -> int:
        """Take customers that have not begun out of a wave; returns how many left."""
        return await self._database.write(lambda conn: waves.leave(conn, wave_id, customer_ids), durable=True)

    async def places(self, customer_ids: Sequence[CustomerId]) -> tuple[Place, ...]:
        """Where these customers stand as to waves; those the newest plan does not have are left out."""
        return await self._database.read(lambda conn: waves.places(conn, customer_ids))

    async def wave_candidates(self, country: str = "", limit: int | None = None) -> tuple[CustomerId, ...]:
        """Customers to move that are in no open wave and have not begun; who accepted comes first."""
        return await self._database.read(lambda conn: waves.candidates(conn, country, limit))

    async def wave_size(self, wave_id: int) -> WaveSize:
        """How big a wave is."""
        return await self._database.read(lambda conn: waves.size(conn, wave_id))

    async def ended_waves(self) -> tuple[Wave, ...]:
        """Running and paused waves with nobody left to move."""
        return await self._database.read(waves.ended)

    async def wave_phases(self) -> Mapping[int, Mapping[Phase, int]]:
        """How many customers of each wave, by its id, are in each phase."""
        return await self._database.read(waves.phase_counts)

    async def wave_load(self, wave_id: int) -> Load:
        """What is left to do for those of a wave that have not begun."""
        return await self._database.read(lambda conn: waves.load_of_wave(conn, wave_id))

    async def open_load(self, admitted: Sequence[CustomerId] = ()) -> Load:
        """What is left to do for those that have begun, and for the admitted that are about to."""
        return await self._database.read(lambda conn: waves.open_load(conn, admitted))

    async def load_left(self) -> Load:
        """What is left to do for everybody who is to move."""
        return await self._database.read(waves.load_left)

    async def held(self, customer_id: CustomerId) -> Held:
        """Why this customer does not begin."""
        return await self._database.read(lambda conn: holds.held(conn, customer_id))

    async def held_counts(self) -> Mapping[Held, int]:
        """How many customers still to move are held, by why; those that are not are counted as NOTHING."""
        return await self._database.read(waves.held_counts)

    async def hold_of(self, customer_id: CustomerId | None) -> Hold | None:
        """The hold of one customer, or of everybody (None)."""
        return await self._database.read(lambda conn: holds.hold_of(conn, customer_id or holds.EVERYBODY))

    async def hold(self, customer_id: CustomerId | None, hold: Hold, event: Event) -> int:
        """Hold one customer, or everybody (None); returns how many are held so now."""
        whom = customer_id or holds.EVERYBODY
        return await self._database.write(lambda conn: holds.save(conn, whom, hold, event), durable=True)

    async def stop_wave(self, before: WaveState, after: Wave, event: Event, hold: Hold) -> int:
        """Abort a wave and stop what it has begun, both or nothing; returns how many are left between two bills.

        ConflictError when it is not in the state ``before`` any more.
        """

        def work(conn: Connection) -> int:
            waves.change(conn, before, after, event)
            return holds.stop_begun_of_wave(conn, after.id, hold)

        return await self._database.write(work, durable=True)

    async def lift(self, customer_id: CustomerId | None, event: Event) -> bool:
        """Take the hold of one customer, or of everybody (None), away. False: there was none."""
        whom = customer_id or holds.EVERYBODY
        return await self._database.write(lambda conn: holds.lift(conn, whom, event), durable=True)

    async def retry(
        self,
        phases: Sequence[Phase],
        now: datetime,
        *,
        customer_id: CustomerId | None = None,
        wave_id: int | None = None,
    ) -> int:
        """Make customers in these phases due now: one, those of a wave, or all. Returns how many."""
        return await self._database.write(
            lambda conn: standing.retry(conn, phases, now, customer_id=customer_id, wave_id=wave_id), durable=False
        )
