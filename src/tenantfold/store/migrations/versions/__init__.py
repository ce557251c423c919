"""Store: one module per schema version, oldest first. Never edit a released one; add the next."""
