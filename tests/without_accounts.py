"""Somebody without an account, as they come: from an address of their own, with number and PIN."""

import ipaddress
import secrets
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

import httpx2
from starlette.types import ASGIApp

from api.oauth_token import CASE_GRANT
from registry.principals import PrincipalKind
from tests.conftest import ISSUER, Account, Execute, Json

VIEWER = """
{ viewer { id handle kind ial scopes case { number openedAt contacts { kind contact } } } }
"""


@asynccontextmanager
async def coming(app: ASGIApp, source: str | None = None) -> AsyncGenerator[httpx2.AsyncClient]:
    """HTTP from this address, or from one that nobody came from before."""
    source = source or str(ipaddress.IPv6Address(secrets.randbits(126)))
    transport = httpx2.ASGITransport(app, client=(source, 4000))
    async with httpx2.AsyncClient(transport=transport, base_url=ISSUER) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Visitor:
    """A case, and how its holder comes."""

    client: httpx2.AsyncClient
    number: str
    pin: str

    async def ask(self, **fields: str) -> httpx2.Response:
        given = {"grant_type": CASE_GRANT, "case_number": self.number, "pin": self.pin}
        return await self.client.post("/oauth/token", data={**given, **fields})

    async def account(self, execute: Execute) -> Account:
        """The case as an account with a fresh token."""
        answer = await self.ask()
        token: str = answer.json()["access_token"]
        bare = Account(UUID(int=0), PrincipalKind.PERSON, token, self.number)
        viewer: Json = (await execute(bare, VIEWER))["viewer"]
        return Account(UUID(viewer["id"]), PrincipalKind.PERSON, token, self.number)


async def open_case(client: httpx2.AsyncClient) -> Visitor:
    """A new case."""
    answer = await client.post("/v1/cases")
    assert answer.status_code == 201, answer.text
    body: Json = answer.json()
    return Visitor(client, body["caseNumber"], body["pin"])
