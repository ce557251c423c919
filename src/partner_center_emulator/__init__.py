"""A Partner Center double with its own clock, faults, actors and truth ledger. Shares no code with tenantfold."""

__version__ = "0.1.0"
