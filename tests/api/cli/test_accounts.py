from tests.api.cli.conftest import Likeness


def test_an_account_is_frozen_and_freed(likeness: Likeness) -> None:
    subject = likeness("subject", "add", "--name", "Frieda", "--owner", "frieda").ok
    words = ("object", "file", "--subject", subject, "--owner", "frieda")
    assert likeness("account", "freeze", "frieda", "--reason", "false").ok == "frieda is frozen."
    refused = likeness(*words)
    assert (refused.code, "frozen" in refused.err) == (3, True)
    again = likeness("account", "freeze", "frieda")
    assert (again.code, "frozen already" in again.err) == (3, True)
    assert likeness("account", "unfreeze", "frieda", "--json").json["frozen"] is False
    assert likeness(*words).ok


def test_there_must_be_such_an_account(likeness: Likeness) -> None:
    refused = likeness("account", "freeze", "nobody-of-this-name")
    assert (refused.code, "no account" in refused.err) == (3, True)
