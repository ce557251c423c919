"""Reports: invitations as text files that a person can send."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Protocol

from tenantfold.domain.model import CustomerId


class Addressee(Protocol):
    """Whom a letter is for."""

    @property
    def customer_id(self) -> CustomerId:
        """Its tenant."""
        ...

    @property
    def company_name(self) -> str:
        """Its name, as it came from outside."""
        ...


def write_letter(folder: Path, customer: Addressee, text: str) -> str:
    """One text file a customer; its name starts with the customer's name, made harmless, and ends with its id."""
    folder.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^\w-]+", "-", customer.company_name).strip("-")[:60]
    file = folder / f"{name}-{customer.customer_id}.txt"
    file.write_text(text, encoding="utf-8")
    return str(file)
