"""The web page for people (page room): the world at a glance, both sides of a customer, the clock, the faults."""
