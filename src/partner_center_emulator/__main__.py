"""Lets ``python -m partner_center_emulator`` do what the command ``partner-center-emulator`` does."""

from partner_center_emulator.cli import main

main()
