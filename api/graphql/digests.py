"""Digests in the schema: of documents that somebody else keeps."""

import base64

from registry.errors import InvalidError

_BYTES = 32


def digest_of(text: str, field: str) -> bytes:
    """The SHA-256 of a base64 text; InvalidError for anything else."""
    try:
        value = base64.b64decode(text, validate=True)
    except ValueError:
        value = b""
    if len(value) != _BYTES:
        raise InvalidError("A SHA-256 is 32 bytes, base64.", field=field)
    return value
