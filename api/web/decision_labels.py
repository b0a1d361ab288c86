"""What a decision says, in words: its outcome, its reasons' cures, and the duties it brings."""

from collections.abc import Mapping
from typing import Any, Final

from api.web.languages import N_
from registry.policy.pack_words import Parameter
from registry.policy.vocabulary import ObligationCode, Outcome, ReasonAction

OUTCOMES: Final[dict[Outcome, str]] = {
    Outcome.PERMITTED: N_("You may"),
    Outcome.UNKNOWN: N_("Do not generate: nobody registered was found"),
    Outcome.CONSENT_REQUIRED: N_("Do not generate: ask for consent first"),
    Outcome.REVIEW_REQUIRED: N_("Do not generate: a person must look first"),
    Outcome.PROHIBITED: N_("Do not generate: it is forbidden"),
    Outcome.NOT_CLEARED: N_("Do not generate: it is not cleared"),
}
# What an outcome means for whoever asked.
MEANINGS: Final[dict[Outcome, str]] = {
    Outcome.PERMITTED: N_(
        "Go ahead, with exactly what you asked about, and with the duties below."
    ),
    Outcome.UNKNOWN: N_(
        "That nobody registered was found is no permission: you need a right of your own."
    ),
    Outcome.CONSENT_REQUIRED: N_("Somebody on record must agree first. Below is what is missing."),
    Outcome.REVIEW_REQUIRED: N_("A machine cannot tell. Wait until a person has decided."),
    Outcome.PROHIBITED: N_("Make nothing. Ask again only if what is said below has changed."),
    Outcome.NOT_CLEARED: N_(
        "There is no permission. Services of your tier are not told more than that."
    ),
}
ACTIONS: Final[dict[ReasonAction, str]] = {
    ReasonAction.RETRY: N_("Ask again in a minute."),
    ReasonAction.SEND_BETTER_PROBE: N_("Send a better photo or recording."),
    ReasonAction.REQUEST_CONSENT: N_("Ask the person for consent."),
    ReasonAction.DECLARE_OBLIGATION: N_("Declare that you can fulfil this duty."),
    ReasonAction.NAME_THE_STATE: N_("Say in which state it will be published."),
    ReasonAction.HUMAN_REVIEW: N_("Let a person look at it."),
    ReasonAction.STOP: N_("Stop here."),
    ReasonAction.NONE: N_("You need do nothing."),
}
DUTIES: Final[dict[ObligationCode, str]] = {
    ObligationCode.LABEL_EXPLICIT: N_("Say visibly or audibly that AI made it"),
    ObligationCode.LABEL_IMPLICIT_GB45438: N_("Write the Chinese label into the file"),
    ObligationCode.LABEL_MACHINE_READABLE: N_("Mark it so that programs can tell"),
    ObligationCode.KEEP_LOG: N_("Keep a log"),
    ObligationCode.REPORT_USAGE: N_("Report the use"),
    ObligationCode.COMPENSATE: N_("Pay for it"),
    ObligationCode.NO_SUBLICENSE: N_("Pass the right on to nobody"),
    ObligationCode.ATTRIBUTE: N_("Name the person"),
    ObligationCode.NOTIFY_SUBJECT: N_("Tell the person"),
    ObligationCode.DELETE_AFTER_USE: N_("Delete the material after use"),
    ObligationCode.WATERMARK: N_("Put in a watermark"),
    ObligationCode.CONTENT_EXCLUSIONS: N_("Leave out some content"),
    ObligationCode.DELETE_MODEL_ON_END: N_("Delete the model when the consent ends"),
    ObligationCode.ONE_TIME_TOKEN: N_("Use it once"),
    ObligationCode.DISPLAY_FILING_NUMBER: N_("Show your filing number"),
    ObligationCode.SPECIFIC_USES_ONLY: N_("Only the uses that were named"),
    ObligationCode.NO_TRAINING: N_("Train nothing with it"),
}
# How a duty is fulfilled, where its name does not say all.
HOW: Final[dict[ObligationCode, str]] = {
    ObligationCode.LABEL_EXPLICIT: N_("Where people notice it: on the picture, or in the sound."),
    ObligationCode.LABEL_IMPLICIT_GB45438: N_(
        "In its metadata, as the standard GB 45438-2025 says."
    ),
    ObligationCode.LABEL_MACHINE_READABLE: N_("For example with signed metadata of C2PA."),
    ObligationCode.KEEP_LOG: N_("Of what was made, when and by whom it was asked for."),
    ObligationCode.REPORT_USAGE: N_("Say what you made, as the law or the consent asks."),
    ObligationCode.COMPENSATE: N_("As it was agreed with the person."),
    ObligationCode.NO_SUBLICENSE: N_("Only you may use it."),
    ObligationCode.ATTRIBUTE: N_("Where it is published, as they want to be named."),
    ObligationCode.NOTIFY_SUBJECT: N_("Each time that you use it."),
    ObligationCode.DELETE_AFTER_USE: N_("As soon as the work is done."),
    ObligationCode.WATERMARK: N_("Into the picture or the sound itself."),
    ObligationCode.CONTENT_EXCLUSIONS: N_("What was agreed to be left out is in the consent."),
    ObligationCode.DELETE_MODEL_ON_END: N_("And all copies of it."),
    ObligationCode.ONE_TIME_TOKEN: N_("Ask again for every further use."),
    ObligationCode.DISPLAY_FILING_NUMBER: N_("In a prominent place of your service."),
    ObligationCode.SPECIFIC_USES_ONLY: N_("Those that the contract describes in particular."),
    ObligationCode.NO_TRAINING: N_("Neither your models nor those of others."),
}
MEASURES: Final[dict[Parameter, str]] = {
    Parameter.MONTHS: N_("months at least"),
    Parameter.DAYS: N_("days"),
    Parameter.DEADLINE_HOURS: N_("hours at most"),
    Parameter.HEIGHT_PERCENT: N_("percent of the picture's height at least"),
    Parameter.SECONDS: N_("seconds at least"),
}
ALL: Final[tuple[Mapping[Any, str], ...]] = (OUTCOMES, ACTIONS, DUTIES)  # each of another enum
