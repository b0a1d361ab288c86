"""What tests of complaints need: the documents, and a person who complains in one call."""

from typing import Any

from tests.conftest import Account, Execute, Json

FILE = """
mutation ($input: FileComplaintInput!) { fileComplaint(input: $input) {
  ... on ComplaintFiled { complaint { id state kinds territory noticeVersion noticeLanguage
    subject { id } misuse { kinds territory statement links whereSeen seenOn
      media { kind sha256 } } } }
  ... on Problem { code message field } } }
"""
WITHDRAW = """
mutation ($id: ID!, $reason: String) { withdrawComplaint(id: $id, reason: $reason) {
  ... on ComplaintWithdrawn { complaint { id state } } ... on Problem { code message field } } }
"""
LIST = """
query ($subject: ID, $first: Int! = 100, $after: String) {
  complaints(subjectId: $subject, first: $first, after: $after) {
    edges { node { id state kinds territory misuse { statement links } subject { id } } }
    pageInfo { hasNextPage endCursor } } }
"""
LETTER = """
query ($subject: ID!, $language: String!) { complaints(subjectId: $subject) {
  edges { node { noticeText(language: $language) } } } }
"""
STATEMENT = "A video has me advertise a bank."
LINK = "https://video.example/watch?v=1"


def report(subject: str, **more: Any) -> Json:
    """A complaint about a video."""
    return {
        "subjectId": subject,
        "kinds": ["ADVERTISING"],
        "territory": "DE",
        "statement": STATEMENT,
        "links": [LINK],
        "whereSeen": "Example Video",
        "seenOn": "2026-11-20",
        **more,
    }


async def file(execute: Execute, account: Account, subject: str, **more: Any) -> Json:
    """What filing it answers."""
    answer: Json = await execute(account, FILE, input=report(subject, **more))
    found: Json = answer["fileComplaint"]
    return found


async def filed(execute: Execute, account: Account, subject: str, **more: Any) -> str:
    """The id of a complaint that was filed."""
    id: str = (await file(execute, account, subject, **more))["complaint"]["id"]
    return id


async def listed(execute: Execute, account: Account, subject: str) -> list[Json]:
    """The complaints of this subject that an account sees, oldest first."""
    found = (await execute(account, LIST, subject=subject))["complaints"]["edges"]
    return [one["node"] for one in found]


async def letter(execute: Execute, account: Account, subject: str, language: str) -> str | None:
    """The letter of the subject's only complaint."""
    [edge] = (await execute(account, LETTER, subject=subject, language=language))["complaints"][
        "edges"
    ]
    text: str | None = edge["node"]["noticeText"]
    return text
