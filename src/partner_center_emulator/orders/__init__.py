"""Orders: buying legacy subscriptions and add-ons, reading orders, changing their billing cycle (commerce 2.1, 2.3)."""
