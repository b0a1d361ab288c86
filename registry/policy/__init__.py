"""The decision: facts in, an answer with its reasons out. Pure but for the pack loader."""
