"""The closed words of a rule pack, beside those that questions use too."""

from enum import StrEnum


class Status(StrEnum):
    """Whether it is law. What is draft speaks only when a request includes draft law."""

    IN_FORCE = "in_force"
    PARTLY_IN_FORCE = "partly_in_force"
    DRAFT = "draft"


class InstrumentStatus(StrEnum):
    """What kind of authority an instrument has today."""

    IN_FORCE = "in_force"
    PARTLY_IN_FORCE = "partly_in_force"
    ADOPTED = "adopted"
    DRAFT = "draft"
    CASE_LAW = "case_law"
    GUIDANCE = "guidance"
    CAMPAIGN = "campaign"


class Evidence(StrEnum):
    """Where a statement comes from: a source that was read, memory, or this registry's policy."""

    READ = "read"
    MEMORY = "memory"
    POLICY = "policy"


class Confidence(StrEnum):
    """How sure its authors are of it."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Factor(StrEnum):
    """Which fact pulls a pack in."""

    PUBLICATION = "PUBLICATION"
    SERVICE_ESTABLISHMENT = "SERVICE_ESTABLISHMENT"
    SUBJECT_RESIDENCE = "SUBJECT_RESIDENCE"
    DOMICILE_AT_DEATH = "DOMICILE_AT_DEATH"


class Cure(StrEnum):
    """What lifts a bar: nothing, or a grant that allows the barred thing."""

    NONE = "none"
    CONSENT = "consent"


class Effect(StrEnum):
    """What a bar or exception leads to. `advisory` informs, and changes nothing."""

    PROHIBIT = "prohibit"
    REVIEW = "review"
    ADVISORY = "advisory"


class Need(StrEnum):
    """Whether a form is demanded. Only `required` binds."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"
    NOT_REQUIRED = "not_required"


class Standing(StrEnum):
    """What a person is to the law of consent."""

    ADULT = "adult"
    MINOR = "minor"
    DEAD = "dead"


class TermKind(StrEnum):
    """How long the dead are protected."""

    FIXED = "fixed"
    RENEWABLE = "renewable"
    WHILE_RELATIVES_LIVING = "while_relatives_living"
    UNSETTLED = "unsettled"
    DELEGATED = "delegated"
    NONE = "none"


class HolderDecision(StrEnum):
    """How many of the holders must sign; later ones are stricter."""

    ANY = "any"
    MAJORITY_INTEREST = "majority_interest"
    ALL = "all"


class ProtectionLevel(StrEnum):
    """By what kind of right something of a person is protected."""

    EXCLUSIVE_RIGHT = "exclusive_right"
    PERSONALITY = "personality"
    DATA_PROTECTION = "data_protection"
    CRIMINAL_ONLY = "criminal_only"
    NONE = "none"


class ProtectionHolder(StrEnum):
    """Who enjoys it."""

    EVERYONE = "everyone"
    WELL_KNOWN = "well_known"
    COMMERCIAL_VALUE = "commercial_value"
    PERFORMERS = "performers"


class Parameter(StrEnum):
    """What a duty can be measured in."""

    MONTHS = "months"
    DAYS = "days"
    DEADLINE_HOURS = "deadline_hours"
    HEIGHT_PERCENT = "height_percent"
    SECONDS = "seconds"


class Whom(StrEnum):
    """Whom a help line is there for."""

    EVERYBODY = "EVERYBODY"
    MINORS = "MINORS"
    INTIMATE = "INTIMATE"  # whoever is shown in intimate pictures, true or made


class Party(StrEnum):
    """Who must meet a deadline."""

    PLATFORM = "PLATFORM"  # whoever makes public what others upload
    SERVICE = "SERVICE"  # whoever makes or holds the data: an AI service, too
    DEFENDANT = "DEFENDANT"  # whom a court has ordered
    REGISTRY = "REGISTRY"
    PERSON = "PERSON"  # the person concerned: what is missed is lost
