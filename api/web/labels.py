"""What the words of the vocabulary are called on a page; a word without a label shows itself."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Any, Final

from api.web import decision_labels, office_labels
from api.web.languages import N_
from registry.complaint_states import ComplaintState
from registry.misuse import ComplaintKind
from registry.notices import NoticeKind
from registry.policy.dpv import ConsentStatus
from registry.policy.vocabulary import AiUse, Modality, ObjectionState, Purpose

USES: Final[dict[AiUse, str]] = {
    AiUse.TRAIN_MODEL: N_("Train a model with it"),
    AiUse.CREATE_REPLICA: N_("Make a copy of me that can be used again"),
    AiUse.SYNTHESIZE_SPEECH: N_("Speak in my voice"),
    AiUse.SYNTHESIZE_SINGING: N_("Sing in my voice"),
    AiUse.CONVERT_VOICE: N_("Turn another voice into mine"),
    AiUse.SWAP_FACE: N_("Put my face on somebody else"),
    AiUse.LIP_SYNC: N_("Move my lips to other words"),
    AiUse.REENACT: N_("Let my face or body act out something"),
    AiUse.GENERATE_IMAGE: N_("Make pictures of me"),
    AiUse.GENERATE_VIDEO: N_("Make videos of me"),
    AiUse.ALTER_AGE: N_("Make me look or sound older or younger"),
    AiUse.INTERACTIVE_PERSONA: N_("Make a chat partner of me"),
    AiUse.BIOMETRIC_MATCH: N_("Recognise me"),
    AiUse.REDISTRIBUTE: N_("Pass on what was made"),
}
PURPOSES: Final[dict[Purpose, str]] = {
    Purpose.FILM_TV: N_("Film and television"),
    Purpose.MUSIC: N_("Music"),
    Purpose.GAMES: N_("Games"),
    Purpose.AUDIOBOOK: N_("Audiobooks"),
    Purpose.LOCALIZATION_DUBBING: N_("Dubbing and translation"),
    Purpose.ADVERTISING: N_("Advertising"),
    Purpose.ECOMMERCE_LIVE: N_("Selling online and live"),
    Purpose.CUSTOMER_SERVICE: N_("Customer service"),
    Purpose.NEWS: N_("News"),
    Purpose.EDUCATION: N_("Education"),
    Purpose.RESEARCH: N_("Research"),
    Purpose.ARCHIVAL: N_("Archives"),
    Purpose.ACCESSIBILITY: N_("Help for people with disabilities"),
    Purpose.MEMORIAL: N_("Memory of the dead"),
    Purpose.SATIRE: N_("Satire and parody"),
    Purpose.POLITICAL: N_("Politics"),
    Purpose.PERSONAL: N_("Private use"),
    Purpose.SAFETY_DETECTION: N_("Finding abuse and forgeries"),
    Purpose.INTIMATE_COMPANION: N_("Intimate companions"),
    Purpose.IDENTITY_BYPASS: N_("Getting past identity checks"),
    Purpose.UNSPECIFIED: N_("No purpose said"),
}
MODALITIES: Final[dict[Modality, str]] = {
    Modality.FACE: N_("My face"),
    Modality.VOICE: N_("My voice"),
    Modality.BODY: N_("My body"),
    Modality.NAME: N_("My name"),
}
OBJECTION_STATES: Final[dict[ObjectionState, str]] = {
    ObjectionState.PROVISIONAL: N_("In force, not yet proved"),
    ObjectionState.VERIFIED: N_("In force, proved"),
    ObjectionState.DISPUTED: N_("In force, disputed"),
    ObjectionState.WITHDRAWN: N_("Withdrawn"),
    ObjectionState.LAPSED: N_("Lapsed"),
}
MISUSES: Final[dict[ComplaintKind, str]] = {
    ComplaintKind.IMPERSONATION: N_("It pretends to be me"),
    ComplaintKind.INTIMATE: N_("It shows me naked or in a sexual way"),
    ComplaintKind.FRAUD: N_("It is used to cheat people"),
    ComplaintKind.ADVERTISING: N_("It advertises something with me"),
    ComplaintKind.HARASSMENT: N_("It mocks, threatens or harasses me"),
    ComplaintKind.OTHER: N_("Something else"),
}
REPORTS: Final[dict[ComplaintState, str]] = {
    ComplaintState.RECEIVED: N_("Received"),
    ComplaintState.IN_REVIEW: N_("A person looks at it"),
    ComplaintState.CONFIRMED: N_("Confirmed"),
    ComplaintState.NOT_CONFIRMED: N_("Not confirmed"),
    ComplaintState.WITHDRAWN: N_("Withdrawn"),
}
STATUSES: Final[dict[str, str]] = {
    ConsentStatus.OBJECTION_FILED: N_("You objected"),
    ConsentStatus.OBJECTION_VERIFIED: N_("Your objection was proved"),
    ConsentStatus.OBJECTION_DISPUTED: N_("Your objection was disputed"),
    ConsentStatus.OBJECTION_CONTESTED: N_("Your objection was contested"),
    ConsentStatus.OBJECTION_WITHDRAWN: N_("You withdrew your objection"),
    ConsentStatus.OBJECTION_LAPSED: N_("Your objection lapsed"),
}
NOTICES: Final[dict[NoticeKind, str]] = {
    NoticeKind.OBJECTION_CONTESTED: N_(
        "Somebody who proved to be the owner of this face or voice contests your objection."
    ),
    NoticeKind.CONSENT_REQUESTED: N_("A service asks for your consent."),
    NoticeKind.REVIEW_DECIDED: N_("Our desk has decided something about you."),
    NoticeKind.ACCOUNT_FROZEN: N_(
        "This case is frozen: it may withdraw and read, and nothing else. Ask our desk."
    ),
    NoticeKind.PIN_RECOVERY_ASKED: N_(
        "Somebody says that they lost the PIN of this case, and asked our desk for a new one. If it"
        " was not you, change the PIN and write to our desk."
    ),
    NoticeKind.PIN_RENEWED: N_("A code of our desk was used to set a new PIN of this case."),
}
_ALL: Final[tuple[Mapping[Any, str], ...]] = (  # each of another enum
    USES,
    PURPOSES,
    MODALITIES,
    OBJECTION_STATES,
    NOTICES,
    MISUSES,
    REPORTS,
    *office_labels.ALL,
    *decision_labels.ALL,
)


def of(member: StrEnum) -> str:
    """The label of a member, in English."""
    for words in _ALL:
        if type(member) is type(next(iter(words))) and member in words:
            return words[member]
    return member.replace("_", " ").capitalize()
