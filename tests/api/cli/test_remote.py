from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from api.cli.output import Failed
from api.cli.remote import Remote


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Something that answers everything in one way."""

    class Stranger(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Stranger) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("status", "body", "exit_code", "why"),
    [
        (200, b"<html>", 4, "is no registry (HTTP 200)"),
        (200, b"[]", 4, "is no registry"),
        (200, b"\xff", 4, "is no registry"),
        (404, b"{}", 4, "is no registry (HTTP 404)"),
        (302, b"", 4, "is no registry (HTTP 302)"),
        (500, b'{"code": 1, "message": "x"}', 4, "is no registry"),
        (503, b'{"code": "UNAVAILABLE", "message": "Not ready."}', 4, "Not ready."),
        (429, b'{"code": "BUSY", "message": "Busy."}', 4, "Busy."),
        (400, b'{"code": "INVALID", "message": "No.", "field": "use"}', 3, "No."),
        (500, b'{"code": "INTERNAL", "message": "Internal error."}', 4, "Internal error."),
    ],
)
def test_whatever_answers_is_a_refusal_in_one_line(
    status: int, body: bytes, exit_code: int, why: str
) -> None:
    with (
        answering(status, body) as url,
        Remote(url, "token") as remote,
        pytest.raises(Failed) as failed,
    ):
        remote.get("/readyz")
    assert failed.value.exit_code == exit_code
    assert why in str(failed.value)


def test_an_answer_is_read_and_a_proxy_is_not_asked_about_this_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with answering(200, b'{"status": "ready"}') as url, Remote(url + "/") as remote:
        assert remote.get("/readyz") == {"status": "ready"}


def test_a_connection_that_breaks_is_said_to_be_away() -> None:
    with answering(99, b"") as url, Remote(url) as remote, pytest.raises(Failed) as failed:
        remote.get("/readyz")
    assert failed.value.exit_code == 4
    assert "did not answer" in str(failed.value)


@pytest.mark.parametrize(
    ("status", "body", "exit_code", "why"),
    [
        (200, b"{}", 4, "is no registry"),
        (200, b'{"errors": [7]}', 4, "is no registry"),
        (200, b'{"errors": [{"message": "x", "extensions": 7}]}', 4, "is no registry"),
        (401, b'{"code": "UNAUTHENTICATED", "message": "Who?"}', 3, "Who?"),
        (503, b'{"errors": [{"message": "W.", "extensions": {"code": "BUSY"}}]}', 4, "W."),
        (200, b'{"errors": [{"message": "N.", "extensions": {"code": "INVALID"}}]}', 3, "N."),
    ],
)
def test_refusals_of_an_operation_are_read(
    status: int, body: bytes, exit_code: int, why: str
) -> None:
    with (
        answering(status, body) as url,
        Remote(url, "token") as remote,
        pytest.raises(Failed) as failed,
    ):
        remote.ask("{ viewer { id } }")
    assert failed.value.exit_code == exit_code
    assert why in str(failed.value)
    with answering(200, b'{"data": {"a": 1}}') as url, Remote(url) as remote:
        assert remote.ask("{ a }") == {"a": 1}
