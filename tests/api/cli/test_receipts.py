from datetime import UTC, datetime
from pathlib import Path

import httpx2
import orjson
import pytest

from tests.api.cli.conftest import Likeness, as_a_program


@pytest.fixture
def files(likeness: Likeness, saved: Path, url: str, tmp_path: Path) -> list[str]:
    """Options that name a key set and a proof, as an auditor would have been given them."""
    jwks, proof = tmp_path / "jwks.json", tmp_path / "proof.json"
    jwks.write_bytes(httpx2.get(f"{url}/.well-known/jwks.json").content)
    index = str(orjson.loads(saved.read_bytes())["logIndex"])
    proof.write_text(likeness("log", "proof", index).ok)
    return ["--jwks", str(jwks), "--proof", str(proof)]


def test_a_saved_answer_is_verified_and_found_in_the_log(likeness: Likeness, saved: Path) -> None:
    ended = likeness("receipt", "verify", str(saved))
    assert "yes: entry" in ended.ok
    assert "SWAP_FACE for GAMES" in ended.ok
    before = datetime.now(UTC)
    said = likeness("receipt", "verify", str(saved), "--json").json
    assert (said["holds"], said["inLog"]) == (True, True)
    # A refusal is good for a minute only, and the order of the tests is anybody's guess.
    expires = datetime.fromtimestamp(said["claims"]["exp"], UTC)
    assert said["expired"] in {expires <= before, expires <= datetime.now(UTC)}


def test_files_alone_verify_offline(saved: Path, files: list[str], tmp_path: Path) -> None:
    ended = as_a_program(
        "receipt", "verify", str(saved), *files, "--json", data_dir=tmp_path / "none"
    )
    assert (ended.code, ended.json["inLog"]) == (0, True)
    assert not (tmp_path / "none").exists()


def test_a_bare_token_is_verified_by_a_registrys_keys(
    likeness: Likeness, saved: Path, url: str
) -> None:
    token = orjson.loads(saved.read_bytes())["token"]
    assert "not checked: give --salt" in likeness("receipt", "verify", token, "--url", url).ok
    piped = likeness("receipt", "verify", "-", "--url", url, "--json", stdin=token + "\n")
    assert (piped.json["inLog"], piped.json["claims"]["use"]) == (False, "SWAP_FACE")
    salted = likeness("receipt", "verify", str(saved), "--url", url)
    assert "not checked: give --proof" in salted.ok


def test_a_changed_token_or_salt_or_proof_does_not_hold(
    likeness: Likeness, saved: Path, files: list[str], tmp_path: Path
) -> None:
    answer = orjson.loads(saved.read_bytes())
    head, _, signature = answer["token"].rpartition(".")
    flipped = f"{head}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    assert likeness("receipt", "verify", flipped).code == 1
    ended = likeness("receipt", "verify", answer["token"], "--salt", "00" * 32)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: The receipt does not hold. ")
    proof = orjson.loads(Path(files[-1]).read_bytes())
    broken = tmp_path / "broken.json"
    broken.write_bytes(orjson.dumps(proof | {"hashes": ["AA==", *proof["hashes"]]}))
    assert likeness("receipt", "verify", str(saved), "--proof", str(broken)).code == 1


def test_another_registrys_keys_do_not_verify(
    likeness: Likeness, saved: Path, folder: Path, tmp_path: Path
) -> None:
    assert folder
    other = tmp_path / "jwks.json"
    other.write_text('{"keys": []}')
    ended = likeness("receipt", "verify", str(saved), "--jwks", str(other))
    assert (ended.code, ended.err) == (
        1, "Error: The receipt does not hold. The token names an unknown key.\n",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "code", "why"),
    [
        (["/absent"], 2, "is no token, and no file"),
        (["SAVED", "--salt", "xyz"], 2, "hexadecimal"),
        (["SAVED", "--jwks", "SAVED", "--url", "http://x"], 2, "not both"),
        (["SAVED", "--checkpoint", "SAVED"], 2, "give --proof too"),
        (["SAVED", "--proof", "SAVED"], 2, "give --checkpoint"),
        (["SAVED", "--proof", "SAVED", "--checkpoint", "SAVED"], 2, "log proof` prints"),
        (["SAVED", "--jwks", "TEXT"], 2, "is not JSON"),
        (["SAVED", "--jwks", "LIST"], 2, "is not a JSON object"),
        (["SAVED", "--url", "http://127.0.0.1:9"], 4, "No registry answers"),
        (["SAVED", "--data-dir", "/absent"], 4, "There is no installation"),
        (["TEXT"], 1, "not a compact JWS"),
    ],
)
def test_what_makes_no_sense_is_refused(
    likeness: Likeness, saved: Path, tmp_path: Path, words: list[str], code: int, why: str
) -> None:
    text, several = tmp_path / "text", tmp_path / "list"
    text.write_text("hello")
    several.write_text("[]")
    given = {"SAVED": str(saved), "TEXT": str(text), "LIST": str(several)}
    ended = likeness("receipt", "verify", *[given.get(one, one) for one in words])
    assert (ended.code, ended.out) == (code, "")
    assert why in ended.err


def test_a_proof_needs_the_salt(likeness: Likeness, saved: Path, files: list[str]) -> None:
    token = orjson.loads(saved.read_bytes())["token"]
    ended = likeness("receipt", "verify", token, *files)
    assert ended.code == 2
    assert "give --salt" in ended.err


@pytest.fixture(scope="module")
def consent(likeness: Likeness, anna: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the receipts of a consent that was given and taken back, and only that."""
    folder = tmp_path_factory.mktemp("consent")
    words = ("--use", "GENERATE_VIDEO", "--purpose", "NEWS", "--territory", "FR")
    grant = likeness("grant", "propose", "--owner", "anna", "--subject", anna, *words).ok
    likeness("grant", "sign", grant, "--owner", "anna")
    likeness("grant", "revoke", grant, "--owner", "anna")
    ended = likeness("receipt", "list", grant, "--owner", "anna", "--save", str(folder))
    assert "ConsentGiven" in ended.ok
    assert "ConsentWithdrawn" in ended.ok
    (folder / "grant").write_text(grant)
    return folder


def test_a_consent_receipt_is_verified_offline_and_read_in_words(
    likeness: Likeness, consent: Path, files: list[str], tmp_path: Path
) -> None:
    jwks = files[:2]
    grant = (consent / "grant").read_text()
    said = likeness("receipt", "list", grant, "--owner", "anna", "--json").json["receipts"]
    assert {f"{one['eventId']}.jws" for one in said} | {"grant"} == {
        one.name for one in consent.iterdir()
    }
    shown = [
        as_a_program(
            "receipt", "verify", str(consent / f"{one['eventId']}.jws"), *jwks,
            data_dir=tmp_path / "none",
        ).ok
        for one in said
    ]  # fmt: skip
    assert "likeness:ConsentSigned" in shown[0]
    assert "ConsentWithdrawn" in shown[-1]
    for one in shown:
        assert "holds (key" in one
        assert "GENERATE_VIDEO" in one
        assert "free of charge: revokeGrant" in one
    told = likeness("receipt", "verify", said[0]["token"], *jwks, "--json").json
    assert (told["holds"], told["document"]["receipt_metadata"]["record_id"]) == (True, grant)


def test_a_consent_receipt_that_was_changed_does_not_hold_and_takes_no_proof(
    likeness: Likeness, consent: Path, files: list[str]
) -> None:
    token = next(consent.glob("*.jws")).read_text().strip()
    head, body, signature = token.split(".")
    other = f"{head}.{body}.{'A' if signature[0] != 'A' else 'B'}{signature[1:]}"
    ended = likeness("receipt", "verify", other)
    assert (ended.code, ended.out) == (1, "")
    assert ended.err.startswith("Error: The receipt does not hold. ")
    ended = likeness("receipt", "verify", token, *files)
    assert (ended.code, ended.out) == (2, "")
    assert "it is not in the log" in ended.err


def test_receipts_are_listed_for_the_person_alone(
    likeness: Likeness, consent: Path, anna: str
) -> None:
    assert likeness("token", "create", "--person", "peter").code == 0
    grant = (consent / "grant").read_text()
    objection = likeness(
        "object", "file", "--owner", "anna", "--subject", anna, "--use", "ALTER_AGE"
    ).ok
    for one in (grant, objection, anna):
        ended = likeness("receipt", "list", one, "--owner", "peter")
        assert (ended.code, "No such grant or objection." in ended.err) == (3, True)
    assert "likeness:ObjectionFiled" in likeness("receipt", "list", objection).ok
