"""Dispatch: who drives which due customer where. One machine: in this process; many machines: Procrastinate's queue."""
