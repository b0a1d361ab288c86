"""Perceptual hashes in the schema."""

from enum import StrEnum

import strawberry

from registry.checks.questions import Probe


@strawberry.enum(description="How a picture was hashed.")
class HashAlgorithm(StrEnum):
    """How a picture was hashed."""

    PHASH_256 = "PHASH_256"


@strawberry.input(description="A picture's perceptual hash, made by the client.")
class HashInput:
    """A picture's perceptual hash, made by the client."""

    algorithm: HashAlgorithm
    hex: str = strawberry.field(description="64 hexadecimal digits, most significant bit first.")


def hash_of(given: HashInput) -> bytes:
    """The 32 bytes; InvalidError for anything else."""
    return Probe.from_hex(given.hex).image_hash or b""
