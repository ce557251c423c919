"""Money: invoices, their line items, what is not billed yet, and the rules behind them (commerce reference 6)."""
