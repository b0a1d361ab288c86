import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Thread

import httpx2
import pytest
import uvicorn
from starlette.types import ASGIApp

from tests.api.graphql.small_schema import application


@contextmanager
def served(app: ASGIApp) -> Iterator[int]:
    """A real server on a free port of this machine."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = uvicorn.Config(app, log_level="critical", server_header=False, lifespan="off")
        server = uvicorn.Server(config)
        thread = Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield listener.getsockname()[1]
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    with served(application(body_seconds=1.0)) as chosen:
        yield chosen


def exchanged(port: int, *parts: bytes) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        for part in parts:
            connection.sendall(part)
        answered = b""
        while chunk := connection.recv(65_536):
            answered += chunk
        return answered


def asked(port: int, head: bytes, *body: bytes) -> bytes:
    post = b"POST /graphql HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
    return exchanged(port, post + head + b"\r\n\r\n", *body)


def test_a_real_server_refuses_what_the_guard_refuses(port: int) -> None:
    url = f"http://127.0.0.1:{port}/graphql"
    with httpx2.Client() as client:
        answered = client.post(url, json={"query": "{hello}"})
        assert answered.json() == {"data": {"hello": "Hello, you."}}
        assert "server" not in answered.headers
        large = client.post(url, content=b"x" * 20_000_000)
        assert (large.status_code, large.json()["code"]) == (413, "TOO_LARGE")
        chunked = client.post(url, content=iter([b"x" * 100_000] * 200))
        assert chunked.status_code == 413
        packed = client.post(url, content=b"\x1f\x8b", headers={"Content-Encoding": "gzip"})
        assert packed.status_code == 415


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 20971520000", b"413"),
        (b"Content-Length: 20971520\r\nExpect: 100-continue", b"413"),
        (b"Content-Length: x", b"400"),
        (b"Content-Length: 1\r\nContent-Length: 2", b"400"),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 2", b"400"),
        (b"X-Long: " + b"x" * 40_000, b"431"),
        (b"Content-Type: application/json", b"400"),
        (b"Accept: \xff\xfe", b"406"),
    ],
)
def test_odd_headers_are_refused_by_a_real_server(port: int, head: bytes, status: bytes) -> None:
    assert asked(port, head).split(b" ", 2)[1] == status


def test_a_body_that_stops_is_given_up_by_a_real_server(port: int) -> None:
    assert asked(port, b"Content-Length: 10", b"x").startswith(b"HTTP/1.1 408 ")
