"""Audit: the activity log of a partner tenant (core reference 9.3)."""
