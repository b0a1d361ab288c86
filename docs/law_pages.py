"""The pages that follow from packs and rules: each pack, reasons, duties, the decision table.

Run by docs/generate.py.
"""

# ruff: noqa: INP001  # run by its path, never imported

from collections.abc import Callable
from pathlib import Path
from typing import Final

from registry.policy import rules
from registry.policy.pack import Pack
from registry.policy.pack_words import Effect, Need, Status
from registry.policy.prose import DISCLAIMER, after_death, prose
from registry.policy.reasons import REASONS, of_bar
from registry.policy.review import from_memory
from registry.policy.shelf import load_packs
from registry.policy.trace import described
from registry.policy.vocabulary import ObligationCode, ReasonAction

PACKS: Final = Path("docs/packs")
# What a service does about each kind of reason.
_ACTIONS: Final = {
    ReasonAction.RETRY: "Ask again in a moment; nothing was permitted.",
    ReasonAction.SEND_BETTER_PROBE: (
        "Send a photograph or recording, or a better one, or name the person in `claimedSubject`."
    ),
    ReasonAction.REQUEST_CONSENT: (
        "Ask the person, or who acts for them, for a grant that covers this, or ask for less."
    ),
    ReasonAction.DECLARE_OBLIGATION: (
        "Send `supportedObligations` with the duties you can keep, if you can keep them."
    ),
    ReasonAction.NAME_THE_STATE: "Name the smaller territories in which you publish.",
    ReasonAction.HUMAN_REVIEW: (
        "Do not proceed. A person decides, or what is missing is put on record."
    ),
    ReasonAction.STOP: "Do not do it. No grant would change the answer as things stand.",
    ReasonAction.NONE: "Nothing: it only says how the answer came about.",
}
_COLUMNS: Final = (
    *("pack", "name", "status", "read with", "after death", "form of consent", "of age at"),
    *("exceptions that lead to a person", "filing", "values from memory", "look again by"),
)
_DUTIES: Final = {
    ObligationCode.LABEL_EXPLICIT: "show or say, where people notice it, that it is made by AI",
    ObligationCode.LABEL_IMPLICIT_GB45438: "write the metadata of GB 45438-2025 into the file",
    ObligationCode.LABEL_MACHINE_READABLE: "mark it as made by AI, so that machines can tell",
    ObligationCode.KEEP_LOG: "keep the records of it",
    ObligationCode.REPORT_USAGE: "report what was made",
    ObligationCode.COMPENSATE: "pay as agreed",
    ObligationCode.NO_SUBLICENSE: "pass the right on to nobody",
    ObligationCode.ATTRIBUTE: "name the person",
    ObligationCode.NOTIFY_SUBJECT: "tell the person of the use",
    ObligationCode.DELETE_AFTER_USE: "delete what you used once it is done",
    ObligationCode.WATERMARK: "put a watermark into it",
    ObligationCode.CONTENT_EXCLUSIONS: "show nothing that was agreed to be left out",
    ObligationCode.DELETE_MODEL_ON_END: "delete the model when the grant ends",
    ObligationCode.ONE_TIME_TOKEN: "use the decision token once",
    ObligationCode.DISPLAY_FILING_NUMBER: "show your filing number in a prominent place",
    ObligationCode.SPECIFIC_USES_ONLY: "keep to the uses that the contract describes specifically",
    ObligationCode.NO_TRAINING: "train nothing with it",
}
# What each step of the decision answers. A step that is new needs a line here.
_ANSWERS: Final = {
    1: "`PROHIBITED` with the bar's code",
    2: "`PROHIBITED` `CLAIMED_SUBJECT_MISMATCH`",
    3: "`PROHIBITED` `ORDER`",
    4: "`REVIEW_REQUIRED` with the doubt; under a curable bar `PROHIBITED`; of a name that is"
    " somebody else's `PROHIBITED` where it would be so under any name",
    5: "`UNKNOWN` `NO_MATCH`; under a curable bar `PROHIBITED`",
    6: (
        "`PROHIBITED` `OBJECTION`, and step 14 is asked; under a curable bar `PROHIBITED` for good;"
        " else of the dead without a running term `REVIEW_REQUIRED`"
    ),
    7: "`REVIEW_REQUIRED` `CLAIM_DISPUTED`, `OBJECTION_DISPUTED`; under a curable bar `PROHIBITED`",
    8: "`PERMITTED` `NO_PROTECTED_TERM`, basis `TERM_EXPIRED`; with any doubt `REVIEW_REQUIRED`",
    9: "`PERMITTED` `GRANT`, basis `CONSENT`; with any doubt `REVIEW_REQUIRED`",
    10: "`PROHIBITED` with the bar's code",
    11: (
        "withdrawn: `PROHIBITED` `CONSENT_WITHDRAWN`, and step 14 is asked; else `REVIEW_REQUIRED`"
        " `GRANT_SUSPENDED`, or `CO_HOLDER_MISSING` where a holder's signature is missing"
    ),
    12: "`REVIEW_REQUIRED` with what each pack says, for example `LAW_UNSETTLED`",
    13: "`CONSENT_REQUIRED` with what the nearest grant lacks; step 14 is asked",
}

_EXCEPTED: Final = (
    "on 6, 11 or 13: an exception is claimed, and a pack of every named territory knows it",
    (
        "`REVIEW_REQUIRED` `EXCEPTION_CLAIMED`; where one does not know it, the answer stands, with"
        " `EXCEPTION_NOT_RECOGNISED`"
    ),
)


def pages(note: str) -> dict[Path, str]:
    """Path below the repository's root and whole text of each page; `note` stands on top."""
    packs = [pack for _, pack in sorted(load_packs().packs.items())]
    texts = {
        Path("docs/decision-table.md"): _decision_table(),
        PACKS / "README.md": _overview(packs),
        **{PACKS / f"{pack.id}.md": prose(pack) for pack in packs},
        Path("docs/reference/reasons.md"): _reasons(packs),
        Path("docs/reference/duties.md"): _duties(packs),
    }
    return {path: f"{note}\n\n{text}" for path, text in texts.items()}


def _overview(packs: list[Pack]) -> str:
    remembered = [one.pack for one in from_memory(packs)]
    rows = "\n".join(
        _row(
            f"[{pack.id}]({pack.id}.md)",
            pack.name,
            _lower(pack.status),
            ", ".join(pack.extends),
            after_death(pack),
            _forms(pack),
            pack.minors.majority if pack.minors else "as ZZ",
            _heard(pack),
            _filed(pack),
            remembered.count(pack.id),
            pack.review_by,
        )
        for pack in packs
    )
    return f"""# The rule packs

**{DISCLAIMER}**

A pack says how the registry reads the law of one territory. Pack ZZ is the strict baseline: it is
read for every territory without a pack of its own and where no territory is named, its bars hold
everywhere, and where a pack is silent on who consents, on majority or on holders, ZZ is read.
Values **from memory** have not been held against a source yet; each page marks them. What is
draft counts only where a request asks for draft law. A page ends with what people in need are told:
deadlines, and where to turn; they decide nothing. How to read a pack, and how to sign it off:
[for lawyers](../guides/lawyer.md). How to write one: [write a pack](../guides/write-a-pack.md).

{_row(*_COLUMNS)}
{_row(*["---"] * len(_COLUMNS))}
{rows}

`likeness policy list` prints the packs of an installation, those of `LIKENESS_PACKS_DIR` too, and
warns of reviews that are overdue. `likeness policy show CN` prints one of these pages.
"""


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"


def _lower(code: str) -> str:
    return code.lower().replace("_", " ")


def _forms(pack: Pack) -> str:
    told = []
    for one in pack.consent.forms:
        needs = {
            "separate": one.separate,
            "written": one.written,
            "counsel or union": one.represented_if_performance_replaced,
        }
        words = [
            name if need is Need.REQUIRED else f"{name} recommended"
            for name, need in needs.items()
            if need is not Need.NOT_REQUIRED
        ]
        if one.max_term_years is not None:
            words.append(f"at most {one.max_term_years} years")
        whose = f"{one.when}: " if one.when is not None else ""
        draft = " (draft)" if one.status is Status.DRAFT else ""
        told.append(whose + (", ".join(words) or "none") + draft)
    return "; ".join(told) or "none"


def _heard(pack: Pack) -> str:
    claims = [one.claim for one in pack.exceptions if one.effect is Effect.REVIEW]
    return ", ".join(_lower(one) for one in claims) or "none"


def _filed(pack: Pack) -> str:
    demanded = any(one.unfiled is not None for one in pack.bars)
    numbers = ", ".join(_lower(one.kind) for one in pack.filing_formats)
    if not demanded:
        return numbers
    return f"required: {numbers}" if numbers else "required"


def _reasons(packs: list[Pack]) -> str:
    rows = "\n".join(
        f"| `{code}` | {message} | `{action}` |" for code, (message, action) in REASONS.items()
    )
    actions = "\n".join(f"| `{one}` | {_ACTIONS[one]} |" for one in ReasonAction)
    bars = "\n".join(
        f"| `{bar.id}` | [{pack.id}](../packs/{pack.id}.md) | {bar.message}"
        f"{' (draft)' if bar.status is Status.DRAFT else ''} | `{of_bar(bar, pack.id).action}` |"
        for pack in packs
        for bar in pack.bars
    )
    return f"""# Reason codes

Why an answer is as it is: a `Reason` has a `code` for programs, a `message` for people, an
`action`, and where they matter `person`, `modality`, `pack` and `grant`. Codes stay; sentences may
change.
A decision lists everything that contributed to its outcome, the worst first. Below tier 2 a service
is told only what follows from its request and its probe ([tiers](../guides/ai-service.md#tiers)).

## What to do

| action | do |
|---|---|
{actions}

## From the engine

| code | message | action |
|---|---|---|
{rows}

## From the packs

The code is the bar's own; which law it rests on is on the pack's page. A bar that a grant lifts has
`REQUEST_CONSENT`: the grant must cover the use and allow its content by name. One that turns on
something outside the request has `HUMAN_REVIEW`: while nobody has said whether that is so, a person
decides.

| code | pack | message | action |
|---|---|---|---|
{bars}
"""


def _duties(packs: list[Pack]) -> str:
    asked: dict[ObligationCode, list[str]] = {code: [] for code in ObligationCode}
    for pack in packs:
        for duty in pack.emits:
            values = [f"{_lower(name)} {value}" for name, value in sorted(duty.parameters.items())]
            marks = [*values, *(["draft"] if duty.status is Status.DRAFT else [])]
            told = f" ({', '.join(marks)})" if marks else ""
            asked[duty.code].append(f"[{pack.id}](../packs/{pack.id}.md){told}")
    rows = "\n".join(
        _row(f"`{code}`", _DUTIES[code], ", ".join(asked[code]) or "grants only")
        for code in ObligationCode
    )
    return f"""# Duties

What comes with a permission: all that the packs that speak and the grant ask for, each once, and of
two values of a parameter the stricter. `source` in the answer says who asks. A service declares
which it can keep, when it is registered or in `supportedObligations`; a permission with any other
is `REVIEW_REQUIRED` `OBLIGATION_UNSUPPORTED`. What exactly is owed is in the grant, and in the law
on the pack's page.

| code | you | asked for by |
|---|---|---|
{rows}
"""


def _decision_table() -> str:
    steps: tuple[Callable[..., object], ...] = (
        *rules.BEFORE,
        rules.unmatched,
        *rules.AFTER,
        rules.consent_required,
    )
    told = [described(one) for one in steps]
    rows = "\n".join(_row(number, sentence, _ANSWERS[number]) for number, sentence in told)
    return f"""# The decision table

Every check is answered by these steps. They are asked in order, for each person and modality, about
everyone that person may be; the first step with something to say answers that case. The sentences
are those of [the rules](../registry/policy/rules.py) themselves, and `likeness policy explain`
prints them for one decision with what each said. Why it is so:
[0003](decisions/0003-own-decision-engine.md). The words: [glossary](glossary.md).

| step | when | the answer |
|---|---|---|
| 0 | the service is suspended | `PROHIBITED` `SERVICE_SUSPENDED` |
{rows}
{_row(14, *_EXCEPTED)}

**Doubts.** A permission of step 8 or 9 becomes `REVIEW_REQUIRED` where identity is not strong
(`IDENTITY_NOT_STRONG`), no office has assured the death (`DEATH_NOT_VERIFIED`), an age that matters
is unknown (`AGE_UNKNOWN`), only a union of states was named for the dead (`NAME_THE_STATE`), or a
bar leaves it to a person. Of step 8 an unverified registration is one too
(`REGISTRATION_NOT_VERIFIED`).

**A name alone** leaves open who it is (`NAME_ONLY`), and tells nothing of who is registered. If it
is one public figure's, their class, the bars that hold of them and the terms that protect them are
told with it; of several figures only the bars that hold of all. It permits nobody.

**A grant covers** a case alone or not at all: modality, use, purpose, territories, content,
grantee, commercial use, time, quota, the form of every pack that speaks, and the signatures that
every one of them asks for. Two halves are not added up.

**The whole.** The worst case of all persons who are targets is the answer: `PERMITTED`, `UNKNOWN`,
`CONSENT_REQUIRED`, `REVIEW_REQUIRED`, `PROHIBITED`, from mild to severe. A bystander counts only if
prohibited, and then as `REVIEW_REQUIRED` `NON_TARGET_PERSON`. A permission with a duty that the
service has not declared is `REVIEW_REQUIRED` `OBLIGATION_UNSUPPORTED`. Facts that are missing or do
not hang together are `REVIEW_REQUIRED` `FACTS_INCOMPLETE`, whatever else holds.

| outcome | means | holds |
|---|---|---|
| `PERMITTED` | go, and keep every duty | 10 minutes, and never beyond the end of a grant |
| `UNKNOWN` | nobody the registry knows; no permission | not at all |
| `CONSENT_REQUIRED` | a person the registry knows, and no grant for this | a minute |
| `REVIEW_REQUIRED` | open: a person must look, or more must be known | not at all |
| `PROHIBITED` | forbidden by a bar, an order, a refusal or a withdrawal | a minute |
| `NOT_CLEARED` | no permission; the service's tier is not told why | not at all |

Codes and what to do about them: [reasons](reference/reasons.md).
"""
