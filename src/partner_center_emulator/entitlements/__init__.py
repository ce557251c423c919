"""What a customer owns besides subscriptions: reservations and software (commerce reference 3.2)."""
