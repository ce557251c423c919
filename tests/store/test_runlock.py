import os
import signal
import socket
import subprocess
import sys

import pytest

from tenantfold.errors import LedgerBusyError
from tenantfold.store import Store

HOLDER = """
import asyncio, sys
from tenantfold.store import Store

async def hold(url):
    async with Store.open(url) as store, store.exclusive("run"):
        print("held", flush=True)
        await asyncio.to_thread(sys.stdin.read)

asyncio.run(hold(sys.argv[1]))
"""


@pytest.fixture
def holder(url: str):
    """Another process that holds the run lock."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


async def test_a_second_run_is_refused_and_told_who_runs(empty_store: Store, holder: subprocess.Popen[str]):
    """The message names process and host, so that a person can find the other run."""
    with pytest.raises(LedgerBusyError) as caught:
        async with empty_store.exclusive("run"):
            pytest.fail("two runs at once")
    assert f"process {holder.pid} on {socket.gethostname()}" in caught.value.message
    assert caught.value.facts["pid"] == holder.pid


async def test_a_decision_is_made_beside_workers_but_not_beside_a_run(empty_store: Store, dialect: str):
    """The version of each row keeps several writers apart; a run alone, and SQLite's one worker, want nobody beside."""
    async with empty_store.exclusive("run"):
        with pytest.raises(LedgerBusyError):
            async with empty_store.beside_workers("a decision"):
                pytest.fail("beside a run")
    async with empty_store.beside_workers("berlin-1"):
        if dialect == "sqlite":
            with pytest.raises(LedgerBusyError):
                async with empty_store.beside_workers("a decision"):
                    pytest.fail("beside the one worker")
        else:
            async with empty_store.beside_workers("a decision"):
                with pytest.raises(LedgerBusyError):
                    async with empty_store.beside_workers("a decision"):
                        pytest.fail("two of one name")


async def test_the_lock_is_free_at_once_when_its_holder_is_killed(empty_store: Store, holder: subprocess.Popen[str]):
    """Nothing is to be cleaned up after kill -9: the lock dies with the process."""
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    async with empty_store.exclusive("run"):
        assert holder.returncode == -signal.SIGKILL


async def test_the_lock_is_free_after_a_run_that_failed(empty_store: Store):
    """An error inside the run gives the lock back."""
    with pytest.raises(ZeroDivisionError):
        async with empty_store.exclusive("run"):
            raise ZeroDivisionError
    async with empty_store.exclusive("run"):
        with pytest.raises(LedgerBusyError, match=f"process {os.getpid()}"):
            async with empty_store.exclusive("run"):
                pytest.fail("two runs at once")


async def test_locks_of_different_names_do_not_meet(empty_store: Store):
    """An inventory may run beside a run."""
    async with empty_store.exclusive("run"), empty_store.exclusive("inventory"):
        pass
    async with empty_store.exclusive("inventory"):
        pass
