"""The new-commerce catalog: products, SKUs, availabilities, prices, inventory check (commerce reference 1.2)."""
