"""Microsoft Graph, the one call that tells which roles a user has (core reference 1.7)."""
