"""The functional core: frozen values and pure functions that decide everything. No I/O, no clock, no database.

Reading order: model -> states -> routes -> plan -> guards -> parity -> cutover.
"""
