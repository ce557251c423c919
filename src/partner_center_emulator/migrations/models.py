"""Behaviour (model room)."""
