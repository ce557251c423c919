"""Checks of the house's own rules: what no linter knows, the size gate and the freshness of generated docs."""
