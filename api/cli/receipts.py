"""`likeness receipt`: what the registry signed, verified without having to believe anybody."""

import base64
import binascii
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from api.cli import consent_receipts
from api.cli.output import NO, USAGE, AsJson, Failed, failing, pairs, result
from api.cli.remote import Remote
from api.cli.session import run
from api.cli.settings import DataDir, existing, settings_of
from registry import jws, receipts
from registry.errors import InvalidError
from registry.installation import Installation
from registry.key_files import KeyRole
from registry.keys import Keys
from registry.log import entries
from registry.log.checkpoint import Checkpoint, VerifierKey
from registry.receipts import VerifiedDecision

app = typer.Typer(no_args_is_help=True)

File = Path | None


@dataclass(frozen=True, slots=True)
class _Proof:
    """Evidence that claims are in the log."""

    hashes: Sequence[bytes]
    note: str


app.command("list")(consent_receipts.list_)


@app.command("verify")
def verify(
    receipt: Annotated[
        str,
        typer.Argument(
            metavar="TOKEN_OR_FILE",
            help="The decision token or consent receipt, a file of it or of"
            " `likeness check --save`, or - for standard input.",
        ),
    ],
    *,
    url: Annotated[str | None, typer.Option(help="Take the keys from this registry.")] = None,
    jwks: Annotated[
        File, typer.Option(exists=True, dir_okay=False, help="Take the keys from this key set.")
    ] = None,
    salt: Annotated[
        str | None, typer.Option(help="The decision's salt, in hex; a saved answer has it.")
    ] = None,
    proof: Annotated[
        File, typer.Option(exists=True, dir_okay=False, help="What `likeness log proof` printed.")
    ] = None,
    checkpoint: Annotated[
        File,
        typer.Option(
            exists=True, dir_okay=False, help="The signed checkpoint of the proof's tree."
        ),
    ] = None,
    data_dir: DataDir = None,
    _json: AsJson = False,
) -> None:
    """Verify a decision's signature, and with its salt that it is in the transparency log.

    A consent receipt is verified by its signature alone, and shown in words.

    Without --url and --jwks the keys, and the proof, are those of the installation here. With
    files alone it works offline. An expired decision is evidence, but no permission any more.

    For example:

        likeness receipt verify decision.json

        likeness receipt verify decision.json --jwks jwks.json --proof proof.json

        likeness receipt verify consent.jws --jwks jwks.json
    """
    token, salt_bytes = _read(receipt, salt)
    here = url is None and jwks is None
    keys = _keys(url, jwks, data_dir)
    if consent_receipts.is_one(token):
        if salt or proof or checkpoint:
            raise Failed(
                "A consent receipt has no salt, and no proof: it is not in the log.", USAGE
            )
        consent_receipts.show_verified(token, keys)
        return
    try:
        verified = receipts.verify_decision(token, keys)
        found = _proof(proof, checkpoint)
        if found is None and here and salt_bytes is not None:
            found = run(lambda one: _own_proof(one, verified.claims), data_dir=data_dir)
        head = None
        if found is not None and salt_bytes is not None:
            head = _in_log(verified.claims, salt_bytes, found, keys)
    except InvalidError as error:
        raise Failed(f"The receipt does not hold. {error}", NO, code="DIFFERS") from error
    if head is None and found is not None:
        raise Failed("A proof needs the decision's salt: give --salt.", USAGE)
    result(_document(verified, head), lambda: pairs(_rows(verified, head, salt_bytes)))


def _read(receipt: str, salt: str | None) -> tuple[str, bytes | None]:
    """The token, and its salt if it is known."""
    text = receipt
    if receipt == "-":
        text = sys.stdin.read()
    elif receipt.count(".") != 2 or not receipt.startswith("ey"):  # noqa: PLR2004  # of a JWS
        text = _text(Path(receipt))
    if text.lstrip().startswith("{"):
        saved = _object(text.encode(), receipt)
        text, salt = str(saved.get("token")), salt or saved.get("salt")
    try:
        return text.strip(), None if salt is None else bytes.fromhex(salt)
    except (ValueError, TypeError) as error:
        raise Failed("A salt is 64 hexadecimal digits.", USAGE) from error


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        raise Failed(f"{file} is no token, and no file: {error.strerror}.", USAGE) from error


def _keys(url: str | None, jwks: File, data_dir: File) -> dict[str, Any]:
    if url is not None and jwks is not None:
        raise Failed("Give --url or --jwks, not both.", USAGE)
    if jwks is not None:
        return _object(jwks.read_bytes(), str(jwks))
    if url is not None:
        with Remote(url) as remote:
            return remote.get("/.well-known/jwks.json")
    with failing():
        return dict(Keys.open(existing(settings_of(data_dir)).data_dir).jwks())


def _proof(proof: File, checkpoint: File) -> _Proof | None:
    if proof is None:
        if checkpoint is not None:
            raise Failed("A checkpoint alone proves nothing: give --proof too.", USAGE)
        return None
    found = _object(proof.read_bytes(), str(proof))
    note = found.get("checkpoint") if checkpoint is None else _text(checkpoint)
    if not isinstance(note, str):
        raise Failed("The proof comes without a checkpoint: give --checkpoint.", USAGE)
    try:
        return _Proof([base64.b64decode(one, validate=True) for one in found["hashes"]], note)
    except (KeyError, TypeError, binascii.Error) as error:
        raise Failed(f"{proof} is not what `likeness log proof` prints.", USAGE) from error


async def _own_proof(installation: Installation, claims: Mapping[str, Any]) -> _Proof | None:
    """The proof from the installation's own log, in its newest tree."""
    index = claims.get("log", {}).get("index")
    async with installation.operator.reading() as session:
        newest = await entries.latest(session)
        if newest is None or type(index) is not int or not 0 <= index < newest.size:
            raise Failed("The receipt does not hold. The log has no such entry.", NO)
        hashes = await entries.inclusion_proof(session, index=index, tree_size=newest.size)
    return _Proof(hashes, newest.note)


def _in_log(
    claims: Mapping[str, Any], salt: bytes, proof: _Proof, jwks: Mapping[str, Any]
) -> Checkpoint:
    """The checkpoint that proves it; InvalidError with the reason of the key it names."""
    origin = proof.note.partition("\n")[0]
    refusal = InvalidError("The key set has no key of the log.")
    for key in _log_keys(jwks):
        try:
            return receipts.verify_in_log(
                claims,
                salt=salt,
                proof=proof.hashes,
                checkpoint_note=proof.note,
                verifier_key=str(VerifierKey(origin, key)),
            )
        except InvalidError as error:
            refusal = error
    raise refusal


def _log_keys(jwks: Mapping[str, Any]) -> list[Ed25519PublicKey]:
    return [
        Ed25519PublicKey.from_public_bytes(jws.decode(one["x"]))
        for one in jwks["keys"]
        if one.get("role") == KeyRole.LOG
    ]


def _object(data: bytes, name: str) -> dict[str, Any]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise Failed(f"{name} is not JSON.", USAGE) from error
    if not isinstance(found, dict):
        raise Failed(f"{name} is not a JSON object.", USAGE)
    return found


def _document(verified: VerifiedDecision, head: Checkpoint | None) -> dict[str, object]:
    return {
        "holds": True,
        "expired": verified.expired,
        "kid": verified.kid,
        "claims": verified.claims,
        "inLog": head is not None,
        "treeSize": None if head is None else head.size,
    }


def _rows(
    verified: VerifiedDecision, head: Checkpoint | None, salt: bytes | None
) -> list[tuple[str, str]]:
    claims = verified.claims
    expires = _time(claims["exp"]) + (" (expired)" if verified.expired else "")
    said = [
        ("Signature", f"holds (key {verified.kid})"),
        ("Decision", claims.get("jti")),
        ("Outcome", claims.get("outcome")),
        ("May proceed", "yes" if claims.get("may_proceed") is True else "no"),
        ("Use", f"{claims.get('use')} for {claims.get('purpose')}"),
        ("Territories", ", ".join(claims.get("terr", [])) or "-"),
        ("Reasons", ", ".join(claims.get("reasons", [])) or "-"),
        ("Grants", ", ".join(claims.get("grants", [])) or "-"),
        ("Asked by", claims.get("aud")),
        ("Signed by", claims.get("iss")),
        ("Decided at", _time(claims.get("iat"))),
        ("Valid until", expires),
        ("In the log", _place(claims, head, salt)),
    ]
    return [(name, str(value)) for name, value in said]


def _place(claims: Mapping[str, Any], head: Checkpoint | None, salt: bytes | None) -> str:
    if head is not None:
        return f"yes: entry {claims['log']['index']} of {head.size} in {head.origin}"
    return "not checked: give --salt" if salt is None else "not checked: give --proof"


def _time(seconds: object) -> str:
    if not isinstance(seconds, int):
        return "-"
    return datetime.fromtimestamp(seconds, UTC).isoformat()
