"""Qualifications of customers for special offers, vetted after a while (core reference 5.11)."""
