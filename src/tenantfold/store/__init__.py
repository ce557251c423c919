"""The ledger database: SQLite by default, PostgreSQL for several workers. SQL lives only here.

``Store`` is the whole ledger as one object. Reading order: tables, database, writers, then snapshots and book (what
was read), plans and rebase (what was decided), journal and progress (what was done), rows and parity (reports).
"""

from tenantfold.store.parity import ParityRow
from tenantfold.store.rows import COLUMNS, RowPage, RowSet
from tenantfold.store.store import Store

__all__ = ["COLUMNS", "ParityRow", "RowPage", "RowSet", "Store"]
