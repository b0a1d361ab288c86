"""People whom the law protects anyway: a child, a dead singer, a historical figure.

They are invented: the voices are a synthesiser's, the picture is an old photograph of nobody known.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from api.cli.demonstration import documents, sounds
from api.cli.demonstration.accounts import Accounts
from api.cli.demonstration.client import Client, RefusedError
from api.cli.demonstration.media import Media
from api.cli.demonstration.scene import Clients
from registry.policy.vocabulary import AiUse, Purpose

_CHILD_VOICE = "en-us+ian"
_SINGER_VOICE = "en-us+mike2"
_CHILD_AGE = 10
FILED = "网信算备110108000000001260001号"  # of the form that numbers have there, and nobody's
_LATER = "网信算备110108000000002260001号"
_ENROLLED = "ENROLLED"


@dataclass(frozen=True, slots=True)
class Protected:
    """Who they are, what was not enrolled of them, and how their grants come about."""

    child: str
    child_heard: Media
    singer: str
    singer_heard: Media
    figure: str
    figure_seen: bytes
    clients: Clients
    studio: str

    def guardian_signs(self) -> None:
        """The guardian allows the studio a reading voice for education."""
        self._grant(
            self.child,
            self.clients.guardian,
            "GUARDIAN",
            modalities=["VOICE"],
            uses=[AiUse.SYNTHESIZE_SPEECH],
            purposes=[Purpose.EDUCATION],
        )

    def heir_signs(self) -> None:
        """Whoever holds most of the singer's rights allows the studio to let them sing."""
        self._grant(
            self.singer,
            self.clients.heir,
            "RIGHTS_HOLDER",
            modalities=["VOICE"],
            uses=[AiUse.SYNTHESIZE_SINGING],
            purposes=[Purpose.MUSIC],
        )

    def family_objects(self) -> None:
        """The family of the historical figure wants no talking likeness of them."""
        scope = {"uses": [AiUse.INTERACTIVE_PERSONA]}
        given = {"subjectId": self.figure, "scope": scope}
        self.clients.agency.ask(documents.FILE_OBJECTION, input=given)

    def rival_files(self) -> None:
        """The other service declares a filing number."""
        self.clients.rival.ask(documents.SET_FILING, input={"territory": "CN", "number": _LATER})

    def _grant(self, subject: str, signer: Client, role: str, **scope: Any) -> None:
        proposal = {
            "subjectId": subject,
            "grantees": [self.studio],
            "scope": scope,
            "endsAt": (datetime.now(UTC) + timedelta(days=365)).isoformat(),
            "written": True,
            "separate": True,
        }
        made = self.clients.agency.ask(documents.PROPOSE_GRANT, input=proposal)
        signer.ask(documents.SIGN_AS, id=made["grant"]["id"], role=role)


def assemble(clients: Clients, accounts: Accounts, photos: Mapping[str, bytes]) -> Protected:
    """Put them on record: by the agency, and what the law sees in them by the registrar."""
    agency, registrar = clients.agency, clients.registrar
    today = datetime.now(UTC).date()
    child = _person(agency, "a child of ten", date(today.year - _CHILD_AGE, 1, 1), _CHILD_VOICE)
    _appoint(registrar, child, accounts.guardian.id, role="GUARDIAN", source="Birth certificate")
    singer = _person(agency, "a singer who died in 2010", date(1940, 5, 1), _SINGER_VOICE)
    registrar.ask(
        documents.RECORD_DEATH,
        input={
            "subjectId": singer,
            "diedOn": "2010-06-01",
            "relativesLiving": True,
            "source": "Death certificate",
        },
    )
    _appoint(
        registrar,
        singer,
        accounts.heir.id,
        role="RIGHTS_HOLDER",
        kinship="CHILD",
        share=0.6,
        source="Certificate of inheritance",
    )
    figure = _historical(agency, registrar, photos["camera"])
    clients.studio.ask(documents.SET_FILING, input={"territory": "CN", "number": FILED})
    sentence = sounds.SENTENCES[-1]
    return Protected(
        child=child,
        child_heard=sounds.said(_CHILD_VOICE, sentence),
        singer=singer,
        singer_heard=sounds.said(_SINGER_VOICE, sentence),
        figure=figure,
        figure_seen=photos["camera"],
        clients=clients,
        studio=str(accounts.studio.id),
    )


def _person(agency: Client, name: str, born: date, voice: str) -> str:
    given = {"name": name, "birthDate": born.isoformat()}
    subject: str = agency.ask(documents.REGISTER_SUBJECT, input=given)["subject"]["id"]
    for sentence in sounds.SENTENCES[:2]:
        told = agency.enroll(subject, agency.upload(sounds.said(voice, sentence).data))
        if told.outcome != _ENROLLED:
            raise RefusedError(f"A sample is {told.outcome}. {told.sentence}")
    return subject


def _historical(agency: Client, registrar: Client, picture: bytes) -> str:
    given = {"name": "a poet of long ago", "birthDate": "1850-01-01"}
    subject: str = agency.ask(documents.REGISTER_SUBJECT, input=given)["subject"]["id"]
    source = {"media": agency.upload(picture).handle}
    agency.ask(documents.REGISTER_ASSET, input={"subjectIds": [subject], "source": source})
    registrar.ask(
        documents.RECORD_DEATH,
        input={
            "subjectId": subject,
            "diedOn": "1936-10-19",
            "domicile": "CN",
            "relativesLiving": False,
            "source": "Encyclopaedia",
        },
    )
    for one in ("HISTORICAL", "HERO_MARTYR"):
        asserted = {"subjectId": subject, "class": one, "source": "Encyclopaedia"}
        registrar.ask(documents.ASSERT_CLASS, input=asserted)
    return subject


def _appoint(registrar: Client, subject: str, account: object, **given: Any) -> None:
    appointed = {"subjectId": subject, "principalId": str(account), **given}
    registrar.ask(documents.APPOINT_REPRESENTATIVE, input=appointed)
