"""A typed async client for Partner Center REST. Usable alone; knows HTTP and JSON, decides nothing."""
