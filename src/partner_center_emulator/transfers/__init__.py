"""Moves of subscriptions between partner tenants, in the new and the legacy form (commerce reference 4.1, 4.2)."""
