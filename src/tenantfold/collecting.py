"""How often Python looks for reference cycles, said once for every program of ours.

Inventory, plan and reports let millions of values without cycles pass by, some ten thousand of them at a time. With the
interpreter's usual threshold of 700 each of these is looked at several times before it goes, which costs a tenth of all
processor time. Cycles are still found, after some more of them.
"""

from __future__ import annotations

import gc

MORE_OBJECTS = 10_000  # containers made and not yet gone, between two looks: a batch of customers with what they hold


def collect_seldom() -> None:
    """Make the garbage collector look less often, in the whole process. For the start of a program."""
    _, middle, old = gc.get_threshold()
    gc.set_threshold(MORE_OBJECTS, middle, old)
