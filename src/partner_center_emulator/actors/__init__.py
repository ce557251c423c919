"""People outside the partner (world room): the customers' admins, and Microsoft's support (``actors.support``)."""

from partner_center_emulator.actors.customers import Asked, Kind, Unwilling, ask

__all__ = ["Asked", "Kind", "Unwilling", "ask"]
