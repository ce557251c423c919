import asyncio
import re
import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from tenantfold.domain.records import Event
from tenantfold.domain.states import Phase
from tenantfold.errors import SchemaTooNewError, SchemaTooOldError, StoreError
from tenantfold.store import Store, tables
from tests.store import gdaps
from tests.store.samples import NOW, evidence, intent, outcome, plan_customer, saved_plan, send, step_of


def forge(version: str):
    """A unit that makes the database claim a schema version."""
    return lambda conn: conn.execute(text("UPDATE alembic_version SET version_num = :v"), {"v": version}).close()


def table_names(conn: Connection) -> set[str]:
    """What is in the database of ours; the job queue's tables belong to their library."""
    return {name for name in inspect(conn).get_table_names() if _is_ours(name)}


def _is_ours(name: str) -> bool:
    return not name.startswith("procrastinate_")


async def test_an_empty_database_gets_the_schema(empty_url: str):
    """From nothing to every table, and the check agrees."""
    async with Store.open(empty_url) as store:
        await store.migrate()
        await store.check_schema()
        found = await store.database.read(table_names)
        assert found == {*tables.metadata.tables, "alembic_version"}


async def test_migrating_again_keeps_everything(store: Store):
    """A second `init` changes nothing."""
    before = await store.tenants()
    await store.migrate()
    assert await store.tenants() == before
    assert len(before) == 3


async def test_the_migrations_and_the_tables_of_the_code_agree(empty_store: Store):
    """What the migrations build is what tables.py says: columns, types, keys, indexes."""

    def differences(conn: Connection) -> list[object]:
        options = {
            "compare_type": True,
            "compare_server_default": True,
            "include_name": lambda name, kind, _parents: kind != "table" or _is_ours(name),
        }
        return list(compare_metadata(MigrationContext.configure(conn, opts=options), tables.metadata))

    assert await empty_store.database.read(differences) == []


async def test_a_database_of_a_newer_program_is_refused_and_left_alone(url: str):
    """Neither check nor migrate touches what a newer program wrote."""
    async with Store.open(url) as store:
        await store.database.write(forge("9999"), durable=True)
        with pytest.raises(SchemaTooNewError, match="newer program wrote it"):
            await store.check_schema()
        with pytest.raises(SchemaTooNewError, match="Nothing was changed"):
            await store.migrate()
        version = await store.database.read(lambda conn: conn.execute(text("SELECT * FROM alembic_version")).scalar())
        assert version == "9999"


async def test_a_database_without_schema_is_too_old(empty_url: str, dialect: str):
    """The message says what to do."""
    async with Store.open(empty_url) as store:
        with pytest.raises(SchemaTooOldError) as caught:
            await store.check_schema()
    assert "tenantfold init" in caught.value.next_step


async def test_checking_creates_no_file(tmp_path: Path):
    """Asking about a ledger that is not there does not begin one."""
    path = tmp_path / "ledger.db"
    async with Store.open(f"sqlite:///{path}") as store:
        with pytest.raises(SchemaTooOldError, match="no ledger"):
            await store.check_schema()
    assert not path.is_file()


async def test_a_new_ledger_file_is_for_its_owner_only(tmp_path: Path):
    """It holds names and addresses of customers."""
    path = tmp_path / "ledger.db"
    async with Store.open(f"sqlite:///{path}") as store:
        await store.migrate()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


async def test_a_folder_that_is_not_there_is_an_error_of_the_house(tmp_path: Path):
    """No traceback of a driver reaches the operator."""
    async with Store.open(f"sqlite:///{tmp_path / 'no' / 'ledger.db'}") as store:
        with pytest.raises(StoreError, match=r"ledger\.db failed"):
            await store.migrate()


async def test_two_programs_may_migrate_at_once(empty_url: str):
    """The second waits for the first and finds nothing to do."""
    async with Store.open(empty_url) as one, Store.open(empty_url) as other:
        await asyncio.gather(one.migrate(), other.migrate())
        await one.check_schema()


@pytest.mark.parametrize("change", ["UPDATE", "DELETE"])
@pytest.mark.parametrize("table", ["intent", "outcome", "event", "evidence", "gdap_intent", "gdap_outcome"])
async def test_the_journal_refuses_changes(journaled: Store, table: str, change: str):
    """Whoever comes with SQL: rows of the journal can be added and nothing else."""
    target = tables.metadata.tables[table]
    statement = target.delete() if change == "DELETE" else target.update().values(at=NOW)
    with pytest.raises(StoreError, match=re.escape(f"{table} is append-only")):
        await journaled.database.write(lambda conn: conn.execute(statement).close(), durable=True)


@pytest.fixture
async def journaled(store: Store) -> Store:
    """A ledger with a row in every table of the journal."""
    plan = await saved_plan(store, plan_customer(1))
    await send(store, intent(1, plan_id=plan.id))
    await store.record_step(await step_of(store, 1, Phase.CUTTING_OVER, outcome=outcome(), event="x"), plan.created_at)
    await store.record_gdap_intent(gdaps.case(1), gdaps.intent(1))
    await store.record_gdap_outcome(gdaps.outcome(gdaps.intent(1)))
    await store.record_evidence(evidence(1), Event(at=NOW, customer_id=None, name="x", facts={}), NOW)
    return store


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
async def test_a_job_queue_of_another_version_is_too_old_until_init(empty_store: Store):
    """Made by an older library: `init` brings it up to date (its newest migration runs again) and keeps its jobs."""

    def age(conn: Connection) -> None:
        conn.execute(text("COMMENT ON TABLE procrastinate_jobs IS '03.04.00_40'")).close()
        conn.execute(text("INSERT INTO procrastinate_jobs (queue_name, task_name) VALUES ('drives', 'drive')")).close()

    await empty_store.database.write(age, durable=True)
    with pytest.raises(SchemaTooOldError, match="job queue"):
        await empty_store.check_schema()
    await empty_store.migrate()
    await empty_store.check_schema()
    jobs = await empty_store.database.read(
        lambda conn: conn.execute(text("SELECT count(*) FROM procrastinate_jobs")).scalar()
    )
    assert jobs == 1
