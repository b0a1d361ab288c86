"""Tests of the encoders, with hostile files made on the fly."""
