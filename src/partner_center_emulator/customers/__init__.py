"""Customers: the list, the customer, company and billing profile, the end of a relationship (core reference 5)."""
