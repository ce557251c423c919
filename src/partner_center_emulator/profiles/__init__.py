"""Profiles: who the partner tenant is, and partners by their PartnerID (core reference 9.1)."""
