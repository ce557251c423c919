"""The claims of the coverage table as runnable checks (report room), for this emulator and for a real sandbox.

Read-only checks leave no trace; those marked as writing buy, suspend and change things and belong on sandboxes only.
"""
