"""Reports: invitations as text files that a person can send."""

from __future__ import annotations

import re
from pathlib import Path

from tenantfold.domain.plan import PlanCustomer


def write_letter(folder: Path, customer: PlanCustomer, text: str) -> str:
    """One text file a customer; its name starts with the customer's name, made harmless, and ends with its id."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w-]+", "-", customer.company_name).strip("-")[:60]
    file = folder / f"{name}-{customer.customer_id}.txt"
    file.write_text(text, encoding="utf-8")
    return str(file)
