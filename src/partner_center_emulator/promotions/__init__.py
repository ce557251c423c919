"""Promotions of new commerce and who is eligible (commerce reference 1.4, R-127)."""
