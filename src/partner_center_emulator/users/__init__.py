"""Users of a customer and what is licensed to them: users, licenses, subscribed SKUs (core reference 5.9, 5.10)."""
