"""Every reason the engine gives: code, sentence, what the caller can do. Bars bring their own."""

from registry.policy.decision import Reason
from registry.policy.pack import Bar
from registry.policy.pack_words import Cure, Effect
from registry.policy.vocabulary import Modality, ReasonAction

_A = ReasonAction

REASONS: dict[str, tuple[str, ReasonAction]] = {
    # the request as a whole
    "SERVICE_SUSPENDED": ("This service is suspended.", _A.STOP),
    "FACTS_INCOMPLETE": ("Something this decision needs is missing.", _A.HUMAN_REVIEW),
    "NOT_CLEARED": ("No permission was found. Ask for consent.", _A.REQUEST_CONSENT),
    "NON_TARGET_PERSON": ("Someone who is not a target must not be used so.", _A.HUMAN_REVIEW),
    "OBLIGATION_UNSUPPORTED": (
        "A permission brings duties this service has not declared.",
        _A.DECLARE_OBLIGATION,
    ),
    # who it is
    "CLAIMED_SUBJECT_MISMATCH": ("This is not the person it was said to be.", _A.STOP),
    "BIOMETRIC_PROOF_REQUIRED": ("Nothing to compare was given for this.", _A.SEND_BETTER_PROBE),
    "NAME_ONLY": ("A name alone does not tell who is used.", _A.SEND_BETTER_PROBE),
    "NAME_CONFLICT": ("The name belongs to someone else.", _A.HUMAN_REVIEW),
    "PROBE_QUALITY_LOW": ("The probe is too poor to compare.", _A.SEND_BETTER_PROBE),
    "MATCHER_UNAVAILABLE": ("The probe could not be compared just now.", _A.RETRY),
    "ENCODER_CHANGING": (
        "Some people are known only to an encoder that is being replaced.",
        _A.HUMAN_REVIEW,
    ),
    "GREY_ZONE_MATCH": ("It may be a registered person; this is unsure.", _A.HUMAN_REVIEW),
    "AMBIGUOUS": ("It may be more than one person.", _A.HUMAN_REVIEW),
    "IDENTITY_NOT_STRONG": (
        "The person is likely but not sure enough for a permission: name whom you believe it is.",
        _A.SEND_BETTER_PROBE,
    ),
    "REGISTRATION_NOT_VERIFIED": ("The person's registration is not verified.", _A.HUMAN_REVIEW),
    "NO_MATCH": ("No registered person was found.", _A.NONE),
    "OWN_LAWFUL_BASIS_NEEDED": (
        "The registry knows of no consent; you need a lawful basis of your own.",
        _A.REQUEST_CONSENT,
    ),
    "ASSET_MATCH": ("It is a registered picture.", _A.NONE),
    # what forbids or delays
    "ORDER": ("A court or regulator forbade this.", _A.STOP),
    "OBJECTION": ("The person objects to this.", _A.STOP),
    "OBJECTION_DISPUTED": ("An objection to this is being contested.", _A.HUMAN_REVIEW),
    "CLAIM_DISPUTED": ("Who this registration belongs to is contested.", _A.HUMAN_REVIEW),
    "CONSENT_WITHDRAWN": ("Consent to this was withdrawn.", _A.STOP),
    "GRANT_SUSPENDED": ("The grant for this is suspended.", _A.HUMAN_REVIEW),
    "EXCEPTION_CLAIMED": ("An exception is claimed; a person decides.", _A.HUMAN_REVIEW),
    "EXCEPTION_NOT_RECOGNISED": ("The exception is not known everywhere named.", _A.NONE),
    "AGE_UNKNOWN": ("It is not known whether the person is of age.", _A.HUMAN_REVIEW),
    "PUBLIC_FIGURE": ("Being known does not replace consent.", _A.NONE),
    # what permits
    "GRANT": ("A grant covers this.", _A.NONE),
    "NO_PROTECTED_TERM": ("No post-mortem right runs in what was named.", _A.NONE),
    # why no grant covers it
    "NO_GRANT": ("There is no grant.", _A.REQUEST_CONSENT),
    "GRANTEE_NOT_GRANTED": ("No grant for this is this service's.", _A.REQUEST_CONSENT),
    "MODALITY_NOT_GRANTED": ("The grant is not for this modality.", _A.REQUEST_CONSENT),
    "USE_NOT_GRANTED": ("The grant is not for this use.", _A.REQUEST_CONSENT),
    "PURPOSE_NOT_GRANTED": ("The grant is not for this purpose.", _A.REQUEST_CONSENT),
    "TERRITORY_NOT_GRANTED": ("The grant is not for all these territories.", _A.REQUEST_CONSENT),
    "CONTENT_NOT_GRANTED": ("The grant does not allow this content.", _A.REQUEST_CONSENT),
    "COMMERCIAL_NOT_GRANTED": ("The grant is not for commercial use.", _A.REQUEST_CONSENT),
    "GRANT_NOT_VERIFIED": ("The grant is not verified yet.", _A.REQUEST_CONSENT),
    "GRANT_NOT_STARTED": ("The grant has not begun.", _A.REQUEST_CONSENT),
    "GRANT_EXPIRED": ("The grant has ended.", _A.REQUEST_CONSENT),
    "QUOTA_EXHAUSTED": ("The uses that were granted are used up.", _A.REQUEST_CONSENT),
    "AUTHORITY_MISSING": ("Those who must consent did not all sign.", _A.REQUEST_CONSENT),
    "CO_HOLDER_MISSING": ("Holders of the right who must sign did not.", _A.REQUEST_CONSENT),
    "FORM_NOT_MET": ("The grant lacks a form the law demands.", _A.REQUEST_CONSENT),
    "TERM_TOO_LONG": ("The grant runs longer than is allowed.", _A.REQUEST_CONSENT),
    # the dead
    "POST_MORTEM_PROTECTED": ("The person is dead and still protected.", _A.REQUEST_CONSENT),
    "LAW_UNSETTLED": ("The law has not settled whether the dead are protected.", _A.HUMAN_REVIEW),
    "NAME_THE_STATE": ("The law differs by state: name it.", _A.NAME_THE_STATE),
    "RENEWAL_UNKNOWN": ("Whether the right was renewed by use is unknown.", _A.HUMAN_REVIEW),
    "RELATIVES_UNKNOWN": ("Whether close relatives live is unknown.", _A.HUMAN_REVIEW),
    "DOMICILE_UNKNOWN": ("Where the person lived at death is unknown.", _A.HUMAN_REVIEW),
    "DEATH_DATE_UNKNOWN": ("When the person died is unknown.", _A.HUMAN_REVIEW),
    "DEATH_NOT_VERIFIED": ("Nobody who answers for it has recorded the death.", _A.HUMAN_REVIEW),
}


def make(
    code: str,
    *,
    person: int | None = None,
    modality: Modality | None = None,
    pack: str | None = None,
    grant: str | None = None,
    detail: str = "",
) -> Reason:
    """The reason with this code. Raises KeyError for a code that is not in the table."""
    message, action = REASONS[code]
    if detail:
        message = f"{message} {detail}"
    return Reason(code, message, action, person, modality, pack, grant)


def of_bar(
    bar: Bar, pack: str, *, person: int | None = None, modality: Modality | None = None
) -> Reason:
    """A bar of a pack as a reason: its id is the code."""
    if bar.effect is Effect.REVIEW or bar.when is not None:
        action = ReasonAction.HUMAN_REVIEW
    elif bar.cure is Cure.CONSENT:
        action = ReasonAction.REQUEST_CONSENT
    else:
        action = ReasonAction.STOP
    return Reason(bar.id, bar.message, action, person, modality, pack)
