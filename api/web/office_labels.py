"""What the words of the desk and of services are called on a page."""

from collections.abc import Mapping
from typing import Any, Final

from api.web.languages import N_
from registry.attestations import AttestationMethod
from registry.cases import ContactKind
from registry.dockets import Whose
from registry.evidence import EvidenceKind
from registry.filings import FilingStatus
from registry.misuse import ComplaintKind
from registry.policy.vocabulary import (
    AiUse,
    Band,
    Modality,
    Registration,
)
from registry.principals import Scope
from registry.reviews import ReviewEventKind, ReviewKind, ReviewState, Ruling
from registry.samples import SampleState, Verdict

KINDS: Final[dict[ReviewKind, str]] = {
    ReviewKind.GREY_MATCH: N_("It may be this person"),
    ReviewKind.AMBIGUOUS_MATCH: N_("It may be one of several people"),
    ReviewKind.CLAIM_CONFLICT: N_("Two accounts claim one face or voice"),
    ReviewKind.DISPUTED_OBJECTION: N_("An objection is contested"),
    ReviewKind.FALSE_MATCH: N_("A service says that a match was wrong"),
    ReviewKind.SUSPICIOUS_ENROLMENT: N_("A photo or recording is held back"),
    ReviewKind.IDENTITY_DISCLOSURE: N_("An authority asks who somebody is"),
    ReviewKind.MISUSE: N_("Somebody reports a misuse"),
    ReviewKind.APPEAL: N_("A decision is appealed"),
    ReviewKind.LOST_PIN: N_("Somebody lost the PIN of a case"),
}
TASKS: Final[dict[ReviewKind, str]] = {
    ReviewKind.GREY_MATCH: N_(
        "A service asked about a photo or recording that may show somebody on record. Ask the"
        " service for it, compare it yourself, and say whether it is this person."
    ),
    ReviewKind.AMBIGUOUS_MATCH: N_(
        "A service asked about a photo or recording that may show one of several people. Ask the"
        " service for it, compare it yourself, and say whom it shows, or that it shows none."
    ),
    ReviewKind.CLAIM_CONFLICT: N_(
        "Two verified accounts say that the same face or voice is theirs. Say whose it is, or that"
        " both are right because they look or sound alike."
    ),
    ReviewKind.DISPUTED_OBJECTION: N_(
        "Somebody contests an objection. Say whether it goes on or ends."
    ),
    ReviewKind.FALSE_MATCH: N_(
        "A service says that somebody was taken for another. Ask it for the photo or recording,"
        " compare it yourself, and say whether it is this person."
    ),
    ReviewKind.SUSPICIOUS_ENROLMENT: N_(
        "A photo or recording is unlike its person, or like somebody else. It does not count until"
        " you say so."
    ),
    ReviewKind.IDENTITY_DISCLOSURE: N_(
        "An authority asks for a name and a contact. Two reviewers must agree before anything is"
        " told."
    ),
    ReviewKind.MISUSE: N_(
        "Somebody says that their voice or face was misused. Look at what they name, and say"
        " whether it shows a misuse."
    ),
    ReviewKind.APPEAL: N_(
        "Somebody says that a decision was wrong. To overturn it, two reviewers must agree."
    ),
    ReviewKind.LOST_PIN: N_(
        "Somebody says that they lost the PIN of a case. Whoever knows its number may say so: reach"
        " them only by a contact that was on record before, and pass the code on the same way."
    ),
}
STATES: Final[dict[ReviewState, str]] = {
    ReviewState.OPEN: N_("Waits for a reviewer"),
    ReviewState.ASSIGNED: N_("Taken"),
    ReviewState.AWAITING_SECOND: N_("Waits for a second reviewer"),
    ReviewState.DECIDED: N_("Decided"),
    ReviewState.APPEALED: N_("Decided, and appealed"),
    ReviewState.CLOSED: N_("Closed for good"),
}
EVENTS: Final[dict[ReviewEventKind, str]] = {
    ReviewEventKind.ASSIGNED: N_("Taken"),
    ReviewEventKind.RELEASED: N_("Given back"),
    ReviewEventKind.PROPOSED: N_("A first reviewer proposed"),
    ReviewEventKind.DECIDED: N_("Decided"),
    ReviewEventKind.APPEALED: N_("Appealed"),
    ReviewEventKind.CLOSED: N_("Closed for good"),
    ReviewEventKind.WITHDRAWN: N_("Withdrawn by whoever brought it"),
    ReviewEventKind.ADDED: N_("More of the same came"),
    ReviewEventKind.APPLIED: N_("It took effect"),
}
RULINGS: Final[dict[Ruling, str]] = {
    Ruling.NOT_THE_SAME_PERSON: N_("It is somebody else"),
    Ruling.SAME_PERSON: N_("It is this person"),
    Ruling.COEXISTING: N_("Both are right"),
    Ruling.FIRST_HOLDER: N_("It belongs to the first account"),
    Ruling.SECOND_HOLDER: N_("It belongs to the second account"),
    Ruling.UPHOLD: N_("The objection goes on"),
    Ruling.LAPSE: N_("The objection ends"),
    Ruling.RELEASE: N_("Let it count"),
    Ruling.REFUSE: N_("Do not let it count"),
    Ruling.DISCLOSE: N_("Tell the authority"),
    Ruling.DENY: N_("Refuse"),
    Ruling.CONFIRM: N_("It shows a misuse"),
    Ruling.NOT_CONFIRM: N_("It shows no misuse"),
    Ruling.RENEW: N_("Give out a code for a new PIN"),
}
EFFECTS: Final[dict[Ruling, str]] = {
    Ruling.NOT_THE_SAME_PERSON: N_(
        "Exactly this photo or recording no longer counts as this person. Others do as before."
    ),
    Ruling.SAME_PERSON: N_(
        "The photo or recording stays in doubt for services: your word alone permits nothing."
    ),
    Ruling.COEXISTING: N_("Both are verified. Neither is held back for the other any more."),
    Ruling.FIRST_HOLDER: N_(
        "The first is verified. The other's consents end and their photos and recordings no longer"
        " count."
    ),
    Ruling.SECOND_HOLDER: N_(
        "The second is verified. The other's consents end and their photos and recordings no longer"
        " count."
    ),
    Ruling.UPHOLD: N_("It counts as proved from now on."),
    Ruling.LAPSE: N_("It forbids nothing any more. This holds only if its maker was not verified."),
    Ruling.RELEASE: N_("It helps to recognise this person from now on."),
    Ruling.REFUSE: N_("It never helps to recognise anybody."),
    Ruling.DISCLOSE: N_(
        "If a second reviewer agrees, the authority reads name and contact once. The person sees"
        " that it did."
    ),
    Ruling.DENY: N_("Nothing changes."),
    Ruling.CONFIRM: N_("Whoever reported it can show what you found."),
    Ruling.NOT_CONFIRM: N_("Whoever reported it is told so, and may appeal."),
    Ruling.RENEW: N_(
        "You are shown a code, this once. It holds for 72 hours and sets a new PIN one time."
    ),
}
WHOSE: Final[dict[Whose, str]] = {
    Whose.WAITING: N_("All that wait"),
    Whose.MINE: N_("Mine"),
    Whose.NOBODYS: N_("Nobody's"),
    Whose.DECIDED: N_("Decided or closed"),
}
# What a refusal does is another thing in each kind of review.
DENIALS: Final[dict[ReviewKind, str]] = {
    ReviewKind.LOST_PIN: N_("No code is made, and the PIN stays as it is. They may ask again."),
    ReviewKind.IDENTITY_DISCLOSURE: N_("The authority is told nothing."),
    ReviewKind.APPEAL: N_("The decision that was appealed stays as it is."),
}
CONTACTS: Final[dict[ContactKind, str]] = {
    ContactKind.EMAIL: N_("E-mail"),
    ContactKind.PHONE: N_("Telephone"),
}
# As a reviewer reads it; a person says the same of themselves in `labels`.
MISUSES: Final[dict[ComplaintKind, str]] = {
    ComplaintKind.IMPERSONATION: N_("pretend to be the person"),
    ComplaintKind.INTIMATE: N_("show the person naked or in a sexual way"),
    ComplaintKind.FRAUD: N_("cheat people"),
    ComplaintKind.ADVERTISING: N_("advertise something"),
    ComplaintKind.HARASSMENT: N_("mock, threaten or harass"),
    ComplaintKind.OTHER: N_("something else"),
}
MEDIA: Final[dict[str, str]] = {
    "image": N_("A picture"),
    "audio": N_("A recording"),
    "video": N_("A video"),
}
REGISTRATIONS: Final[dict[Registration, str]] = {
    Registration.PROVISIONAL: N_("Not proved"),
    Registration.VERIFIED: N_("Proved"),
    Registration.DISPUTED: N_("In dispute"),
}
SAMPLES: Final[dict[SampleState, str]] = {
    SampleState.RECEIVED: N_("Received"),
    SampleState.ENROLLED: N_("Counts"),
    SampleState.IN_REVIEW: N_("Held back"),
    SampleState.REFUSED: N_("Refused"),
    SampleState.RETIRED: N_("Taken back"),
}
NOTICED: Final[dict[Verdict, str]] = {
    Verdict.HOLD_FAR_FROM_OWN: N_("It is unlike the others of this person."),
    Verdict.HOLD_NEAR_OTHERS: N_("It is like somebody else's."),
}
BANDS: Final[dict[Band, str]] = {
    Band.NONE: N_("Not alike"),
    Band.GREY: N_("Somewhat alike: it may or may not be this person"),
    Band.MATCH: N_("Alike"),
    Band.STRONG: N_("Very alike"),
}
DOCUMENTS: Final[dict[EvidenceKind, str]] = {
    EvidenceKind.DEATH_CERTIFICATE: N_("Death certificate"),
    EvidenceKind.RELATIONSHIP: N_("Proof of kinship"),
    EvidenceKind.PROBATE: N_("Certificate of inheritance"),
    EvidenceKind.GUARDIANSHIP: N_("Proof of guardianship"),
    EvidenceKind.IDENTITY: N_("Proof of identity"),
    EvidenceKind.MANDATE: N_("Power of attorney"),
    EvidenceKind.OTHER: N_("Another document"),
}
METHODS: Final[dict[AttestationMethod, str]] = {
    AttestationMethod.DOCUMENT_IN_PERSON: N_("Showed a document in person"),
    AttestationMethod.DOCUMENT_REMOTE: N_("Showed a document over video"),
    AttestationMethod.EID: N_("Electronic identity card"),
    AttestationMethod.REAL_NAME_SYSTEM: N_("Real-name system"),
    AttestationMethod.BANK_IDENT: N_("Identified by a bank"),
}
FILINGS: Final[dict[FilingStatus, str]] = {
    FilingStatus.SELF_DECLARED: N_("Declared by you; nobody has checked it"),
    FilingStatus.FORMAT_OK: N_("It looks like such a number; nobody has checked it"),
    FilingStatus.LIST_VERIFIED: N_("On the official list"),
    FilingStatus.REVOKED: N_("Taken back"),
}
TIERS: Final[dict[int, tuple[str, str]]] = {
    0: (
        N_("Registered"),
        N_("You are told permissions. Anything else that depends on a person is “not cleared”."),
    ),
    1: (
        N_("Organisation verified"),
        N_("You are told permissions. Anything else that depends on a person is “not cleared”."),
    ),
    2: (N_("Under contract"), N_("You are told every outcome and its reasons.")),
}
ALLOWS: Final[dict[Scope, str]] = {
    Scope.CHECK: N_("Ask for decisions"),
    Scope.CHECK_VECTOR: N_("Ask with vectors of your own"),
    Scope.SUBJECTS_READ: N_("Read people it keeps"),
    Scope.SUBJECTS_WRITE: N_("Register people"),
    Scope.GRANTS_READ: N_("Read consents"),
    Scope.GRANTS_WRITE: N_("Propose, sign and end consents"),
    Scope.OBJECTIONS_READ: N_("Read objections"),
    Scope.OBJECTIONS_WRITE: N_("Object, and withdraw objections"),
    Scope.SERVICES_WRITE: N_("Declare filings and change the service"),
    Scope.ORDERS_READ: N_("Read orders"),
    Scope.ORDERS_WRITE: N_("Give orders"),
    Scope.AUDIT_READ: N_("Audit"),
    Scope.REQUESTS_READ: N_("Read requests for consent"),
    Scope.REQUESTS_WRITE: N_("Ask people for consent"),
    Scope.REVIEWS_READ: N_("Read reviews"),
    Scope.REVIEWS_WRITE: N_("Decide reviews"),
}
# As a service says it; a person says the same of themselves in `labels`.
USES: Final[dict[AiUse, str]] = {
    AiUse.TRAIN_MODEL: N_("Train a model"),
    AiUse.CREATE_REPLICA: N_("Make a copy that can be used again"),
    AiUse.SYNTHESIZE_SPEECH: N_("Make speech"),
    AiUse.SYNTHESIZE_SINGING: N_("Make singing"),
    AiUse.CONVERT_VOICE: N_("Turn one voice into another"),
    AiUse.SWAP_FACE: N_("Swap a face"),
    AiUse.LIP_SYNC: N_("Move lips to other words"),
    AiUse.REENACT: N_("Let a face or body act out something"),
    AiUse.GENERATE_IMAGE: N_("Make a picture"),
    AiUse.GENERATE_VIDEO: N_("Make a video"),
    AiUse.ALTER_AGE: N_("Make somebody older or younger"),
    AiUse.INTERACTIVE_PERSONA: N_("Make a chat partner"),
    AiUse.BIOMETRIC_MATCH: N_("Recognise somebody"),
    AiUse.REDISTRIBUTE: N_("Pass on what was made"),
}
SHOWN: Final[dict[Modality, str]] = {
    Modality.FACE: N_("Face"),
    Modality.VOICE: N_("Voice"),
    Modality.BODY: N_("Body"),
    Modality.NAME: N_("Name"),
}
ALL: Final[tuple[Mapping[Any, str], ...]] = (  # each of another enum
    KINDS,
    STATES,
    EVENTS,
    RULINGS,
    WHOSE,
    REGISTRATIONS,
    SAMPLES,
    NOTICED,
    BANDS,
    DOCUMENTS,
    METHODS,
    FILINGS,
    CONTACTS,
)
