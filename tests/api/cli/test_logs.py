from pathlib import Path

from registry.keys import Keys
from registry.log import checkpoint
from registry.log.checkpoint import Checkpoint
from tests.api.cli.conftest import Likeness

ORIGIN = "likeness.local/log"


def test_the_log_holds_and_a_kept_checkpoint_agrees(
    likeness: Likeness, saved: Path, tmp_path: Path
) -> None:
    assert saved
    note = tmp_path / "kept.note"
    note.write_text(likeness("log", "checkpoint").ok + "\n", encoding="utf-8")
    said = likeness("log", "verify", "--checkpoint", str(note), "--json").json
    assert said["holds"] is True
    assert (said["leaves"] > 0, said["checkpoints"] > 0, said["held"]) == (True, True, 1)
    assert likeness("log", "verify").ok.startswith("The log holds: ")


def test_the_checkpoint_verifies_with_the_printed_key(likeness: Likeness, saved: Path) -> None:
    assert saved
    note = likeness("log", "checkpoint").out
    key = likeness("log", "key").ok
    assert checkpoint.parse_and_verify(note, [key]).origin == ORIGIN


def test_a_kept_checkpoint_of_another_history_is_found(
    likeness: Likeness, saved: Path, data_dir: Path, tmp_path: Path
) -> None:
    assert saved
    size = likeness("log", "checkpoint", "--json").json["size"]
    signer = Keys.open(data_dir).log_signer
    for claimed, why in ((size, "another root"), (size + 1000, f"signs {size + 1000}")):
        note = tmp_path / "forged.note"
        head = Checkpoint(ORIGIN, claimed, b"\1" * 32)
        note.write_text(checkpoint.sign(head, name=ORIGIN, signer=signer), encoding="utf-8")
        ended = likeness("log", "verify", "--checkpoint", str(note))
        assert (ended.code, ended.out) == (1, "")
        assert ended.err.startswith("Error: The log does not hold. ")
        assert why in ended.err


def test_a_kept_file_that_is_no_checkpoint_does_not_hold(likeness: Likeness, saved: Path) -> None:
    ended = likeness("log", "verify", "--checkpoint", str(saved))
    assert ended.code == 1
    assert "decision.json: " in ended.err


def test_a_proof_outside_the_tree_is_refused(likeness: Likeness, saved: Path) -> None:
    assert saved
    assert likeness("log", "proof", "0", "--size", "1").json["hashes"] == []
    for words in (("1", "--size", "1"), ("0", "--size", "999999")):
        ended = likeness("log", "proof", *words)
        assert (ended.code, ended.out) == (3, "")
    assert likeness("log", "proof", "--size", "0", "0").code == 2


def test_an_empty_log_has_no_checkpoint(likeness: Likeness, folder: Path) -> None:
    fresh = folder / "fresh"
    made = likeness("token", "create", "--operator", data_dir=fresh)
    assert made.code == 0, made.err
    assert f"Making a new installation in {fresh}." in made.err
    ended = likeness("log", "checkpoint", data_dir=fresh)
    assert (ended.code, ended.err) == (3, "Error: The log is empty: no decision was made yet.\n")
