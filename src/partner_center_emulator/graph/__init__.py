"""Microsoft Graph: which roles a user has, and granular delegated admin relationships (core reference 1.7, 8)."""
