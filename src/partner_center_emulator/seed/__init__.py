"""Worlds made from a number (state room): the same seed and size always give the same world.

``generate_world`` makes three source tenants and one target tenant of one partner, and the customers with what they
hold. It needs neither a clock nor the machine's randomness. ``demo_world.py`` builds on it.
"""

from partner_center_emulator.seed.generator import add_customer, empty_partner, generate_world, weighted_source
from partner_center_emulator.seed.portfolio import Holding, hold

__all__ = ["Holding", "add_customer", "empty_partner", "generate_world", "hold", "weighted_source"]
