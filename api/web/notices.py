"""The notice that somebody reads before they object: its exact words are part of the record."""

import hashlib
from typing import Final

from api.web.languages import N_, Language, translations
from registry.grant_terms import Notice

VERSION: Final = "object-2026-11"
# Change a word, and the version changes too.
SENTENCES: Final = (
    N_("Your no counts from the moment you send it, for every AI service that asks here."),
    N_(
        "Until you prove who you are it is provisional: if the proved owner of this face or voice"
        " contests it, it lapses after 14 days."
    ),
    N_(
        "Photos and recordings are not kept. Numbers made from them are kept encrypted, to"
        " recognise you and for nothing else."
    ),
    N_(
        "Services learn whether something is allowed. They never learn your name, your contact, or"
        " how alike a picture is."
    ),
    N_("You can withdraw your no, or have everything deleted, at any time and free of charge."),
)


def notice(language: Language) -> tuple[list[str], Notice]:
    """The sentences in this language, and what is put on record of them."""
    said = translations(language)
    sentences = [said.gettext(one) for one in SENTENCES]
    digest = hashlib.sha256("\n".join(sentences).encode()).digest()
    return sentences, Notice(VERSION, language, digest)
