"""What a worker is made of: joins dispatch, flow, store and reports for ``tenantfold worker`` and the coarse jobs."""

from __future__ import annotations

import os
import socket
from collections import Counter
from pathlib import Path

from tenantfold import __version__
from tenantfold.bootstrap import CALLS_BESIDE, Program, approval_center_of
from tenantfold.dispatch.feeder import Feeder
from tenantfold.dispatch.jobs import JobOffice, Report, journaled
from tenantfold.dispatch.local import LocalDispatcher
from tenantfold.dispatch.queue import QueueDispatcher, QueueOptions
from tenantfold.dispatch.upkeep import Upkeep
from tenantfold.dispatch.worker import Identity, Pulse, Worker
from tenantfold.domain.facts import LegacySoftware
from tenantfold.errors import ConfigError
from tenantfold.flow.approval import Consent
from tenantfold.flow.call_log import CallLog
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.progress import Reporter, Silent
from tenantfold.flow.reconciler import Reconciler, StopSign
from tenantfold.flow.relationships import InviteTask, invite
from tenantfold.flow.waves import WaveKeeper
from tenantfold.reports.letters import write_letter
from tenantfold.reports.sheets import all_sheets
from tenantfold.reports.workbook import write_tables
from tenantfold.store.queue import conninfo
from tenantfold.store.runlock import beside_others
from tenantfold.store.workers import WorkerBook, WorkerRow

RUN_LOCK = "run"  # held alone by a run or a worker on SQLite, together by workers on PostgreSQL
POLL_SECONDS = 60.0  # how often a lone worker looks for acceptances; in a fleet the queue's schedule says so
EXPORT = "export.xlsx"


def default_name() -> str:
    """A name for a worker nobody named: unique on all machines as long as its process lives."""
    return f"{socket.gethostname()}-{os.getpid()}"


async def serve(program: Program, *, name: str, concurrency: int | None, stop: StopSign, report: Reporter) -> int:
    """Be a worker until ``stop`` is raised; returns how many drives it made.

    LedgerBusyError when this ledger admits no further worker, when the name is taken, or when this worker was
    believed lost; AuthError and StoreError when nothing goes on.
    """
    given = program.settings.workers
    database = program.store.database
    await program.follow_server_time(required=True)
    work = Reconciler(program.cutover(), report, stop)
    work.before_poll = program.follow_server_time  # a worker with nobody to drive must see a moved clock, too
    book = WorkerBook(database)
    worker = Worker(
        work,
        stop,
        book,
        Identity(name=name, host=socket.gethostname(), pid=os.getpid(), program=__version__),
        Pulse(heartbeat_seconds=given.heartbeat_seconds, lost_after_seconds=given.lost_after_seconds),
    )
    places = concurrency or given.concurrency
    calls = CallLog(program.store, program.clock, program.calls)
    if database.is_sqlite:
        work.before_look = WaveKeeper(program.wave_desk()).keep
        work.doorbell = program.doorbell()
        async with program.store.exclusive(RUN_LOCK), calls.kept():
            await worker.serve_alone(LocalDispatcher(program.clock, places), POLL_SECONDS)
    else:
        async with beside_others(database, RUN_LOCK, name), calls.kept():
            await worker.serve_fleet(_queue(program, work, book, name, places))
    return work.drives


def _queue(program: Program, work: Reconciler, book: WorkerBook, name: str, places: int) -> QueueDispatcher:
    given = program.settings.workers
    database = program.store.database
    upkeep = Upkeep(
        database=database,
        feeder=Feeder(database, program.clock, given.backlog),
        workers=book,
        lost_after_seconds=given.lost_after_seconds,
        may_feed=Consent(program.store).given,
        poll=work.poll,
        chores=journaled(
            {kind: _apart(report) for kind, report in chores(program).items()}, program.store, program.clock
        ),
        daily={"inventory": given.inventory_at} if given.inventory_at is not None else {},
        schedules=(WaveKeeper(program.wave_desk()).keep,),
        doorbell=program.doorbell(),
    )
    options = QueueOptions(
        concurrency=places,
        heartbeat_seconds=given.heartbeat_seconds,
        lost_after_seconds=given.lost_after_seconds,
    )
    return QueueDispatcher(
        conninfo(database), program.clock, options, upkeep, lambda queue_id: book.name_in_queue(name, queue_id)
    )


async def workers(program: Program) -> tuple[WorkerRow, ...]:
    """The workers of this ledger, those alive first; who is gone without a word is marked lost."""
    book = WorkerBook(program.store.database)
    if not program.store.database.is_sqlite:  # there only the lone worker could tell
        await book.bury(program.settings.workers.lost_after_seconds)
    return await book.everybody()


def office(program: Program) -> JobOffice:
    """Where coarse jobs are handed in. ConfigError on SQLite."""
    if program.store.database.is_sqlite:
        raise ConfigError(
            "Jobs for workers need a ledger in PostgreSQL; this one is a SQLite file.",
            next_step="Run the command itself instead: tenantfold inventory, export or invite --again.",
        )
    return JobOffice(conninfo(program.store.database), program.store, tuple(chores(program)))


def chores(program: Program) -> dict[str, Report]:
    """The coarse jobs by name."""

    async def inventory() -> str:
        async with program.store.exclusive("inventory"):
            taken = [await take(_inventory_task(program, number), Silent()) for number in range(len(program.tenants))]
        return f"{sum(one.customers for one in taken)} customer(s) read in {len(taken)} tenant(s)"

    async def export() -> str:
        file = _report_folder(program) / EXPORT
        sheets = all_sheets(program.store, await program.newest_weighing(), approval_center_of(program.settings))
        await write_tables(sheets, file)
        return f"written to {file}"

    async def remind() -> str:
        target = program.centers[program.target.id]
        folder = program.settings.files.invitations
        task = InviteTask(
            ledger=program.store,
            target=target,
            partner_name=(await target.identity()).company_name,
            clock=program.clock,
            write=lambda customer, text: write_letter(folder, customer, text),
            again=True,
            billing_model=program.billing_models[program.target.id],
        )
        async with program.store.exclusive("invite"):
            invited = await invite(task, Silent())
        left = f"; {len(invited.left)} without a link that is right, see tenantfold invite" if invited.left else ""
        return f"{len(invited.written)} reminder(s) written to {folder}{left}"

    return {"inventory": inventory, "export": export, "remind": remind}


def _apart(report: Report) -> Report:
    """A job whose calls are not counted as the move's: status compares those with the rehearsal's."""

    async def run() -> str:
        calls: Counter[str] = Counter()
        before = CALLS_BESIDE.set(calls)
        try:
            result = await report()
        finally:
            CALLS_BESIDE.reset(before)
        return f"{result}, {calls.total()} call(s) to Partner Center" if calls else result

    return run


def _report_folder(program: Program) -> Path:
    folder = program.settings.files.reports
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _inventory_task(program: Program, number: int) -> InventoryTask:
    tenant = program.tenants[number]  # sources first: the target's catalogs follow their countries
    return InventoryTask(
        tenant=tenant,
        partner_center=program.centers[tenant.id],
        inventory=program.store,
        clock=program.clock,
        regions=program.regions,
        in_flight=program.settings.limits.in_flight,
        legacy_software=LegacySoftware(program.settings.policy.legacy_software),
    )
