"""Checks before business: country rules, addresses, domains, account validation, codes (core 5.12, 5.13, 5.16-5.18)."""
