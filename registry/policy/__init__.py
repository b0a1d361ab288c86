"""The decision: facts in, an answer with its reasons out. No input or output but the pack loader."""
