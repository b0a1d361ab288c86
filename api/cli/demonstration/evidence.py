"""What a decision leaves behind, and how anyone checks it later without asking the registry."""

import base64
import random
from dataclasses import dataclass
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.cli.demonstration import documents
from api.cli.demonstration.client import Client
from registry import jws
from registry.errors import InvalidError
from registry.key_files import KeyRole
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.receipts import verify_decision, verify_in_log


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything a verifier keeps: the answer, the public keys, a signed tree head and a proof."""

    token: str
    salt: bytes
    jwks: dict[str, Any]
    note: str
    proof: list[bytes]


def collect(client: Client, decision: dict[str, Any]) -> Evidence:
    """Fetch what proves this decision; from here on nothing of it needs the network."""
    head = client.ask(documents.CHECKPOINT)
    proof = client.ask(documents.INCLUSION_PROOF, index=decision["logIndex"], size=head["size"])
    return Evidence(
        token=decision["token"],
        salt=bytes.fromhex(decision["salt"]),
        jwks=client.get("/.well-known/jwks.json"),
        note=head["note"],
        proof=[base64.b64decode(one) for one in proof["hashes"]],
    )


def verified(evidence: Evidence) -> tuple[str, Checkpoint]:
    """The outcome that was signed and the tree head it is under; InvalidError if either is not."""
    claims = verify_decision(evidence.token, evidence.jwks).claims
    head = verify_in_log(
        claims,
        salt=evidence.salt,
        proof=evidence.proof,
        checkpoint_note=evidence.note,
        verifier_key=_log_key(evidence.jwks, claims["log"]["origin"]),
    )
    return claims["outcome"], head


def refuses_a_changed_token(evidence: Evidence, rng: random.Random) -> bool:
    """Whether the token no longer verifies once one character of it is another."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    place = rng.choice([at for at, one in enumerate(evidence.token) if one != "."])
    other = rng.choice(alphabet.replace(evidence.token[place], ""))
    changed = evidence.token[:place] + other + evidence.token[place + 1 :]
    try:
        verify_decision(changed, evidence.jwks)
    except InvalidError:
        return True
    return False


def _log_key(jwks: dict[str, Any], origin: str) -> str:
    """The log's key as its verifiers name it."""
    key = next(one for one in jwks["keys"] if one["role"] == KeyRole.LOG)
    return str(VerifierKey(origin, Ed25519PublicKey.from_public_bytes(jws.decode(key["x"]))))
