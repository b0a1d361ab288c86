"""`likeness review`: what waits for a person, listed, read, taken and decided."""

import secrets
from collections.abc import Callable

import httpx2
import pytest

from tests.api.cli.conftest import Likeness
from tests.api.cli.test_enroll import Photo, person, photo

__all__ = ["person", "photo"]  # fixtures
ABSENT = "0199c2f4-7d1e-7a52-9c3b-6f0f4c1f2a10"


@pytest.fixture
def held(
    likeness: Likeness, photo: Photo, person: Callable[[str], str]
) -> tuple[str, str]:  # the fixtures
    """A sample that waits, and the review of it."""
    who, other = (f"rosa{secrets.token_hex(4)}" for _ in range(2))  # like nobody before
    subject = person(who)
    likeness("enroll", subject, str(photo(f"{who} 1")))
    far = likeness("enroll", subject, str(photo(f"{other} 1")), "--json").json["samples"][0]
    found = likeness("review", "list", "--kind", "SUSPICIOUS_ENROLMENT", "--json").json["reviews"]
    (review,) = [one["id"] for one in found if one["about"] == far["id"]]
    return far["id"], review


def test_a_review_is_listed_read_taken_and_decided(
    likeness: Likeness, held: tuple[str, str]
) -> None:
    sample, review = held
    likeness("token", "create", "--reviewer", "rita")
    assert review in likeness("review", "list", "--state", "OPEN", "--owner", "rita").ok
    shown = likeness("review", "show", review, "--owner", "rita")
    assert sample in shown.ok
    assert "likeness review take" in shown.err
    assert (
        likeness("review", "decide", review, "RELEASE", "--reason", "x", "--owner", "rita").code
        == 3
    )
    taken = likeness("review", "take", review, "--owner", "rita")
    assert taken.ok == f"Review {review} is ASSIGNED."
    assert likeness("review", "take", review).code == 3
    mine = likeness("review", "list", "--mine", "--owner", "rita", "--json").json["reviews"]
    assert [one["id"] for one in mine] == [review]
    assert likeness("review", "release", review).ok == f"Review {review} is OPEN."
    likeness("review", "take", review, "--owner", "rita")
    words = ("RELEASE", "--reason", "a new haircut", "--owner", "rita")
    assert likeness("review", "decide", review, *words).ok == f"Review {review} is DECIDED."
    assert "a new haircut" in likeness("review", "show", review).ok
    whole = likeness("review", "show", review, "--owner", "rita", "--json").json
    assert [one["kind"] for one in whole["events"]] == [
        "ASSIGNED",
        "RELEASED",
        "ASSIGNED",
        "DECIDED",
    ]
    assert whole["papers"] == {
        "statement": None,
        "caseNumber": None,
        "serviceId": None,
        "decisionId": None,
        "probes": [],
        "misuse": None,
    }


def test_only_reviewers_work_at_the_desk(likeness: Likeness, held: tuple[str, str]) -> None:
    _, review = held
    likeness("token", "create", "--person", "pim")
    for words in (("list",), ("show", review), ("take", review), ("release", review)):
        ended = likeness("review", *words, "--owner", "pim")
        assert (ended.code, ended.err) == (3, "Error: Only a reviewer works at the desk.\n")
    ended = likeness("review", "show", ABSENT)
    assert (ended.code, ended.err) == (3, "Error: No such review.\n")


def test_the_code_for_a_new_pin_is_shown_to_who_renews(likeness: Likeness, url: str) -> None:
    opened = httpx2.post(f"{url}/v1/cases").json()
    number = opened["caseNumber"]
    lost = {"caseNumber": number, "statement": "I lost my PIN."}
    assert httpx2.post(f"{url}/v1/cases/recovery", json=lost).status_code == 202
    listed = likeness("review", "list", "--kind", "LOST_PIN", "--json").json["reviews"]
    review = listed[-1]["id"]
    for name in ("rita", "ruth"):
        likeness("token", "create", "--reviewer", name)
    likeness("review", "take", review, "--owner", "rita")
    shown = likeness("review", "show", review, "--owner", "rita", "--json").json
    assert (shown["papers"]["caseNumber"], shown["contacts"]) == (number, {})
    words = ("RENEW", "--reason", "She came to the desk with her passport.")
    first = likeness("review", "decide", review, *words, "--owner", "rita", "--json").json
    assert first["state"] == "AWAITING_SECOND"
    assert "recoveryCode" not in first
    likeness("review", "take", review, "--owner", "ruth")
    second = likeness("review", "decide", review, *words, "--owner", "ruth").ok
    assert f"Review {review} is DECIDED." in second
    given = {"caseNumber": number, "code": second.split()[-1], "newPin": "correct horse 7"}
    done = httpx2.post(f"{url}/v1/cases/recovery/redeem", json=given)
    assert done.status_code == 200, done.text
