from tests.api.cli.conftest import Likeness


def test_an_account_is_frozen_and_freed(likeness: Likeness) -> None:
    likeness("token", "create", "--person", "frieda").ok  # noqa: B018  # it opens the account
    assert likeness("account", "freeze", "frieda", "--reason", "false").ok == "frieda is frozen."
    refused = likeness("subject", "add", "--name", "Somebody", "--owner", "frieda")
    assert (refused.code, "frozen" in refused.err) == (3, True)
    again = likeness("account", "freeze", "frieda")
    assert (again.code, "frozen already" in again.err) == (3, True)
    assert likeness("account", "unfreeze", "frieda", "--json").json["frozen"] is False
    likeness("subject", "add", "--name", "Somebody", "--owner", "frieda").ok  # noqa: B018


def test_there_must_be_such_an_account(likeness: Likeness) -> None:
    refused = likeness("account", "freeze", "nobody-of-this-name")
    assert (refused.code, "no account" in refused.err) == (3, True)
