"""Sign-in: the two token endpoints of the login authority (core reference 1.3, 1.4, 1.6)."""
