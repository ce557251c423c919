"""tenantfold plans, rehearses, executes and proves the fold of several CSP partner tenants into one."""

__version__ = "0.1.0"
