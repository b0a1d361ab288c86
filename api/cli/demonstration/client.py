"""An account's way to the registry: HTTP and GraphQL with its token, as for any program."""

from dataclasses import dataclass
from typing import Any

import httpx2

from api.cli.demonstration import documents
from api.cli.demonstration.media import Box, Upload
from registry.errors import UnavailableError

SECONDS = 30.0
REFUSED = "REFUSED"


class RefusedError(Exception):
    """The registry refused what the demonstration needs it to do."""


@dataclass(frozen=True, slots=True)
class Told:
    """What the registry answered: an outcome, its reason codes, and a sentence where it refused."""

    outcome: str
    reasons: frozenset[str]
    decision: dict[str, Any] | None = None
    sentence: str = ""


class Client:
    """Speaks for one account."""

    def __init__(self, url: str, token: str) -> None:
        self._http = httpx2.Client(
            base_url=url, headers={"authorization": f"Bearer {token}"}, timeout=SECONDS
        )

    def close(self) -> None:
        """Give up the connections."""
        self._http.close()

    def ask(self, document: str, **variables: object) -> dict[str, Any]:
        """The one field of a document; RefusedError for a Problem or an error."""
        answer = self._answer(document, variables)
        if "code" in answer:
            raise RefusedError(f"{answer['code']}: {answer['message']}")
        return answer

    def _answer(self, document: str, variables: dict[str, object]) -> dict[str, Any]:
        response = self._http.post("/graphql", json={"query": document, "variables": variables})
        try:
            body = response.json()
        except ValueError as error:
            raise RefusedError(f"HTTP {response.status_code}: {response.text[:200]}") from error
        if body.get("errors"):
            raise RefusedError(body["errors"][0]["message"])
        answer: dict[str, Any] = body["data"]["answer"]
        return answer

    def told(self, document: str, **variables: object) -> Told:
        """How a document was answered: that it was done, or the refusal's code and sentence."""
        answer = self._answer(document, variables)
        if "code" in answer:
            return Told(REFUSED, frozenset({answer["code"]}), sentence=answer["message"])
        return Told("DONE", frozenset())

    def upload(self, data: bytes) -> Upload:
        """What was found in a file; RefusedError if it is not read."""
        response = self._upload(data)
        if not response.is_success:
            raise RefusedError(_sentence(response) or f"HTTP {response.status_code}")
        return Upload.of(response.json())

    def upload_refused(self, data: bytes) -> Told:
        """How an upload that must not be read was answered: by status, code and a sentence."""
        response = self._upload(data)
        reasons = {str(response.json().get("code"))} if _sentence(response) else {"no sentence"}
        return Told(f"HTTP {response.status_code}", frozenset(reasons))

    def _upload(self, data: bytes) -> httpx2.Response:
        return self._http.post(
            "/v1/media", content=data, headers={"content-type": "application/octet-stream"}
        )

    def check(self, question: dict[str, Any]) -> Told:
        """The decision on a CheckInput."""
        decision = self.ask(documents.CHECK, input=question)
        codes = frozenset(reason["code"] for reason in decision["reasons"])
        return Told(decision["outcome"], codes, decision)

    def enroll(self, subject: str, upload: Upload, box: Box | None = None) -> Told:
        """How an enrolment went: the sample's state, or the refusal's code and sentence."""
        media = {"handle": upload.handle, "box": box}
        given = {"subjectId": subject, "media": media}
        answer = self._answer(documents.ENROLL_SAMPLE, {"input": given})
        if "code" in answer:
            return Told(REFUSED, frozenset({answer["code"]}), sentence=answer["message"])
        return Told(answer["sample"]["state"], frozenset())

    def get(self, path: str) -> Any:
        """A public page, as JSON."""
        response = self._http.get(path)
        if not response.is_success:
            raise UnavailableError(f"{path} answered HTTP {response.status_code}.")
        return response.json()


def _sentence(response: httpx2.Response) -> str | None:
    """What a problem says, if it is a problem and says it in a sentence."""
    try:
        message = response.json().get("message")
    except (ValueError, AttributeError):
        return None
    return message if isinstance(message, str) and message.endswith(".") else None
