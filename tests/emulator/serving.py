"""A real server for tests: uvicorn in a thread on a free port of 127.0.0.1."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from partner_center_emulator import server
from partner_center_emulator.emulator import Emulator, Options
from partner_center_emulator.world import World


@contextmanager
def served(world: World) -> Iterator[Emulator]:
    """Serve ``world`` while the block runs; its clock runs as well. The address is in ``options.base_url``."""
    bound = server.bind(0)
    emulator = Emulator(world, Options(port=bound.getsockname()[1]))
    serving = server.make_server(emulator)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": [bound]}, daemon=True)
    thread.start()
    try:
        # the socket listens already, so the first request of a test simply waits until the server has started
        yield emulator
    finally:
        serving.should_exit = True
        thread.join(timeout=10)
        bound.close()
