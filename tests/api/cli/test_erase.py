from uuid import UUID

from tests.api.cli.conftest import Likeness


def test_a_person_is_erased_and_kept_for_blocking(likeness: Likeness) -> None:
    subject = likeness("subject", "add", "--name", "Erna Erased").ok
    kept = likeness("erase", subject, "--keep-blocking", "--yes").ok
    assert UUID(kept) != UUID(subject)
    names = [one["name"] for one in likeness("subject", "list", "--json").json["subjects"]]
    assert "Erna Erased" not in names
    assert "—" in names
    done = likeness("erase", kept, "--yes", "--json").json
    assert (done["subjectId"], done["keptAs"]) == (kept, None)
    again = likeness("erase", kept, "--yes")
    assert (again.code, "No such subject" in again.err) == (3, True)


def test_nobody_is_erased_by_accident(likeness: Likeness) -> None:
    subject = likeness("subject", "add", "--name", "Emil Kept").ok
    refused = likeness("erase", subject)
    assert (refused.code, "--yes" in refused.err) == (2, True)
    assert "Emil Kept" in [
        one["name"] for one in likeness("subject", "list", "--json").json["subjects"]
    ]
