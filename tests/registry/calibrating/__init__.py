"""Error rates, their intervals, and what is made of them."""
