"""What is left to try by hand: ways to sign in to the pages, and files that curl reads."""

import json
import random
from dataclasses import dataclass
from pathlib import Path

from api.cli.demonstration import documents
from api.cli.demonstration.accounts import Account, Accounts
from api.cli.demonstration.journeys import Kept
from api.cli.demonstration.people import Cast, a_hash_of, a_picture_of

_FOLDER = "try"


@dataclass(frozen=True, slots=True)
class Souvenir:
    """Where the files are, the data they go with, and who signs in to the pages with what."""

    data_dir: Path
    case: Kept
    service: Account
    reviewer: Path
    token: Path
    header: Path
    photo: Path
    question: Path


def leave(
    data_dir: Path, accounts: Accounts, case: Kept, cast: Cast, rng: random.Random
) -> Souvenir:
    """Write the files beside the data, readable by their owner only."""
    asker, folder = accounts.studio, data_dir / _FOLDER
    folder.mkdir(mode=0o700)
    names = ("reviewer", "token", "header", "photo", "check.json")
    kept = Souvenir(data_dir, case, asker, *(folder / name for name in names))
    value = a_hash_of(cast.licensor, rng).hex()
    terms = cast.terms
    question = {
        "use": rng.choice(terms.uses),
        "purpose": rng.choice(terms.purposes),
        "modalities": ["FACE"],
        "territories": [rng.choice(terms.territories)],
        "persons": [{"probes": [{"imageHash": {"algorithm": "PHASH_256", "hex": value}}]}],
    }
    body = {"query": documents.TRY_CHECK, "variables": {"input": question}}
    kept.reviewer.write_text(accounts.reviewer.token + "\n")
    kept.token.write_text(asker.token)
    kept.header.write_text(f"Authorization: Bearer {asker.token}\n")
    kept.photo.write_bytes(a_picture_of(cast.licensor, rng))
    kept.question.write_text(json.dumps(body, indent=2) + "\n")
    return kept
