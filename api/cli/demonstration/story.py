"""From "not permitted" to "permitted": a service's customer lets it clone his own voice.

The service asks, the customer opens the link, enrols, is identified by the registrar, speaks words
that nobody could know before, and signs. Then an old recording is played again, and he takes back
what he gave.
"""

import base64
import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.cli.demonstration import documents, sounds
from api.cli.demonstration.client import Client, Told
from api.cli.demonstration.media import Media
from api.cli.demonstration.scene import Act, Clients, Scene, Writer, answer
from registry.policy.vocabulary import AiUse, Purpose

_USE, _PURPOSE, _TERRITORY = AiUse.SYNTHESIZE_SPEECH, Purpose.PERSONAL, "NO"
_SCOPE = {
    "modalities": ["VOICE"],
    "uses": [_USE],
    "purposes": [_PURPOSE],
    "territories": [_TERRITORY],
}
_NOTICE = "Your voice is copied for this service, for what you name, until you take it back."


@dataclass(slots=True)
class _Customer:
    """Who he is, what he sounds like, and how far he has come."""

    clients: Clients
    voice: str
    account: str
    subject: str = ""
    link: str = ""
    request: str = ""
    grant: str = ""
    spoken: bytes = b""

    @property
    def himself(self) -> Client:
        """His own account, known by what he says of himself alone until he is identified."""
        return self.clients.customer

    def is_asked(self, before: Told | None) -> None:
        """The service asks for consent, and hands its customer the link; he enrols."""
        decision = before.decision if before is not None else None
        wanted = {
            "scope": _SCOPE,
            "decisionId": None if decision is None else decision["id"],
            "message": "You asked us for a voice of your own.",
            "notice": {"version": "2026-11", "language": "en", "sha256": _digest(_NOTICE)},
            "terms": {
                "endsAt": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
                "written": True,
                "separate": True,
            },
        }
        made = self.clients.studio.ask(documents.REQUEST_CONSENT, input=wanted)
        self.link, self.request = made["linkToken"], made["request"]["id"]
        self._enrols()

    def _enrols(self) -> None:
        """He opens the link, says who he is, and enrols two recordings."""
        given = {"name": "a customer", "birthDate": date(1988, 4, 2).isoformat()}
        made = self.himself.ask(documents.REGISTER_SUBJECT, input=given)
        self.subject = made["subject"]["id"]
        self.himself.ask(documents.CLAIM_REQUEST, token=self.link, subject=self.subject)
        for sentence in sounds.SENTENCES[:2]:
            self.himself.enroll(self.subject, self._upload(self.himself, sentence))

    def is_identified(self) -> None:
        """The registrar sees a document and hears him live; the registry compares the voices."""
        live = self._upload(self.clients.registrar, sounds.SENTENCES[2])
        self.clients.registrar.ask(
            documents.ATTEST_IDENTITY,
            input={
                "principalId": self.account,
                "level": 2,
                "method": "DOCUMENT_IN_PERSON",
                "liveness": True,
                "evidenceSha256": _digest("a copy of the passport"),
                "expiresAt": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
                "subjectId": self.subject,
                "liveCapture": {"handle": live.handle},
            },
        )

    def signs(self) -> None:
        """He says yes, speaks the words he is given, and signs with them."""
        yes = {"id": self.request, "answer": "GRANT"}
        self.grant = self.himself.ask(documents.ANSWER_REQUEST, input=yes)["request"]["grant"]["id"]
        begun = self.himself.ask(documents.BEGIN_SIGNING, id=self.grant)["challenge"]
        self.spoken = sounds.said(self.voice, begun["phrase"]).data
        self.himself.ask(
            documents.SIGN_SPOKEN,
            id=self.grant,
            statement=_statement(self.himself, self.spoken, begun),
        )

    def is_replayed(self) -> Told:
        """Somebody with his token plays the old recording for a grant of their own."""
        wide = {
            "subjectId": self.subject,
            "scope": {**_SCOPE, "territories": [_TERRITORY, "SE"]},
            "endsAt": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
        }
        made = self.himself.ask(documents.PROPOSE_GRANT, input=wide)["grant"]["id"]
        begun = self.himself.ask(documents.BEGIN_SIGNING, id=made)["challenge"]
        return self.himself.told(
            documents.SIGN_SPOKEN, id=made, statement=_statement(self.himself, self.spoken, begun)
        )

    def takes_back(self) -> None:
        """He ends it in one call."""
        self.himself.ask(documents.REVOKE_GRANT, id=self.grant)

    def _upload(self, client: Client, sentence: str) -> Any:
        return client.upload(sounds.said(self.voice, sentence).data)


def _statement(client: Client, recording: bytes, begun: dict[str, Any]) -> dict[str, Any]:
    return {
        "handle": client.upload(recording).handle,
        "challengeId": begun["id"],
        "spoken": begun["phrase"],
    }


def _digest(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()


def acts(write: Writer) -> list[Act]:
    """One act: each of its scenes needs what came of those before."""
    cast, clients = write.cast, write.clients
    taken = {cast.licensor.voice, cast.objector.voice, cast.limited.voice, cast.stranger.voice}
    voice = next(one for one in sounds.VOICES if one not in taken)
    who = _Customer(clients, voice, account=clients.customer_id)
    recording = sounds.said(voice, sounds.SENTENCES[-1])

    def asked(title: str, expected: Told, first: Any = None, *, claimed: bool = True) -> Scene:
        return _heard(write, title, recording, expected, who if claimed else None, first)

    return [
        [
            asked(
                "A customer's own voice, unknown",
                answer("UNKNOWN", "NO_MATCH", "OWN_LAWFUL_BASIS_NEEDED"),
                claimed=False,
            ),
            asked(
                "He was asked, and enrolled",
                answer("CONSENT_REQUIRED", "NO_GRANT"),
                who.is_asked,
            ),
            asked(
                "He is identified, and has no grant",
                answer("CONSENT_REQUIRED", "NO_GRANT"),
                lambda _: who.is_identified(),
            ),
            asked(
                "He signed, in words just given",
                answer("PERMITTED", "GRANT"),
                lambda _: who.signs(),
            ),
            Scene(
                "That recording played once more",
                recording.made_by,
                answer("REFUSED", "REPLAY_DETECTED"),
                lambda _: who.is_replayed(),
            ),
            asked(
                "He takes it back",
                answer("PROHIBITED", "CONSENT_WITHDRAWN"),
                lambda _: who.takes_back(),
            ),
        ]
    ]


def _heard(
    write: Writer, title: str, recording: Media, expected: Told, who: _Customer | None, first: Any
) -> Scene:
    def play(before: Told | None) -> Told:
        if first is not None:
            first(before)
        probe = write.clients.studio.upload(recording.data).probe()
        claimed = {} if who is None else {"claimedSubject": who.subject}
        return write.clients.studio.check(
            {
                "use": _USE,
                "purpose": _PURPOSE,
                "modalities": ["VOICE"],
                "territories": [_TERRITORY],
                "persons": [{**claimed, "probes": [probe]}],
            }
        )

    return Scene(title, recording.made_by, expected, play)
