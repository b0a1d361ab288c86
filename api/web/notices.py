"""The notice that somebody reads before they object: its exact words are part of the record."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final

from api.web.languages import N_, Language, translations
from registry.grant_terms import Notice

VERSION: Final = "object-2026-11"
FOR_THE_YOUNG: Final = "object-young-2026-11"
# Change a word, and the version changes too.
SENTENCES: Final[Mapping[str, Sequence[str]]] = {
    VERSION: (
        N_("Your no counts from the moment you send it, for every AI service that asks here."),
        N_(
            "Until you prove who you are it is provisional: if the proved owner of this face or"
            " voice contests it, it lapses after 14 days."
        ),
        N_(
            "Photos and recordings are not kept. Numbers made from them are kept encrypted, to"
            " recognise you and for nothing else."
        ),
        N_(
            "Services learn whether something is allowed. They never learn your name, your contact,"
            " or how alike a picture is."
        ),
        N_("You can withdraw your no, or have everything deleted, at any time and free of charge."),
    ),
    FOR_THE_YOUNG: (
        N_("Your no counts as soon as you send it. Every AI service that asks here is told no."),
        N_(
            "If somebody proves that this face or voice is theirs and speaks against your no, you"
            " have 14 days to show that it is you."
        ),
        N_(
            "We do not keep your photos and recordings. We keep numbers made from them, locked"
            " away, only to recognise you."
        ),
        N_("AI services never learn your name or how to reach you. They only hear yes or no."),
        N_(
            "We do not tell your parents or your school. You can take your no back, or have"
            " everything deleted, whenever you like. It costs nothing."
        ),
    ),
}


def shown(language: Language, version: str) -> list[str]:
    """The sentences of a notice in this language."""
    return [translations(language).gettext(one) for one in SENTENCES[version]]


def on_record(language: Language, version: str) -> Notice:
    """What is put on record of a notice that a form says it showed; of the usual one, if none."""
    version = version if version in SENTENCES else VERSION
    digest = hashlib.sha256("\n".join(shown(language, version)).encode()).digest()
    return Notice(version, language, digest)
