import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, Router
from starlette.types import ASGIApp, Message, Scope

from api.middleware import MAX_HEADER_BYTES, Errors, Guard, Patience, SecurityHeaders
from registry.errors import (
    BusyError,
    NotFoundError,
    UnauthenticatedError,
    UnavailableError,
)

MAX_BYTES = 4_096


async def echo(request: Request) -> Response:
    return Response(await request.body())


async def never(_: Request) -> Response:
    await asyncio.Event().wait()
    raise AssertionError


async def tell(_: Request) -> Response:
    return PlainTextResponse("told", headers={"Server": "x", "Cache-Control": "max-age=60"})


async def begin(_: Request) -> Response:
    async def half() -> AsyncIterator[bytes]:
        yield b"half"
        await asyncio.Event().wait()

    return StreamingResponse(half())


RAISED: dict[str, Exception] = {
    "absent": NotFoundError("There is no such grant."),
    "nobody": UnauthenticatedError("The token does not hold."),
    "busy": BusyError("Too many.", retry_after=3),
    "away": UnavailableError("The database is away."),
    "cut": ConnectionResetError("password=secret"),
    "defect": ValueError("password=secret"),
}


async def fail(request: Request) -> Response:
    raise RAISED[request.query_params["how"]]


def application(**bounds: float) -> ASGIApp:
    router = Router(
        [
            Route("/echo", echo, methods=["GET", "POST"]),
            Route("/media", echo, methods=["POST"]),
            Route("/never", never),
            Route("/tell", tell),
            Route("/begin", begin),
            Route("/fail", fail),
        ]
    )
    times = {"request_seconds": 5.0, "body_seconds": 5.0, **bounds}
    guard = Guard(
        router,
        max_bytes=MAX_BYTES,
        streaming={"/media": Patience(upload=times.pop("upload_seconds", 5.0), answer=5.0)},
        **times,
    )
    return SecurityHeaders(Errors(guard))


@asynccontextmanager
async def client_of(app: ASGIApp) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://registry") as opened:
        yield opened


@pytest.fixture
async def client() -> AsyncIterator[httpx2.AsyncClient]:
    async with client_of(application()) as opened:
        yield opened


async def chunks(size: int, count: int) -> AsyncIterator[bytes]:
    for _ in range(count):
        yield b"x" * size


async def test_a_body_within_bounds_arrives_whole(client: httpx2.AsyncClient) -> None:
    sent = b"x" * MAX_BYTES
    assert (await client.post("/echo", content=sent)).content == sent
    assert (await client.post("/echo", content=chunks(1_024, 4))).content == sent


async def test_a_body_over_the_limit_is_refused_however_it_is_sent(
    client: httpx2.AsyncClient,
) -> None:
    for content in (b"x" * (MAX_BYTES + 1), chunks(1_024, 5), chunks(1_024, 2_000)):
        response = await client.post("/echo", content=content)
        assert response.status_code == 413
        assert response.json()["code"] == "TOO_LARGE"
        assert response.headers["connection"] == "close"


async def test_a_path_that_streams_reads_its_own_body(client: httpx2.AsyncClient) -> None:
    sent = b"x" * MAX_BYTES * 3
    assert (await client.post("/media", content=sent)).content == sent


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "identity, gzip", "x"])
@pytest.mark.parametrize("path", ["/echo", "/media"])
async def test_a_packed_body_is_unsupported(
    client: httpx2.AsyncClient, encoding: str, path: str
) -> None:
    response = await client.post(path, content=b"x", headers={"Content-Encoding": encoding})
    assert (response.status_code, response.json()["code"]) == (415, "UNSUPPORTED")


@pytest.mark.parametrize("encoding", ["identity", "IDENTITY", ""])
async def test_a_body_as_it_is_may_say_so(client: httpx2.AsyncClient, encoding: str) -> None:
    response = await client.post("/echo", content=b"x", headers={"Content-Encoding": encoding})
    assert response.content == b"x"


async def test_headers_are_bounded_in_size_and_number(client: httpx2.AsyncClient) -> None:
    long = await client.get("/echo", headers={"X-Long": "x" * MAX_HEADER_BYTES})
    many = await client.get("/echo", headers={f"x-{n}": "1" for n in range(101)})
    address = await client.get("/echo?" + "x" * MAX_HEADER_BYTES)
    assert [each.status_code for each in (long, many, address)] == [431, 431, 431]
    assert (await client.get("/echo", headers={"X-Long": "x" * 8_000})).status_code == 200


async def asked(
    app: ASGIApp, headers: list[tuple[bytes, bytes]], *received: Message
) -> list[Message]:
    """What a raw ASGI server would send back."""
    messages = list(received)
    sent: list[Message] = []

    async def receive() -> Message:
        if not messages:
            await asyncio.Event().wait()
        return messages.pop(0)

    async def send(message: Message) -> None:
        sent.append(message)

    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/echo",
        "raw_path": b"/echo",
        "query_string": b"",
        "headers": headers,
    }
    await app(scope, receive, send)
    return sent


@pytest.mark.parametrize("length", [b"-1", b"+1", b"x", b"", b"1e3", b"0x10", b"9" * 5_000, b" 1"])
async def test_a_length_that_is_none_is_refused(length: bytes) -> None:
    sent = await asked(application(), [(b"content-length", length)])
    assert sent[0]["status"] == 400


async def test_two_lengths_are_refused() -> None:
    two = [(b"content-length", b"1"), (b"content-length", b"2")]
    assert (await asked(application(), two))[0]["status"] == 400


async def test_a_giant_body_is_refused_unread() -> None:
    sent = await asked(application(), [(b"content-length", b"99999999999")])
    assert sent[0]["status"] == 413


async def test_a_client_that_asks_first_is_refused_before_it_sends() -> None:
    waits = [(b"content-length", b"5000"), (b"expect", b"100-continue")]
    assert (await asked(application(), waits))[0]["status"] == 413


async def test_a_client_that_leaves_is_not_answered(caplog: pytest.LogCaptureFixture) -> None:
    part = {"type": "http.request", "body": b"x", "more_body": True}
    assert await asked(application(), [], part, {"type": "http.disconnect"}) == []
    assert caplog.records == []


async def test_a_body_that_does_not_arrive_is_given_up() -> None:
    part = {"type": "http.request", "body": b"x", "more_body": True}
    sent = await asked(application(body_seconds=0.05), [], part)
    assert sent[0]["status"] == 408
    assert (b"connection", b"close") in sent[0]["headers"]


async def test_an_upload_that_does_not_arrive_is_given_up() -> None:
    async def stalled() -> AsyncIterator[bytes]:
        yield b"x"
        await asyncio.Event().wait()

    async with client_of(application(upload_seconds=0.05)) as opened:
        assert (await opened.post("/media", content=stalled())).status_code == 408


async def test_a_handler_that_takes_too_long_is_cancelled() -> None:
    async with client_of(application(request_seconds=0.05)) as opened:
        response = await opened.get("/never")
    assert (response.status_code, response.json()["code"]) == (503, "UNAVAILABLE")
    assert response.headers["retry-after"] == "1"


async def test_the_clock_of_an_upload_starts_again_when_it_has_arrived() -> None:
    async def read_then_wait(request: Request) -> Response:
        await request.body()
        await asyncio.Event().wait()
        raise AssertionError

    router = Router([Route("/media", read_then_wait, methods=["POST"])])
    guard = Guard(
        router,
        max_bytes=MAX_BYTES,
        request_seconds=5,
        streaming={"/media": Patience(upload=60, answer=0.05)},
    )
    async with client_of(guard) as opened, asyncio.timeout(5):
        assert (await opened.post("/media", content=b"x")).status_code == 503


async def test_an_answer_that_outlasts_its_deadline_is_broken_off() -> None:
    async with client_of(application(request_seconds=0.05)) as opened:
        with pytest.raises(TimeoutError):
            await opened.get("/begin")


@pytest.mark.parametrize(
    ("how", "status", "code", "header"),
    [
        ("absent", 404, "NOT_FOUND", None),
        ("nobody", 401, "UNAUTHENTICATED", ("www-authenticate", "Bearer")),
        ("busy", 429, "BUSY", ("retry-after", "3")),
        ("away", 503, "UNAVAILABLE", ("retry-after", "1")),
        ("cut", 503, "UNAVAILABLE", ("retry-after", "1")),
        ("defect", 500, "INTERNAL", None),
    ],
)
async def test_what_is_raised_is_answered_as_a_problem(
    client: httpx2.AsyncClient,
    how: str,
    status: int,
    code: str,
    header: tuple[str, str] | None,
) -> None:
    response = await client.get(f"/fail?how={how}")
    assert (response.status_code, response.json()["code"]) == (status, code)
    assert response.headers["content-type"] == "application/json"
    assert "secret" not in response.text
    if header is not None:
        assert response.headers[header[0]] == header[1]


async def test_a_defect_is_logged_whole_under_the_id_the_caller_gets(
    client: httpx2.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        problem = (await client.get("/fail?how=defect")).json()
    assert problem["message"] == "Internal error."
    assert problem["errorId"] in caplog.text
    assert "secret" in caplog.text


async def test_every_answer_has_the_security_headers(client: httpx2.AsyncClient) -> None:
    for path in ("/echo", "/fail?how=defect", "/nowhere"):
        headers = (await client.get(path)).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["cache-control"] == "no-store"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert headers["referrer-policy"] == "no-referrer"
        assert "access-control-allow-origin" not in headers


async def test_a_handler_may_set_its_own_headers_but_names_no_server(
    client: httpx2.AsyncClient,
) -> None:
    headers = (await client.get("/tell")).headers
    assert headers.get_list("cache-control") == ["max-age=60"]
    assert "server" not in headers


async def test_only_http_is_looked_at() -> None:
    seen: list[str] = []

    async def inner(scope: Scope, *_: object) -> None:
        seen.append(scope["type"])

    app = SecurityHeaders(Errors(Guard(inner, max_bytes=1, request_seconds=1)))
    await app({"type": "lifespan"}, _unused, _unused)
    assert seen == ["lifespan"]


async def _unused(*_: object) -> Message:
    raise AssertionError
