"""The truth ledger (truth room): what really happened to every subscription, judged without asking any client.

It looks at the world's recorded changes and its state, and at nothing a client reports about itself. Reading order:
``timeline.py`` (a subscription's life), ``matching.py`` (which target subscription stands for which source
subscription), ``verdict.py`` (gap, overlap, parity of one pair), ``ways.py`` (by which way it went), ``account.py``
(one customer), ``azure.py`` (who is billed for Azure), ``report.py`` (all).
"""

from partner_center_emulator.ledger.report import judge, report
from partner_center_emulator.ledger.shape import (
    CustomerVerdict,
    Difference,
    Gap,
    LedgerReport,
    Overlap,
    Parity,
    Totals,
    Twin,
    Unequal,
)

__all__ = [
    "CustomerVerdict",
    "Difference",
    "Gap",
    "LedgerReport",
    "Overlap",
    "Parity",
    "Totals",
    "Twin",
    "Unequal",
    "judge",
    "report",
]
