"""Mirrors api/, registry/ and client/ file for file."""
