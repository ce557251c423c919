"""Reports: each defined once as columns over the ledger, shown by the CLI, in workbooks and in HTML."""
