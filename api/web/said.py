"""What the registry says in English, in the reader's language.

Its refusals are sentences of the registry, made without knowing pages. Those that people may see
are marked here for the catalogue; any other is shown under its code's own sentence.
"""

import re
from typing import Final

from api.web.languages import N_, Language, translations
from registry.errors import ProblemCode

# Numbers in a sentence stand as {n}, all by their order.
_NUMBER: Final = re.compile(r"\d+")
MESSAGES: Final = (
    # registry/sampling.py
    N_("No face was found. Send a sharp, well-lit photograph of the face from the front."),
    N_("There are {n} faces: choose one with a box, or send a photograph of this person alone."),
    N_("No voice was found. Send a recording of this person speaking, without music."),
    N_("{n} people speak here: send a recording of this person alone."),
    N_("Faces cannot be compared here: the models are not installed."),
    N_("Voices cannot be compared here: the models are not installed."),
    N_("This upload is of kind image: it holds no VOICE."),
    N_("This upload is of kind audio: it holds no FACE."),
    # registry/encoders
    N_("The file is empty. Send the bytes of a picture or a recording."),
    N_(
        "Not a type read here. Send a picture (JPEG, PNG, WebP, GIF), a recording (WAV, FLAC,"
        " MP{n}, Ogg, M{n}A, WebM) or a video (MP{n}, WebM)."
    ),
    N_("The face is blurred; send a picture in which it is sharp."),
    N_("The face cannot be encoded. Send another picture of the person."),
    N_("The face is only {n} pixels wide; send a picture where it is at least {n}."),
    N_("More than {n} faces are in this picture. Send the part that matters."),
    N_("This voice could not be encoded. Send another recording of it."),
    N_("This recording is silent. Send one in which somebody speaks."),
    N_("No speech was found. Send a recording in which somebody speaks."),
    N_("Only {n}.{n} s of speech; at least {n}.{n} s are needed."),
    N_("More than {n} voices. Send the recording in parts."),
    N_("The decoder gave up on this file. Send a copy saved anew by another program."),
    N_("Reading this file took longer than {n} s. Send a smaller copy."),
    N_("This file has no sound track. Send one in which somebody speaks."),
    N_("This file's sound track is empty. Send the whole file again."),
    N_(
        "This JPEG picture is damaged or cut off. Send the whole file again, or a copy saved anew"
        " by an image program."
    ),
    N_(
        "This PNG picture is damaged or cut off. Send the whole file again, or a copy saved anew"
        " by an image program."
    ),
    N_(
        "This recording is damaged or cut off. Send the whole file again, or a copy saved anew"
        " by a sound program."
    ),
    N_(
        "This recording is longer than {n} s, the most that is listened to. Send the part that"
        " matters."
    ),
    N_(
        "This WEBP picture is damaged or cut off. Send the whole file again, or a copy saved anew"
        " by an image program."
    ),
    N_(
        "This GIF picture is damaged or cut off. Send the whole file again, or a copy saved anew"
        " by an image program."
    ),
    N_(
        "This picture has more than {n} million pixels, the most that is read of JPEG. Send a"
        " smaller copy."
    ),
    N_(
        "This picture has more than {n} million pixels, the most that is read of PNG. Send a"
        " smaller copy."
    ),
    N_("This file's codec is not read here. Send it as MP{n}, AAC, Opus or H.{n}."),
    N_("This video has neither frames nor sound that can be read."),
    N_("Too many files are being read. Ask again in a second."),
    # registry/intake.py, subjects.py, links.py, misuse.py, cases.py, pins.py, throttles.py
    N_("Give a photo, a recording, a name or a link: something by which the registry knows you."),
    N_("A name has {n} to {n} printable characters."),
    N_("At most {n} aliases."),
    N_("At most {n} links."),
    N_("A link begins with https:// or http:// and has at most {n} characters."),
    N_("A statement has {n} to {n} characters."),
    N_("At most {n} printable characters."),
    N_("What was seen is not in the future."),
    N_("At most {n} complaints a day."),
    N_("An e-mail address or a telephone number."),
    N_("This is no e-mail address."),
    N_("A case number looks like LR-{n}K{n}M-{n}QXV-{n}C{n}T."),
    N_("This case number is mistyped: a character is wrong or out of place."),
    N_("A PIN has {n} to {n} printable characters."),
    N_("This PIN is easily guessed: choose another one."),
    N_("The case number or the code is wrong, or it was tried too often or too late."),
    N_("Too many from this address today."),
    N_("Too many today."),
    N_("At most {n} samples a day until your identity is proved."),
    N_("This objection was proved: taking it back needs identity assurance {n}."),
    # api
    N_("Not Found."),
    N_("Method Not Allowed."),
    N_("The registry is not ready yet."),
    N_("A part the answer needs is away; ask again."),
    N_("The answer took too long; it was given up."),
    N_("The body did not arrive in time."),
    N_("Too many uploads at once."),
    N_("Internal error."),
)
# What a refusal of this code is, where its own sentence is not translated.
_BY_CODE: Final[dict[str, str]] = {
    ProblemCode.INVALID: N_("Something in the form is not right."),
    ProblemCode.NOT_FOUND: N_("There is nothing here, or it is not yours."),
    ProblemCode.CONFLICT: N_("This cannot be done as things stand now."),
    ProblemCode.FORBIDDEN: N_("You may not do this."),
    ProblemCode.TOO_LARGE: N_("A file is too large. Send a smaller one."),
    ProblemCode.UNSUPPORTED: N_("This kind of file or form is not read here."),
    ProblemCode.MEDIA_UNREADABLE: N_("A file cannot be read. Send another copy of it."),
    ProblemCode.BUSY: N_("Too much at once. Try again later."),
    ProblemCode.UNAVAILABLE: N_("Something is away at the moment. Try again in a minute."),
}


def said(message: str, language: Language, *, code: str | None = None) -> str:
    """The sentence in this language; if it is not known there, its code's, and the sentence."""
    if language is Language.ENGLISH:
        return message
    catalogue = translations(language)
    exact = catalogue.gettext(message)
    if exact != message:
        return exact
    numbers = iter(_NUMBER.findall(message))
    pattern = _NUMBER.sub("{n}", message)
    found = catalogue.gettext(pattern)
    if found != pattern:
        return re.sub(r"\{n\}", lambda _: next(numbers, ""), found)
    sentence, end, rest = message.partition(". ")
    if end and (known := catalogue.gettext(f"{sentence}.")) != f"{sentence}.":
        return f"{known} {rest}"  # what follows is names, of duties and the like
    general = _BY_CODE.get(code or "")
    return message if general is None else f"{catalogue.gettext(general)} ({message})"
