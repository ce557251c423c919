"""The demo: a whole consolidation against the emulator, played with the real commands. Nobody imports it but tests."""
