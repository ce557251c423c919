"""Calls to Partner Center per customer of the demo world, from the first invitation to the last suspension."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from benchmarks.emulated_partner import Partner
from benchmarks.measure import Bench, Figure, Outcome
from partner_center_emulator import actors, demo_world, ledger
from partner_center_emulator.emulator import Options
from tenantfold.bootstrap import regions
from tenantfold.domain.model import AgreementContact, CustomerId
from tenantfold.domain.plan import Disposition, PlanRecord
from tenantfold.domain.policy import Policy
from tenantfold.domain.selection import CustomerSelection, SelectedCustomer
from tenantfold.domain.states import Phase
from tenantfold.flow.cutover import Cutover
from tenantfold.flow.inventory import InventoryTask, take
from tenantfold.flow.planning import PlanTask, make
from tenantfold.flow.progress import Silent
from tenantfold.flow.relationships import InviteTask, invite
from tenantfold.flow.run import Run, RunOptions, StopSign
from tenantfold.store import Store

EXTRA_CALLS = 5  # the budget: so many calls a customer, and one for each of its subscriptions
