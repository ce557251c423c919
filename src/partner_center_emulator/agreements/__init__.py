"""Agreements: metadata, a partner's attestation for a customer, the customer's own signature (core reference 7)."""
