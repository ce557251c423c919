"""Benchmarks: the budgets of the design, measured. ``make bench`` runs them all; none of them is a test."""
