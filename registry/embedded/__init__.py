"""PostgreSQL that comes with the product: made, started, watched and stopped by our own process."""
