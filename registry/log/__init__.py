"""The tamper-evident log: leaves, tree, checkpoints (RFC 9162, C2SP)."""
