"""Our words in those of the W3C Data Privacy Vocabulary (DPV 2.2), for others to read.

An output only: nothing is decided by it. Where DPV has no term the nearest wider one stands.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from registry.policy.vocabulary import AiUse, Modality, Purpose

# What the purpose and the technique of a consent are, where it names none.
ANY_PURPOSE: Final = ("dpv:Purpose",)
ANY_USE: Final = ("ai:Capability",)

PURPOSES: Final[dict[Purpose, tuple[str, ...]]] = {
    Purpose.FILM_TV: ("dpv:ServiceProvision",),
    Purpose.MUSIC: ("dpv:ServiceProvision",),
    Purpose.GAMES: ("dpv:ServiceProvision",),
    Purpose.AUDIOBOOK: ("dpv:ServiceProvision",),
    Purpose.LOCALIZATION_DUBBING: ("dpv:ServiceProvision",),
    Purpose.ADVERTISING: ("dpv:Advertising",),
    Purpose.ECOMMERCE_LIVE: ("dpv:SellProducts", "dpv:SocialMediaMarketing"),
    Purpose.CUSTOMER_SERVICE: ("dpv:CustomerCare",),
    Purpose.NEWS: ("dpv:PublicBenefit",),
    Purpose.EDUCATION: ("dpv:AcademicResearch",),
    Purpose.RESEARCH: ("dpv:ScientificResearch",),
    Purpose.ARCHIVAL: ("dpv:PublicBenefit",),
    Purpose.ACCESSIBILITY: ("dpv:PublicBenefit", "dpv:RequestedServiceProvision"),
    Purpose.MEMORIAL: ("dpv:PublicBenefit",),
    Purpose.SATIRE: ("dpv:PublicBenefit",),
    Purpose.POLITICAL: ("dpv:PoliticalCampaign",),
    Purpose.PERSONAL: ("dpv:NonCommercialPurpose",),
    Purpose.SAFETY_DETECTION: ("dpv:MisusePreventionAndDetection",),
    Purpose.INTIMATE_COMPANION: ("dpv:ServiceProvision",),
    Purpose.IDENTITY_BYPASS: ANY_PURPOSE,
    Purpose.UNSPECIFIED: ANY_PURPOSE,
}
USES: Final[dict[AiUse, tuple[str, ...]]] = {
    AiUse.TRAIN_MODEL: ("ai:ModelTraining",),
    AiUse.CREATE_REPLICA: ("ai:BiometricCapability", "ai:ContentGeneration"),
    AiUse.SYNTHESIZE_SPEECH: ("ai:SpeechSynthesis",),
    AiUse.SYNTHESIZE_SINGING: ("ai:SoundSynthesis", "ai:AudioGeneration"),
    AiUse.CONVERT_VOICE: ("ai:AudioGeneration",),
    AiUse.SWAP_FACE: ("ai:VideoGeneration",),
    AiUse.LIP_SYNC: ("ai:VideoGeneration",),
    AiUse.REENACT: ("ai:VideoGeneration",),
    AiUse.GENERATE_IMAGE: ("ai:ImageGeneration",),
    AiUse.GENERATE_VIDEO: ("ai:VideoGeneration",),
    AiUse.ALTER_AGE: ("ai:VideoGeneration",),
    AiUse.INTERACTIVE_PERSONA: ("ai:DialogueManagement", "ai:SpeechSynthesis"),
    AiUse.BIOMETRIC_MATCH: (
        "ai:FaceRecognition",
        "ai:SpeakerRecognition",
        "ai:BiometricIdentification",
    ),
    AiUse.REDISTRIBUTE: ("dpv:Share",),
}


@dataclass(frozen=True, slots=True)
class PersonalData:
    """What is kept of a modality. `special`: of a special category (GDPR, art. 9)."""

    type: str
    special: bool


PERSONAL_DATA: Final[dict[Modality, PersonalData]] = {
    Modality.FACE: PersonalData("FACE_TEMPLATE", special=True),
    Modality.VOICE: PersonalData("VOICE_TEMPLATE", special=True),
    Modality.BODY: PersonalData("BODY_LIKENESS", special=False),
    Modality.NAME: PersonalData("NAME", special=False),
}


class ConsentStatus(StrEnum):
    """What an event made of a consent: DPV's ConsentStatus, and words of our own profile."""

    REFUSED = "ConsentRefused"
    GIVEN = "ConsentGiven"
    WITHDRAWN = "ConsentWithdrawn"  # by the person
    REVOKED = "ConsentRevoked"  # by somebody else
    EXPIRED = "ConsentExpired"
    INVALIDATED = "ConsentInvalidated"
    SIGNED = "likeness:ConsentSigned"  # by one of those who must; GIVEN is when all have
    SUSPENDED = "likeness:ConsentSuspended"
    RESUMED = "likeness:ConsentResumed"
    OBJECTION_FILED = "likeness:ObjectionFiled"
    OBJECTION_VERIFIED = "likeness:ObjectionVerified"
    OBJECTION_DISPUTED = "likeness:ObjectionDisputed"
    OBJECTION_CONTESTED = "likeness:ObjectionContested"
    OBJECTION_WITHDRAWN = "likeness:ObjectionWithdrawn"
    OBJECTION_LAPSED = "likeness:ObjectionLapsed"
