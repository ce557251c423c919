"""Simulation: the product and the emulator in one process on virtual time, for crash search and rehearsal (DESIGN 9).

The only room that imports the emulator.
"""
