"""The ledger database: SQLite by default, PostgreSQL for several workers. SQL lives only here."""
