"""Exact search in memory, and the bands a comparison score falls into. No input or output."""
