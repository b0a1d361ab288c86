"""`POST /v1/media`: what is read, what is refused and how, and whose handle it is."""

import io
import json
import struct
import zlib
from collections.abc import AsyncIterator
from datetime import timedelta

import asyncpg
import httpx2
import pytest
from PIL import Image, ImageOps

from api.state import State
from registry.errors import BusyError
from registry.principals import PrincipalKind, Scope
from tests import acts
from tests.conftest import Account, Accounts, Execute


async def upload(
    client: httpx2.AsyncClient, account: Account, data: bytes, **headers: str
) -> httpx2.Response:
    return await client.post("/v1/media", content=data, headers=account.headers | headers)


def saved(picture: Image.Image, kind: str, **options: int) -> bytes:
    out = io.BytesIO()
    picture.convert("RGB").save(out, kind, **options)
    return out.getvalue()


def bomb(side: int) -> bytes:
    """A PNG of side x side zero bytes, a thousandth of its pixels in size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    rows = zlib.compress(bytes(side * (side + 1) // 1000), 9)
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


async def decided(
    client: httpx2.AsyncClient, execute: Execute, service: Account, data: bytes
) -> str:
    handle = (await upload(client, service, data)).json()["handle"]
    asked = acts.question(persons=[{"probes": [{"media": {"handle": handle}}]}])
    outcome: str = (await acts.check(execute, service, asked))["outcome"]
    return outcome


async def test_every_version_of_a_registered_photo_is_found(
    client: httpx2.AsyncClient, execute: Execute, owner: Account, service: Account,
    photos: dict[str, bytes],
) -> None:  # fmt: skip
    subject = await acts.subject(execute, owner)
    handle = (await upload(client, owner, photos["astronaut"])).json()["handle"]
    given = {"subjectIds": [subject], "source": {"media": handle}}
    await execute(owner, acts.REGISTER_ASSET, input=given)
    await acts.grant(execute, owner, subject, service)
    picture = Image.open(io.BytesIO(photos["astronaut"]))
    for version in (
        photos["astronaut"],
        saved(picture, "JPEG", quality=40),
        saved(picture.resize((200, 200)), "PNG"),
        saved(ImageOps.mirror(picture), "WEBP"),
        saved(picture, "GIF"),
    ):
        assert await decided(client, execute, service, version) == "PERMITTED"
    assert await decided(client, execute, service, photos["coffee"]) == "REVIEW_REQUIRED"


async def test_the_answer_says_what_was_read(
    client: httpx2.AsyncClient, service: Account, photos: dict[str, bytes]
) -> None:
    response = await upload(client, service, photos["obama"])
    body = response.json()
    assert response.status_code == 201
    assert (body["kind"], body["mediaType"], body["usable"]) == ("image", "image/jpeg", True)
    assert body["width"] > 0 < body["height"]
    assert "hash" not in json.dumps(body).lower()


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        (b"", 422, "MEDIA_UNREADABLE"),
        (b"hello, this is text", 415, "UNSUPPORTED"),
        (b"%PDF-1.7 ...", 415, "UNSUPPORTED"),
        (b"\xff\xd8\xff\xe0 truncated", 422, "MEDIA_UNREADABLE"),
        (bomb(20_000), 413, "TOO_LARGE"),
        (bomb(13_000), 413, "TOO_LARGE"),
    ],
    ids=["empty", "text", "pdf", "truncated", "400 Mpx", "169 Mpx"],
)
async def test_what_cannot_be_read_is_refused_with_a_sentence(
    client: httpx2.AsyncClient, service: Account, data: bytes, status: int, code: str
) -> None:
    response = await upload(client, service, data)
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert len(response.json()["message"]) > 20


async def test_the_bytes_decide_not_the_name_or_declared_type(
    client: httpx2.AsyncClient, service: Account, photos: dict[str, bytes]
) -> None:
    response = await upload(client, service, photos["obama"], **{"Content-Type": "image/png"})
    assert response.json()["mediaType"] == "image/jpeg"
    polyglot = photos["obama"] + b"PK\x03\x04<script>alert(1)</script>"
    assert (await upload(client, service, polyglot)).json()["mediaType"] == "image/jpeg"


async def test_a_form_is_refused(client: httpx2.AsyncClient, service: Account) -> None:
    response = await client.post(
        "/v1/media", files={"file": ("a.png", b"x")}, headers=service.headers
    )
    assert (response.status_code, response.json()["code"]) == (415, "UNSUPPORTED")


async def test_a_body_over_the_cap_is_refused_while_it_streams(
    client: httpx2.AsyncClient, service: Account, state: State
) -> None:
    async def endless() -> AsyncIterator[bytes]:
        for _ in range(state.settings.media_max_bytes // 2**20 + 2):
            yield bytes(2**20)

    response = await client.post("/v1/media", content=endless(), headers=service.headers)
    assert (response.status_code, response.json()["code"]) == (413, "TOO_LARGE")


async def test_uploads_share_a_budget(state: State) -> None:
    state.uploads.hold(100 * 2**20)
    with pytest.raises(BusyError):
        state.uploads.hold(100 * 2**20)
    state.uploads.release(100 * 2**20)
    state.uploads.hold(100 * 2**20)
    state.uploads.release(100 * 2**20)


async def test_a_token_without_a_fitting_scope_may_not_upload(
    client: httpx2.AsyncClient, accounts: Accounts
) -> None:
    reader = await accounts.open(scopes=frozenset({Scope.GRANTS_READ}))
    assert (await upload(client, reader, b"x")).status_code == 403
    assert (await client.post("/v1/media", content=b"x")).status_code == 401


async def test_a_handle_is_its_senders_alone_and_expires(
    client: httpx2.AsyncClient, execute: Execute, accounts: Accounts, service: Account,
    photos: dict[str, bytes], urls: tuple[str, str],
) -> None:  # fmt: skip
    document = """query ($inputs: [CheckInput!]!) { checkConsents(inputs: $inputs) {
      ... on Decision { outcome } ... on Problem { code message field } } }"""
    handle = (await upload(client, service, photos["coffee"])).json()["handle"]

    async def ask(account: Account, handle: str) -> dict[str, str]:
        asked = acts.question(persons=[{"probes": [{"media": {"handle": handle}}]}])
        answer: dict[str, str] = (await execute(account, document, inputs=[asked]))[
            "checkConsents"
        ][0]
        return answer

    assert await ask(service, handle) == {"outcome": "REVIEW_REQUIRED"}
    other = await accounts.open(PrincipalKind.SERVICE)
    foreign = await ask(other, handle)
    connection = await asyncpg.connect(urls[0])
    await connection.execute(
        "update probes set expires_at = now() - $1::interval where id = $2",
        timedelta(seconds=1),
        handle,
    )
    await connection.close()
    assert foreign["code"] == "NOT_FOUND"
    assert await ask(service, handle) == foreign == await ask(service, "no-handle")


async def test_a_uniform_picture_leads_to_a_person_and_registers_nothing(
    client: httpx2.AsyncClient, execute: Execute, owner: Account, service: Account
) -> None:
    flat = saved(Image.new("RGB", (300, 300), "grey"), "PNG")
    assert await decided(client, execute, service, flat) == "REVIEW_REQUIRED"
    subject = await acts.subject(execute, owner)
    handle = (await upload(client, owner, flat)).json()["handle"]
    given = {"subjectIds": [subject], "source": {"media": handle}}
    made = await execute(owner, acts.REGISTER_ASSET, input=given)
    assert made["registerAsset"]["code"] == "MEDIA_UNREADABLE"
