"""Lets ``python -m tenantfold`` do what the command ``tenantfold`` does."""

from tenantfold.cli import main

main()
