"""``make demo``: plays the demo in ./demo and ends with the truth ledger's verdict."""

from __future__ import annotations

import shutil
import sys

from tenantfold.cli.render import Renderer
from tenantfold.demo.mixed import WORLD, MixedDemo
from tenantfold.demo.small import FOLDER, DemoError, emulator


def main() -> int:
    """Exit code 0 only when the truth ledger is clean and everybody is explained."""
    renderer = Renderer(as_json=False)
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    try:
        with emulator(FOLDER, *WORLD) as world:
            clean = MixedDemo(FOLDER, world, renderer).play()
    except DemoError as error:
        renderer.line(f"The demo stopped: {error}", style="red")
        return 1
    renderer.line()
    verdict = "0 twins, 0 gaps, everything by its own way, and every other customer explained."
    renderer.line(verdict if clean else "The truth ledger found a fault.", style="bold green" if clean else "bold red")
    return 0 if clean else 1


if __name__ == "__main__":
    sys.exit(main())
