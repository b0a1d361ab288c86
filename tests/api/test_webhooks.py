"""Notices reach a service where it wants to be told: signed, at least once, nowhere else."""

import asyncio
import base64
import hashlib
import hmac
import secrets
import ssl
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import orjson
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError

from api.state import State
from registry import deliveries, webhooks
from registry.database import Database, new_id, now
from registry.errors import InvalidError
from registry.principals import PrincipalKind
from registry.settings import Settings
from registry.webhooks import Message, WebhookAttempt, WebhookAttemptEvent
from tests import acts
from tests.api.graphql.law import refusal
from tests.api.receiver import Received, Receiver, receiving, until
from tests.conftest import Account, Accounts, Execute, Json

REGISTER = """mutation ($input: RegisterWebhookInput!) { done: registerWebhook(input: $input) {
  ... on WebhookRegistered { secret webhook { id serviceId url ended createdAt } }
  ... on Problem { code message field } } }"""
END = """mutation ($id: ID!) { done: endWebhook(id: $id) {
  ... on WebhookEnded { webhook { id ended } } ... on Problem { code message field } } }"""
LIST = "{ webhooks(first: 100) { edges { node { id url ended } } } }"
MESSAGE = Message(b"{}", {"content-type": "application/json"})


@pytest.fixture
async def receiver() -> AsyncGenerator[Receiver]:
    async with receiving() as receiver:
        yield receiver


async def register(execute: Execute, account: Account, **given: Any) -> Json:
    done: Json = (await execute(account, REGISTER, input=given))["done"]
    return done


Tell = Callable[[], Awaitable[str]]


@pytest.fixture
async def tell(execute: Execute, owner: Account, service: Account) -> Tell:
    """Revokes a grant of the service, which it is told; the grant's id."""
    subject = await acts.subject(execute, owner)
    given = [await acts.grant(execute, owner, subject, service) for _ in range(3)]

    async def told() -> str:
        grant = given.pop()
        revoked = await execute(owner, acts.REVOKE, id=grant)
        assert revoked["revokeGrant"]["grant"]["state"] == "REVOKED"
        return grant

    return told


def verified(received: Received, secret: str) -> Json:
    """The body of a message whose signature holds, as a receiver would verify it."""
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = (
        f"{received.headers['webhook-id']}.{received.headers['webhook-timestamp']}.".encode()
        + received.body
    )
    expected = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
    assert received.headers["webhook-signature"] == f"v1,{expected}"
    body: Json = orjson.loads(received.body)
    return body


async def attempts(operator: Database, webhook: str) -> list[tuple[int, str | None, int | None]]:
    """Number, result and status of every attempt to deliver there."""
    async with operator.reading() as session:
        rows = await session.execute(
            select(WebhookAttempt.ordinal, WebhookAttemptEvent.kind, WebhookAttemptEvent.status)
            .join(WebhookAttemptEvent, WebhookAttemptEvent.attempt_id == WebhookAttempt.id,
                  isouter=True)
            .where(WebhookAttempt.webhook_id == UUID(webhook))
            .order_by(WebhookAttempt.id)
        )  # fmt: skip
        return [(ordinal, kind, status) for ordinal, kind, status in rows]


async def recorded(operator: Database, webhook: str, result: tuple[int, str, int | None]) -> None:
    """Wait until this attempt came to this."""

    async def is_there() -> bool:
        return result in await attempts(operator, webhook)

    await until(is_there)


async def test_w07_a_revoked_grant_reaches_its_grantee_within_a_minute(
    execute: Execute, operator: Database, service: Account, receiver: Receiver, tell: Tell
) -> None:
    made = await register(execute, service, url=receiver.url)
    assert made["webhook"]["serviceId"] == str(service.id)
    began = time.monotonic()
    grant = await tell()
    received = await receiver.next()  # sent by the running server: nobody asked it to
    assert time.monotonic() - began < 60
    assert received.line == "POST /hook HTTP/1.1"
    assert received.headers["host"] == f"127.0.0.1:{receiver.port}"
    assert received.headers["content-type"] == "application/json"
    sent_at = int(received.headers["webhook-timestamp"])
    assert abs(sent_at - time.time()) < 60
    body = verified(received, made["secret"])
    assert body["type"] == "notice.grant_revoked"
    assert body["data"] == {
        "id": received.headers["webhook-id"],
        "kind": "GRANT_REVOKED",
        "about": grant,
        "dueAt": None,
    }
    notices = await execute(service, "{ notices(first: 9) { edges { node { id about } } } }")
    assert {"id": body["data"]["id"], "about": grant} in [
        edge["node"] for edge in notices["notices"]["edges"]
    ]
    await recorded(operator, made["webhook"]["id"], (1, "DELIVERED", 204))
    assert len(await attempts(operator, made["webhook"]["id"])) == 1


async def deliver_later(operator: Database, state: State, *, after: timedelta) -> None:
    async with operator.reading() as session:
        at = await now(session) + after
    await deliveries.deliver(operator, state.keys, private=True, at=at)


async def test_what_was_not_taken_is_sent_again_later_and_then_no_more(
    execute: Execute, operator: Database, state: State, service: Account, receiver: Receiver,
    tell: Tell,
) -> None:  # fmt: skip
    receiver.answers = [b"HTTP/1.1 500 Broken\r\nContent-Length: 0\r\n\r\n"]
    made = await register(execute, service, url=receiver.url)
    id = made["webhook"]["id"]
    grant = await tell()
    first = await receiver.next()
    await recorded(operator, id, (1, "FAILED", 500))
    await deliver_later(operator, state, after=timedelta(seconds=6))
    second = await receiver.next()
    assert second.headers["webhook-id"] == first.headers["webhook-id"]
    assert verified(second, made["secret"])["data"]["about"] == grant
    await recorded(operator, id, (2, "DELIVERED", 204))
    await deliver_later(operator, state, after=timedelta(hours=1))
    assert receiver.queue.empty()
    assert [one[0] for one in await attempts(operator, id)] == [1, 2]


async def test_several_servers_send_a_notice_once(
    execute: Execute, operator: Database, state: State, service: Account, receiver: Receiver,
    tell: Tell,
) -> None:  # fmt: skip
    await register(execute, service, url=receiver.url)
    await tell()
    await asyncio.gather(
        *(deliveries.deliver(operator, state.keys, private=True) for _ in range(4))
    )
    await receiver.next()
    assert receiver.queue.empty()


async def test_a_redirect_is_not_followed(
    execute: Execute, operator: Database, state: State, service: Account, receiver: Receiver,
    tell: Tell,
) -> None:  # fmt: skip
    elsewhere = f"HTTP/1.1 307 There\r\nLocation: {receiver.url}/other\r\nContent-Length: 0\r\n\r\n"
    receiver.answers = [elsewhere.encode()]
    made = await register(execute, service, url=receiver.url)
    await tell()
    await deliveries.deliver(operator, state.keys, private=True)
    assert (await receiver.next()).line == "POST /hook HTTP/1.1"
    await recorded(operator, made["webhook"]["id"], (1, "FAILED", 307))
    assert receiver.queue.empty()


async def test_a_webhook_that_has_ended_is_told_nothing(
    execute: Execute, operator: Database, state: State, service: Account, receiver: Receiver,
    tell: Tell,
) -> None:  # fmt: skip
    made = await register(execute, service, url=receiver.url)
    id = made["webhook"]["id"]
    done = (await execute(service, END, id=id))["done"]
    assert done["webhook"] == {"id": id, "ended": True}
    assert refusal((await execute(service, END, id=id))["done"]) == ("CONFLICT", None)
    await tell()
    await deliver_later(operator, state, after=timedelta(hours=1))
    assert receiver.queue.empty()
    assert await attempts(operator, id) == []


async def test_what_happened_before_it_was_registered_is_not_sent(
    execute: Execute, operator: Database, state: State, service: Account, receiver: Receiver,
    tell: Tell,
) -> None:  # fmt: skip
    await tell()
    await register(execute, service, url=receiver.url)
    later = await tell()
    await deliveries.deliver(operator, state.keys, private=True)
    assert orjson.loads((await receiver.next()).body)["data"]["about"] == later
    assert receiver.queue.empty()


async def test_a_private_address_is_refused_by_default(receiver: Receiver) -> None:
    assert Settings().webhook_private is False
    assert await deliveries.send(receiver.url, MESSAGE, private=True) == 204
    await receiver.next()
    tls = receiver.url.replace("http://", "https://")
    by_name = tls.replace("127.0.0.1", "localhost.localdomain")
    for url in (receiver.url, tls, by_name):
        assert await deliveries.send(url, MESSAGE, private=False) is None
    assert receiver.queue.empty()


async def test_an_ipv6_address_is_reached() -> None:
    taken = Receiver()
    server = await asyncio.start_server(taken.serve, "::1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        url = f"http://[::1]:{port}/hook"
        assert await deliveries.send(url, MESSAGE, private=True) == 204
        assert await deliveries.send(url, MESSAGE, private=False) is None
    assert (await taken.next()).headers["host"] == f"[::1]:{port}"


async def test_a_name_that_leads_to_a_private_address_is_refused_when_it_is_sent(
    receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name looks public; one of its addresses is not."""
    loop = asyncio.get_running_loop()
    found: list[tuple[Any, ...]] = []

    async def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return found

    monkeypatch.setattr(loop, "getaddrinfo", resolve)
    url = f"https://hooks.example:{receiver.port}/hook"
    webhooks.checked_url(url, private=False)
    for addresses in (["127.0.0.1"], ["93.184.215.14", "127.0.0.1"], ["::ffff:127.0.0.1"], []):
        found[:] = [(2, 1, 6, "", (one, receiver.port)) for one in addresses]
        assert await deliveries.send(url, MESSAGE, private=False) is None
    assert receiver.queue.empty()


async def test_tls_is_asked_for_the_name_and_believes_no_stranger(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection goes to the address that was checked; the certificate is the name's."""
    asked: list[str | None] = []
    context = _self_signed(tmp_path, "hooks.example")
    context.sni_callback = lambda _, name, __: asked.append(name)
    came = asyncio.Queue[bytes]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        came.put_nowait(await reader.read(1))
        writer.close()

    loop = asyncio.get_running_loop()
    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]

    async def resolve(*_: object, **__: object) -> list[tuple[Any, ...]]:
        return [(2, 1, 6, "", ("127.0.0.1", port))]

    async with server:
        monkeypatch.setattr(loop, "getaddrinfo", resolve)
        sent = await deliveries.send(f"https://hooks.example:{port}/", MESSAGE, private=True)
    assert sent is None
    assert asked == ["hooks.example"]
    assert came.empty()


def _self_signed(folder: Path, name: str) -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    called = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    day = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(called)
        .issuer_name(called)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(day - timedelta(days=1))
        .not_valid_after(day + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, SHA256())
    )
    file = folder / "both.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    file.write_bytes(secret + certificate.public_bytes(Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    return context


async def test_an_address_that_is_away_holds_up_no_other(
    execute: Execute, operator: Database, state: State, service: Account, receiver: Receiver,
    tell: Tell,
) -> None:  # fmt: skip
    async with receiving() as gone:
        away = await register(execute, service, url=gone.url)
    await register(execute, service, url=receiver.url)
    for _ in range(3):
        await tell()
    await deliver_later(operator, state, after=timedelta(0))
    for _ in range(3):
        await receiver.next()
    await recorded(operator, away["webhook"]["id"], (1, "FAILED", None))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
        "0.1.2.3", "224.0.0.1", "240.0.0.1", "255.255.255.255", "198.18.0.1", "192.0.2.1",
        "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1",
        "::ffff:93.184.215.14", "64:ff9b::7f00:1", "2002:7f00:1::", "2001:db8::1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2", "localhost", "", "127.1",
    ],
)  # fmt: skip
def test_no_address_of_this_machine_or_its_network_is_public(address: str) -> None:
    assert not webhooks.is_public(address)


@pytest.mark.parametrize("address", ["93.184.215.14", "8.8.8.8", "2606:2800:21f:cb07:6820::1"])
def test_addresses_of_the_internet_are_public(address: str) -> None:
    assert webhooks.is_public(address)


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/", "https://127.0.0.1/", "https://[::1]/", "https://10.0.0.1/x",
        "https://localhost/", "https://LOCALHOST./", "https://a.localhost/", "https://db.internal/",
        "https://printer.local/", "https://user@hooks.example/", "https://u:p@hooks.example/",
        "https://hooks.example/#x", "https://", "https:///x", "ftp://hooks.example/", "x", "",
        "https://hooks.example:99999/", "https://[x", "https://hooks.example/\n", "https://h x/",
        "https://hooks.example/" + "x" * 500, "https://h\u00f6oks.example/", "javascript:alert(1)",
        "https://a..b/", "https://.a/", f"https://{'a' * 64}.example/",
        "https://[::ffff:127.0.0.1]/", "https://169.254.169.254/latest/meta-data",
    ],
)  # fmt: skip
def test_an_address_that_nothing_is_sent_to_is_not_registered(url: str) -> None:
    with pytest.raises(InvalidError):
        webhooks.checked_url(url, private=False)


def test_a_public_https_address_is_registered() -> None:
    for url in ("https://hooks.example/a?b=c", "https://hooks.example:8443/", "https://8.8.8.8/"):
        assert webhooks.checked_url(url, private=False).scheme == "https"


async def test_the_api_refuses_what_cannot_be_told(execute: Execute, service: Account) -> None:
    for url in ("ftp://hooks.example/", "x", "https://u@hooks.example/"):
        assert refusal(await register(execute, service, url=url)) == ("INVALID", "url")


async def test_the_service_or_its_owner_says_where_it_is_told(
    execute: Execute, accounts: Accounts, state: State, owner: Account, receiver: Receiver
) -> None:
    document = """mutation ($input: RegisterServiceInput!) { registerService(input: $input) {
      ... on ServiceRegistered { service { id } } } }"""
    made = await execute(owner, document, input={"name": secrets.token_hex(8)})
    id = made["registerService"]["service"]["id"]
    own = Account(UUID(id), PrincipalKind.SERVICE, await accounts.token(UUID(id)), "own")
    first = await register(execute, owner, url=receiver.url, serviceId=id)
    second = await register(execute, own, url=receiver.url)
    ids = [first["webhook"]["id"], second["webhook"]["id"]]
    for account in (owner, own):
        edges = (await execute(account, LIST))["webhooks"]["edges"]
        assert [edge["node"]["id"] for edge in edges] == ids
    for kind, code in (
        (PrincipalKind.SERVICE, "NOT_FOUND"),
        (PrincipalKind.ORGANISATION, "NOT_FOUND"),
        (PrincipalKind.REGULATOR, "FORBIDDEN"),
        (PrincipalKind.AUDITOR, "FORBIDDEN"),
    ):
        other = await accounts.open(kind)
        done = await register(execute, other, url=receiver.url, serviceId=id)
        assert refusal(done)[0] == code
        assert refusal((await execute(other, END, id=ids[0]))["done"])[0] == "NOT_FOUND"
        assert (await execute(other, LIST))["webhooks"]["edges"] == []
        forged = text(
            "insert into webhooks (id, service_id, url, secret, registered_by)"
            " values (:id, :of, 'x', '', :by)"
        )
        given = {"id": new_id(), "of": UUID(id), "by": other.id}
        with pytest.raises(DBAPIError, match="row-level security"):
            async with state.db.acting_for(other.actor).writing() as session:
                await session.execute(forged, given)
    assert (await execute(owner, END, id=ids[1]))["done"]["webhook"]["ended"] is True


async def test_a_secret_is_shown_once_and_kept_sealed(
    execute: Execute, operator: Database, state: State, service: Account, receiver: Receiver
) -> None:
    given = {"url": receiver.url, "idempotencyKey": secrets.token_hex(8)}
    first = await register(execute, service, **given)
    again = await register(execute, service, **given)
    assert again == {**first, "secret": None}
    raw = base64.b64decode(first["secret"].removeprefix("whsec_"))
    assert len(raw) == 32
    async with operator.reading() as session:
        kept = await webhooks.mine(session, UUID(first["webhook"]["id"]))
    assert raw not in kept.secret
    assert webhooks.secret_of(kept, state.keys) == raw


async def test_a_service_has_a_bounded_number_of_webhooks(
    execute: Execute, service: Account, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "MAX_OF_A_SERVICE", 1)
    made = await register(execute, service, url=receiver.url)
    assert refusal(await register(execute, service, url=receiver.url)) == ("CONFLICT", None)
    await execute(service, END, id=made["webhook"]["id"])
    assert "webhook" in await register(execute, service, url=receiver.url)


@given(st.integers(0, len(webhooks.BACKOFF) + 2), st.timedeltas(timedelta(0), timedelta(days=3)))
def test_waits_grow_and_end(count: int, since: timedelta) -> None:
    last = datetime(2026, 11, 25, tzinfo=UTC)
    made = [last - timedelta(days=one) for one in range(count)]
    due = webhooks.is_due(made, at=last + since)
    if count == 0:
        assert due
    elif count > len(webhooks.BACKOFF):
        assert not due
    else:
        assert due == (since >= webhooks.BACKOFF[count - 1])
    assert list(webhooks.BACKOFF) == sorted(webhooks.BACKOFF)
    assert webhooks.BACKOFF[0] == timedelta(seconds=5)
    assert webhooks.BACKOFF[-1] == timedelta(hours=24)


def test_the_signature_is_that_of_standard_webhooks() -> None:
    """The example of the specification's own libraries."""
    secret = base64.b64decode("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
    found = webhooks.sign(
        secret,
        id="msg_p5jXN8AQM9LWM0D4loKWxJek",
        timestamp=1614265330,
        body=b'{"test": 2432232314}',
    )
    assert found == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


async def test_a_host_that_cannot_be_looked_up_is_an_address_that_was_not_reached() -> None:
    for host in ("a..b", "a" * 64 + ".example"):  # registered before they were refused
        message = webhooks.Message(b"{}", {})
        assert await deliveries.send(f"https://{host}/", message, private=False) is None
