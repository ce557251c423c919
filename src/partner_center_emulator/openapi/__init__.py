"""The OpenAPI 3.1 description of the emulated surface (report room): shapes by area, one table, one document.

The routes come from the route tables themselves, so none can be missing; the shapes are written by hand from the
reference, and every member that the wire may leave out is optional here as well.
"""
