"""The scripts of the pages, each alone, on small pages of its own."""
