"""Relationships: the request link, the acceptance page behind it, partner-to-partner lists (core reference 6)."""
