"""Service requests, and the support people who move legacy Azure subscriptions (core reference 9.2, rules K)."""
