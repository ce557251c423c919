"""The open gate and the single lane: what a cutover uses where nothing limits it (tests, a partner of one customer)."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import datetime

from tenantfold.domain.guards import Refusal
from tenantfold.domain.records import Case


class OpenGate:
    """Lets every cutover begin. Implements ``flow.ports.Gate``."""

    async def refusal(self, case: Case) -> Refusal | None:
        """Nothing stands in the way."""
        del case
        return None

    async def held(self, case: Case) -> Refusal | None:
        """Nobody holds anybody."""
        del case
        return None


class OneLane:
    """Treats all calls alike. Implements ``flow.ports.Lanes``."""

    def urgent(self, deadline: datetime) -> AbstractContextManager[None]:
        """No lane of its own."""
        del deadline
        return nullcontext()
