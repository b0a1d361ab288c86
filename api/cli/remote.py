"""A registry asked over HTTP, as any service would: refusals come back as `Failed`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Self

import httpx2

from api.cli.output import AWAY, REFUSED, USAGE, Failed
from registry.errors import ProblemCode

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
_AWAY_CODES = frozenset({ProblemCode.BUSY, ProblemCode.UNAVAILABLE, ProblemCode.SETUP})
_SECONDS = 30.0


class Remote:
    """A registry at an address; use it in a `with` block."""

    def __init__(self, url: str, token: str | None = None) -> None:
        self._url = url.rstrip("/")
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        with self._translated():
            parsed = httpx2.URL(self._url)
            if parsed.scheme not in {"http", "https"} or not parsed.host:
                raise Failed(f"{url} is no address of a registry: http://host:port.", USAGE)
            self._client = httpx2.Client(
                base_url=self._url,
                headers=headers,
                timeout=_SECONDS,
                trust_env=parsed.host not in _LOOPBACK,  # no proxy stands before this machine
            )

    def __enter__(self) -> Self:
        """The same, open."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close its connections."""
        self._client.close()

    def get(self, path: str) -> dict[str, Any]:
        """A JSON object."""
        with self._translated():
            return self._read(self._client.get(path))

    def post(self, path: str, body: bytes, *, kind: str) -> dict[str, Any]:
        """The answer to a body of this media type, a JSON object."""
        with self._translated():
            response = self._client.post(path, content=body, headers={"content-type": kind})
            return self._read(response)

    def ask(self, document: str, **variables: object) -> dict[str, Any]:
        """The data of a GraphQL operation; its first error is raised."""
        with self._translated():
            response = self._client.post(
                "/graphql", json={"query": document, "variables": variables}
            )
        body = self._object(response)
        errors, data = body.get("errors"), body.get("data")
        if isinstance(errors, list) and errors:
            raise self._failed(response, {**_extensions(errors[0]), **_plain(errors[0])})
        if not response.is_success or not isinstance(data, dict):
            raise self._failed(response, body)
        return data

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except httpx2.InvalidURL as error:
            raise Failed(f"{self._url} is no address: {error}.", USAGE) from error
        except (UnicodeEncodeError, httpx2.LocalProtocolError) as error:
            raise Failed("The token is not one: it has characters no token has.", USAGE) from error
        except httpx2.ConnectError as error:
            raise Failed(
                f"No registry answers at {self._url}. Start one with `make serve`.",
                AWAY,
                code="UNAVAILABLE",
            ) from error
        except httpx2.HTTPError as error:
            raise Failed(
                f"The registry at {self._url} did not answer: {type(error).__name__}. Try again.",
                AWAY,
                code="UNAVAILABLE",
            ) from error

    def _read(self, response: httpx2.Response) -> dict[str, Any]:
        body = self._object(response)
        if response.is_success:
            return body
        raise self._failed(response, body)

    def _object(self, response: httpx2.Response) -> dict[str, Any]:
        try:
            body = response.json()
        except ValueError:  # also what is not UTF-8
            body = None
        if not isinstance(body, dict):
            raise self._stranger(response)
        return body

    def _failed(self, response: httpx2.Response, told: dict[str, Any]) -> Failed:
        code, message = told.get("code"), told.get("message")
        if not isinstance(code, str) or not isinstance(message, str):
            return self._stranger(response)
        field = told.get("field")
        return Failed(
            message,
            AWAY if response.is_server_error or code in _AWAY_CODES else REFUSED,
            code=code,
            field=field if isinstance(field, str) else None,
        )

    def _stranger(self, response: httpx2.Response) -> Failed:
        return Failed(
            f"What answers at {self._url} is no registry (HTTP {response.status_code}).", AWAY
        )


def _plain(error: object) -> dict[str, Any]:
    return error if isinstance(error, dict) else {}


def _extensions(error: object) -> dict[str, Any]:
    return _plain(_plain(error).get("extensions"))
