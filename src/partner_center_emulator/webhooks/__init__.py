"""Webhooks: where a partner tenant wants its events, and bringing them there (core reference 9.4)."""
