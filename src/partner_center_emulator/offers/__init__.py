"""Offers and offer categories of the legacy catalog (commerce reference 1.1)."""
