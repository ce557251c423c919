"""Migrations of legacy subscriptions into new commerce at the same partner (commerce reference 4.3)."""
