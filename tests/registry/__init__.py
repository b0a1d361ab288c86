"""Tests of what is true, however it is asked."""
