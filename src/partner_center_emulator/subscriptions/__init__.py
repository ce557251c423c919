"""Subscriptions: reading, changing, suspending, and what their terms do by themselves (commerce reference 3)."""
