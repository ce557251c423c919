"""Faults (fault room): a seeded plan of what goes wrong on the way to, in and from the pretended service.

``plan`` reads and checks plans, ``draws`` decides which call is hit, ``strike`` does it before and after the handler,
``answers`` spoils bodies, ``delivery`` spoils the connection, ``pages`` does the same to sign-in, and ``hooks`` is what
other parts ask (order lines, webhooks).
"""
