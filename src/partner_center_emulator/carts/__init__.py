"""Carts and their checkout, for both commerce generations (commerce reference 2.2)."""
