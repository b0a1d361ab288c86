"""Checks: was this use of this person consented? The one use case that needs everything."""
