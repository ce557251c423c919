"""Azure plans, Azure subscriptions, reservations and savings plans, usage (commerce reference 5)."""
