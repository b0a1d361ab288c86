"""Exact search and bands."""
