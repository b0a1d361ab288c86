"""The words of a question and of its answer. GraphQL, packs and the database use these.

Use (technique), purpose (why) and content (what it shows) are independent of one another.
TRAIN_MODEL and CREATE_REPLICA never imply a use of the result, nor the other way round.
"""

from enum import StrEnum
from typing import Final

# NIST SP 800-63A IAL2: whoever is known less well may object, and grants nothing.
ASSURED_IAL: Final = 2


class Modality(StrEnum):
    """What of a person is used."""

    FACE = "FACE"
    VOICE = "VOICE"
    BODY = "BODY"
    NAME = "NAME"


class AiUse(StrEnum):
    """The technique."""

    TRAIN_MODEL = "TRAIN_MODEL"
    CREATE_REPLICA = "CREATE_REPLICA"
    SYNTHESIZE_SPEECH = "SYNTHESIZE_SPEECH"
    SYNTHESIZE_SINGING = "SYNTHESIZE_SINGING"
    CONVERT_VOICE = "CONVERT_VOICE"
    SWAP_FACE = "SWAP_FACE"
    LIP_SYNC = "LIP_SYNC"
    REENACT = "REENACT"
    GENERATE_IMAGE = "GENERATE_IMAGE"
    GENERATE_VIDEO = "GENERATE_VIDEO"
    ALTER_AGE = "ALTER_AGE"
    INTERACTIVE_PERSONA = "INTERACTIVE_PERSONA"
    BIOMETRIC_MATCH = "BIOMETRIC_MATCH"
    REDISTRIBUTE = "REDISTRIBUTE"


class Purpose(StrEnum):
    """What it is for. UNSPECIFIED is covered only by a grant for all purposes."""

    FILM_TV = "FILM_TV"
    MUSIC = "MUSIC"
    GAMES = "GAMES"
    AUDIOBOOK = "AUDIOBOOK"
    LOCALIZATION_DUBBING = "LOCALIZATION_DUBBING"
    ADVERTISING = "ADVERTISING"
    ECOMMERCE_LIVE = "ECOMMERCE_LIVE"
    CUSTOMER_SERVICE = "CUSTOMER_SERVICE"
    NEWS = "NEWS"
    EDUCATION = "EDUCATION"
    RESEARCH = "RESEARCH"
    ARCHIVAL = "ARCHIVAL"
    ACCESSIBILITY = "ACCESSIBILITY"
    MEMORIAL = "MEMORIAL"
    SATIRE = "SATIRE"
    POLITICAL = "POLITICAL"
    PERSONAL = "PERSONAL"
    SAFETY_DETECTION = "SAFETY_DETECTION"
    INTIMATE_COMPANION = "INTIMATE_COMPANION"
    IDENTITY_BYPASS = "IDENTITY_BYPASS"
    UNSPECIFIED = "UNSPECIFIED"


class ContentFlag(StrEnum):
    """What it shows. A grant allows none unless it says so."""

    SEXUAL = "SEXUAL"
    VIOLENCE = "VIOLENCE"
    DISPARAGING = "DISPARAGING"
    POLITICAL_ENDORSEMENT = "POLITICAL_ENDORSEMENT"
    FINANCIAL_PROMOTION = "FINANCIAL_PROMOTION"
    HEALTH_CLAIM = "HEALTH_CLAIM"
    GAMBLING_ALCOHOL_TOBACCO = "GAMBLING_ALCOHOL_TOBACCO"
    RELIGIOUS = "RELIGIOUS"
    FALSE_NEWS = "FALSE_NEWS"
    FRAUD = "FRAUD"


class Outcome(StrEnum):
    """The answer. Only PERMITTED means go; less trusted services see NOT_CLEARED instead."""

    PERMITTED = "PERMITTED"
    UNKNOWN = "UNKNOWN"
    CONSENT_REQUIRED = "CONSENT_REQUIRED"
    REVIEW_REQUIRED = "REVIEW_REQUIRED"
    PROHIBITED = "PROHIBITED"
    NOT_CLEARED = "NOT_CLEARED"


class Basis(StrEnum):
    """Why a permission is one."""

    CONSENT = "CONSENT"
    TERM_EXPIRED = "TERM_EXPIRED"


class GrantState(StrEnum):
    """Where a consent stands; the fold of its events."""

    DRAFT = "DRAFT"
    PENDING = "PENDING"
    ACTIVE = "ACTIVE"
    SUSPENDED = "SUSPENDED"
    EXPIRED = "EXPIRED"
    REVOKED = "REVOKED"
    REJECTED = "REJECTED"


class ObjectionState(StrEnum):
    """Where an objection stands; the fold of its events."""

    PROVISIONAL = "PROVISIONAL"
    VERIFIED = "VERIFIED"
    DISPUTED = "DISPUTED"
    WITHDRAWN = "WITHDRAWN"
    LAPSED = "LAPSED"


class Registration(StrEnum):
    """How far a subject's claim to be this person has been proved."""

    PROVISIONAL = "PROVISIONAL"
    VERIFIED = "VERIFIED"
    DISPUTED = "DISPUTED"


class SubjectClass(StrEnum):
    """What the law may see in a person; derived, and more than one may hold."""

    PRIVATE = "PRIVATE"
    PUBLIC_FIGURE = "PUBLIC_FIGURE"
    PERFORMER = "PERFORMER"
    MINOR = "MINOR"
    DECEASED = "DECEASED"
    HISTORICAL = "HISTORICAL"
    HERO_MARTYR = "HERO_MARTYR"


class GrantorRole(StrEnum):
    """In what right a grant was signed."""

    SELF = "SELF"
    GUARDIAN = "GUARDIAN"
    RIGHTS_HOLDER = "RIGHTS_HOLDER"
    ESTATE_REPRESENTATIVE = "ESTATE_REPRESENTATIVE"
    AGENT = "AGENT"
    AGENCY = "AGENCY"


class LegalException(StrEnum):
    """A freedom the service claims. It leads to a person, never to a permission."""

    NEWS_REPORTING = "NEWS_REPORTING"
    PARODY_SATIRE = "PARODY_SATIRE"
    SCHOLARSHIP = "SCHOLARSHIP"
    HISTORICAL = "HISTORICAL"
    STATE_DUTY = "STATE_DUTY"


class Band(StrEnum):
    """How near a probe is to a reference. Scores and distances never leave the registry."""

    NONE = "NONE"
    GREY = "GREY"
    MATCH = "MATCH"
    STRONG = "STRONG"

    @property
    def rank(self) -> int:
        """0 for NONE to 3 for STRONG."""
        return _BAND_RANK[self]


_BAND_RANK = {band: rank for rank, band in enumerate(Band)}


class ReasonAction(StrEnum):
    """What the caller can do about a reason."""

    RETRY = "RETRY"
    SEND_BETTER_PROBE = "SEND_BETTER_PROBE"
    REQUEST_CONSENT = "REQUEST_CONSENT"
    DECLARE_OBLIGATION = "DECLARE_OBLIGATION"
    NAME_THE_STATE = "NAME_THE_STATE"
    HUMAN_REVIEW = "HUMAN_REVIEW"
    STOP = "STOP"
    NONE = "NONE"


class ObligationCode(StrEnum):
    """A duty that comes with a permission."""

    LABEL_EXPLICIT = "LABEL_EXPLICIT"
    LABEL_IMPLICIT_GB45438 = "LABEL_IMPLICIT_GB45438"
    LABEL_MACHINE_READABLE = "LABEL_MACHINE_READABLE"
    KEEP_LOG = "KEEP_LOG"
    REPORT_USAGE = "REPORT_USAGE"
    COMPENSATE = "COMPENSATE"
    NO_SUBLICENSE = "NO_SUBLICENSE"
    ATTRIBUTE = "ATTRIBUTE"
    NOTIFY_SUBJECT = "NOTIFY_SUBJECT"
    DELETE_AFTER_USE = "DELETE_AFTER_USE"
    WATERMARK = "WATERMARK"
    CONTENT_EXCLUSIONS = "CONTENT_EXCLUSIONS"
    DELETE_MODEL_ON_END = "DELETE_MODEL_ON_END"
    ONE_TIME_TOKEN = "ONE_TIME_TOKEN"  # noqa: S105  # a word, not a secret
    DISPLAY_FILING_NUMBER = "DISPLAY_FILING_NUMBER"
    SPECIFIC_USES_ONLY = "SPECIFIC_USES_ONLY"
    NO_TRAINING = "NO_TRAINING"


class Kinship(StrEnum):
    """By what title somebody holds rights of a dead person. Packs rank these."""

    SPOUSE = "SPOUSE"
    LIFE_PARTNER = "LIFE_PARTNER"
    CHILD = "CHILD"
    PARENT = "PARENT"
    SIBLING = "SIBLING"
    GRANDPARENT = "GRANDPARENT"
    GRANDCHILD = "GRANDCHILD"
    TRANSFEREE = "TRANSFEREE"
    TESTAMENTARY_BENEFICIARY = "TESTAMENTARY_BENEFICIARY"
    INTESTATE_HEIR = "INTESTATE_HEIR"
    EXECUTOR = "EXECUTOR"
    DESIGNATED_BY_DIRECTIVE = "DESIGNATED_BY_DIRECTIVE"


class CircumstanceName(StrEnum):
    """A fact outside the request that a rule may turn on."""

    ELECTION_WINDOW = "ELECTION_WINDOW"
