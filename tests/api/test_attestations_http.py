"""The intake of identity providers: what they signed counts once, and nothing else does."""

import base64
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import orjson
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from registry import attester_keys, jws, principals, services
from registry.database import Database, new_id
from registry.errors import ConflictError, InvalidError, NotFoundError
from registry.keys import Signer, jwk, thumbprint
from registry.principals import OPERATOR_ID, PrincipalKind
from tests.conftest import ISSUER, Account, Accounts, Execute, Json

VIEWER = "{ viewer { ial attestations { method liveness statement attestedBy counts } } }"
REFUSED = {"code": "INVALID", "message": "This attestation is not accepted."}


@dataclass(frozen=True, slots=True)
class Provider:
    """An identity provider with an account of its own."""

    account: Account
    signer: Signer

    def claims(self, account: Account, **more: Any) -> Json:
        now = int(datetime.now(UTC).timestamp())
        given = {
            "iss": self.account.handle,
            "sub": str(account.id),
            "jti": secrets.token_hex(8),
            "iat": now,
            "exp": now + 86_400,
            "level": 2,
            "method": "EID",
            "liveness": True,
            "evidence_sha256": base64.urlsafe_b64encode(b"e" * 32).rstrip(b"=").decode(),
        }
        return {name: one for name, one in (given | more).items() if one is not None}

    def sign(self, claims: Json, typ: str = "attestation+jwt") -> str:
        return jws.sign(orjson.dumps(claims), typ=typ, signer=self.signer)


def a_signer() -> Signer:
    private = Ed25519PrivateKey.generate()
    return Signer(thumbprint(private.public_key()), private)


async def admit(operator: Database, account: Account, signer: Signer) -> None:
    async with operator.writing() as session:
        attester = await principals.get(session, account.id)
        await attester_keys.add(
            session, attester=attester, public=signer.public, added_by=OPERATOR_ID
        )


@pytest.fixture
async def provider(accounts: Accounts, operator: Database) -> Provider:
    made = Provider(await accounts.open(PrincipalKind.ATTESTER), a_signer())
    await admit(operator, made.account, made.signer)
    return made


@pytest.fixture
async def holder(accounts: Accounts) -> Account:
    return await accounts.open(PrincipalKind.PERSON, ial=1)


async def post(client: httpx2.AsyncClient, body: str, kind: str = "application/jwt") -> Any:
    return await client.post(
        "/v1/attestations", content=body.encode(), headers={"content-type": kind}
    )


async def ial(execute: Execute, account: Account) -> int:
    level: int = (await execute(account, VIEWER))["viewer"]["ial"]
    return level


async def test_what_a_provider_signed_counts_and_is_kept_as_signed(
    client: httpx2.AsyncClient, execute: Execute, provider: Provider, holder: Account
) -> None:
    token = provider.sign(provider.claims(holder, aud=ISSUER))
    answer = await post(client, token)
    assert answer.status_code == 201, answer.text
    assert answer.json().keys() == {"id", "expiresAt"}
    seen = (await execute(holder, VIEWER))["viewer"]
    assert seen["ial"] == 2
    assert seen["attestations"] == [
        {
            "method": "EID",
            "liveness": True,
            "statement": token,
            "attestedBy": str(provider.account.id),
            "counts": True,
        }
    ]


async def test_a_number_is_used_once(
    client: httpx2.AsyncClient, execute: Execute, provider: Provider, holder: Account
) -> None:
    claims = provider.claims(holder, level=1)
    assert (await post(client, provider.sign(claims))).status_code == 201
    for again in (claims, claims | {"level": 3}):
        answer = await post(client, provider.sign(again))
        assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert await ial(execute, holder) == 1


def _ago(**back: int) -> int:
    return int((datetime.now(UTC) - timedelta(**back)).timestamp())


@pytest.mark.parametrize(
    "more",
    [
        lambda: {"iss": "somebody else"},
        lambda: {"aud": "http://another.test"},
        lambda: {"sub": str(new_id())},
        lambda: {"sub": "x"},
        lambda: {"sub": None},
        lambda: {"jti": ""},
        lambda: {"jti": 7},
        lambda: {"jti": "x" * 201},
        lambda: {"iat": _ago(minutes=11)},
        lambda: {"iat": _ago(minutes=-11)},
        lambda: {"iat": "now"},
        lambda: {"iat": True},
        lambda: {"exp": _ago(seconds=1)},
        lambda: {"exp": _ago(days=-3000)},
        lambda: {"exp": 2**39},
        lambda: {"exp": 2**60},
        lambda: {"level": 4},
        lambda: {"level": True},
        lambda: {"level": "2"},
        lambda: {"method": "HEARSAY"},
        lambda: {"liveness": 1},
        lambda: {"evidence_sha256": "eA"},
        lambda: {"evidence_sha256": "=="},
        lambda: {"evidence_sha256": None},
        lambda: {"admin": True},
    ],
    ids=range(25),
)
async def test_what_says_something_else_is_refused_in_the_same_words(
    client: httpx2.AsyncClient,
    execute: Execute,
    provider: Provider,
    holder: Account,
    more: Callable[[], Json],
) -> None:
    answer = await post(client, provider.sign(provider.claims(holder, **more())))
    assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert await ial(execute, holder) == 1


async def test_what_is_signed_otherwise_is_refused_in_the_same_words(
    client: httpx2.AsyncClient,
    execute: Execute,
    provider: Provider,
    holder: Account,
    accounts: Accounts,
    operator: Database,
) -> None:
    claims = provider.claims(holder)
    stranger = Provider(provider.account, a_signer())
    forged = Provider(provider.account, Signer(provider.signer.kid, Ed25519PrivateKey.generate()))
    other = Provider(await accounts.open(PrincipalKind.ATTESTER), a_signer())
    await admit(operator, other.account, other.signer)
    good = provider.sign(claims)
    for body in (
        stranger.sign(claims),
        forged.sign(claims),
        other.sign(claims),  # in another provider's name
        provider.sign(claims, typ="JWT"),
        good[:-4] + "AAAA",
        "",
        "é",
        "a.b.c",
        "x" * 9000,
    ):
        answer = await post(client, body)
        assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert await ial(execute, holder) == 1
    assert (await post(client, good, kind="application/json")).status_code == 415


async def test_a_revoked_key_signs_nothing_more(
    client: httpx2.AsyncClient,
    execute: Execute,
    provider: Provider,
    holder: Account,
    operator: Database,
) -> None:
    assert (await post(client, provider.sign(provider.claims(holder)))).status_code == 201
    async with operator.writing() as session:
        await attester_keys.revoke(session, kid=provider.signer.kid, actor_id=OPERATOR_ID)
    answer = await post(client, provider.sign(provider.claims(holder, level=3)))
    assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert await ial(execute, holder) == 2
    async with operator.writing() as session:
        with pytest.raises(NotFoundError):
            await attester_keys.revoke(session, kid=provider.signer.kid, actor_id=OPERATOR_ID)
    with pytest.raises(ConflictError):
        await admit(operator, provider.account, provider.signer)


async def test_a_provider_that_owns_a_service_attests_for_nobody(
    client: httpx2.AsyncClient,
    execute: Execute,
    provider: Provider,
    holder: Account,
    operator: Database,
) -> None:
    async with operator.writing() as session:
        await services.register(
            session,
            service_id=new_id(),
            owner_id=provider.account.id,
            name=f"service-{secrets.token_hex(4)}",
        )
    answer = await post(client, provider.sign(provider.claims(holder)))
    assert (answer.status_code, answer.json()) == (400, REFUSED)
    assert await ial(execute, holder) == 1


async def test_only_an_attester_has_a_key(operator: Database, accounts: Accounts) -> None:
    with pytest.raises(InvalidError, match="no attester"):
        await admit(operator, await accounts.open(PrincipalKind.PERSON), a_signer())


def test_a_key_is_public_and_of_the_one_curve() -> None:
    good = jwk(a_signer().public)
    assert thumbprint(attester_keys.public_of(good | {"kid": "any"}))
    for bad in (
        [],
        {},
        good | {"d": "x"},
        good | {"crv": "X25519"},
        good | {"kty": "EC"},
        good | {"x": "eA"},
        good | {"x": "?"},
        {"kty": "OKP", "crv": "Ed25519"},
    ):
        with pytest.raises(InvalidError):
            attester_keys.public_of(bad)
