"""Requests for consent over GraphQL, in one call each."""

import base64
import hashlib
import secrets
from typing import Any

from api.state import State
from registry import consent_lookups
from registry.principals import OPERATOR
from tests.conftest import Account, Execute, Json

FIELDS = """id serviceId serviceName state modalities uses purposes territories endsAt commercial
  maxUses contentAllowed obligations written separate message subjectIds createdAt expiresAt
  notice { version language sha256 url } grant { id state grantees } """
REQUEST = f"""
mutation ($input: RequestConsentInput!) {{ done: requestConsent(input: $input) {{
  ... on ConsentRequested {{ link linkToken request {{ {FIELDS} }} }}
  ... on Problem {{ code message field }} }} }}"""
CLAIM = f"""
mutation ($token: String!, $subject: ID!) {{
  done: claimConsentRequest(token: $token, subjectId: $subject) {{
    ... on ConsentRequestClaimed {{ request {{ {FIELDS} }} }}
    ... on Problem {{ code message field }} }} }}"""
ANSWER = f"""
mutation ($input: AnswerConsentRequestInput!) {{ done: answerConsentRequest(input: $input) {{
  ... on ConsentRequestAnswered {{ request {{ {FIELDS} }} }}
  ... on Problem {{ code message field }} }} }}"""
SHOW = f"query ($id: ID!) {{ consentRequest(id: $id) {{ {FIELDS} }} }}"
LIST = """query ($first: Int!, $after: String) { consentRequests(first: $first, after: $after) {
  edges { node { id state } } pageInfo { hasNextPage endCursor } } }"""
NOTICES = """{ notices(first: 100) { edges { node { id kind about dueAt createdAt } } } }"""
FILMS = {"modalities": ["FACE"], "uses": ["GENERATE_IMAGE"], "purposes": ["FILM_TV"]}
NOTICE = {
    "version": "2026-11",
    "language": "en",
    "sha256": base64.b64encode(hashlib.sha256(b"What we do with your face.").digest()).decode(),
    "url": "https://studio.example/privacy",
}
TERMS = {"endsAt": "2028-11-01T00:00:00+00:00", "written": True, "separate": True}


def asked(**more: Any) -> Json:
    """A request for films, in the form that pack ZZ asks for."""
    return {"scope": FILMS, "terms": TERMS, "notice": NOTICE, **more}


async def ask(execute: Execute, service: Account, **more: Any) -> Json:
    """The request and its link, or the Problem. Nobody was looked up for it yet."""
    done: Json = (await execute(service, REQUEST, input=asked(**more)))["done"]
    return done


async def put(execute: Execute, state: State, service: Account, **more: Any) -> Json:
    """The request and its link, put to whom it means."""
    done = await ask(execute, service, **more)
    assert "request" in done, done
    await consent_lookups.look_up(state.db.acting_for(OPERATOR), state.keys)
    return done


async def claim(execute: Execute, account: Account, token: str, subject: str) -> Json:
    """The request, or the Problem."""
    done: Json = (await execute(account, CLAIM, token=token, subject=subject))["done"]
    return done.get("request", done)  # type: ignore[no-any-return]  # JSON


async def answer(execute: Execute, account: Account, id: str, answer: str, **more: Any) -> Json:
    """The request, or the Problem."""
    given = {"id": id, "answer": answer, **more}
    done: Json = (await execute(account, ANSWER, input=given))["done"]
    return done.get("request", done)  # type: ignore[no-any-return]  # JSON


async def show(execute: Execute, account: Account, id: str) -> Json:
    """The request as this account sees it."""
    found: Json = (await execute(account, SHOW, id=id))["consentRequest"]
    return found


async def told(execute: Execute, account: Account, about: str) -> list[str]:
    """Kinds of what the account was told about this, oldest first."""
    edges = (await execute(account, NOTICES))["notices"]["edges"]
    return [one["node"]["kind"] for one in edges if one["node"]["about"] == about]


def unlike() -> str:
    """An id that nobody has."""
    return f"00000000-0000-7000-8000-{secrets.token_hex(6)}"
