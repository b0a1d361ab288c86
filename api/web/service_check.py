"""Trying a check: a photo or recording of one's own, and a decision that is as real as any."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import Final, TypeVar

from starlette.responses import Response

from api.auth import Caller
from api.problems import status_of
from api.questions import Asked, AskedMedia, AskedPerson, AskedProbe, question_of
from api.web import forms, office_labels
from api.web.forms import EMPTY, Form
from api.web.languages import N_
from api.web.service import other, require_check, service_of
from api.web.visits import Visit
from registry import probes
from registry.decisions import Answer
from registry.encoders.media import MediaEncoding
from registry.errors import InvalidError, RegistryError, UnauthenticatedError
from registry.policy.vocabulary import AiUse, Modality, Purpose

FIELD: Final = "file"
NOBODY: Final = N_("Choose a photo or a recording, or write a name.")
WHICH_USE: Final = N_("Choose what you want to do.")
WHICH_PURPOSE: Final = N_("Choose what it is for.")
_SHOWS: Final = {"image": (Modality.FACE,), "audio": (Modality.VOICE,)}
T = TypeVar("T", bound=StrEnum)


async def form(visit: Visit) -> Response:
    """`GET /service/check`."""
    caller = service_of(visit)
    if caller is None:
        return other(visit)
    require_check(caller)
    return _shown(visit, EMPTY)


def _shown(visit: Visit, form: Form, error: RegistryError | None = None) -> Response:
    return visit.render(
        "service/check.html",
        status=200 if error is None else status_of(error.code),
        form=form,
        error=error,
        uses=office_labels.USES,
        purposes=list(Purpose),
    )


async def send(visit: Visit) -> Response:
    """`POST /service/check`: decided, recorded and logged; then the decision's page."""
    caller = service_of(visit)
    if caller is None:
        return other(visit, status=403)
    require_check(caller)
    async with forms.sent(visit) as form:
        try:
            answer = await _decision(visit, caller, form)
        except UnauthenticatedError:
            raise
        except RegistryError as error:
            return _shown(visit, form, error)
    return visit.go(f"/service/decisions/{answer.id}")


async def _decision(visit: Visit, caller: Caller, form: Form) -> Answer:
    use = _chosen(AiUse, form.text("use"), WHICH_USE, "use")
    purpose = _chosen(Purpose, form.text("purpose"), WHICH_PURPOSE, "purpose")
    name, files = form.text("name") or None, form.files.get(FIELD, [])
    if not files and name is None:
        raise InvalidError(NOBODY, field=FIELD)
    asked: list[AskedProbe] = []
    modalities: Sequence[Modality] = (Modality.NAME,)
    if files:
        encoding = await visit.state.media.encode(files[0].data)
        modalities = _SHOWS.get(encoding.kind, (Modality.FACE, Modality.VOICE))
        asked.append(AskedProbe(media=AskedMedia(await _handle(visit, caller, encoding))))
    question = Asked(
        use=use,
        purpose=purpose,
        modalities=modalities,
        persons=[AskedPerson(name=name, probes=asked)],
        territories=re.findall(r"[^\s,;]+", form.text("territories").upper()),
    )
    return await visit.state.checker.check(caller.actor, question_of(question))


async def _handle(visit: Visit, caller: Caller, encoding: MediaEncoding) -> str:
    """Keep what the encoders made, as an upload of this service, for some minutes."""
    state = visit.state
    async with state.db.acting_for(caller.actor).writing() as session:
        kept = await probes.keep(
            session,
            principal_id=caller.actor.principal_id,
            encoding=encoding,
            ttl_seconds=state.settings.media_ttl_seconds,
            keys=state.keys,
        )
    return str(kept.id)


def _chosen(members: type[T], word: str, otherwise: str, field: str) -> T:
    """The member, or InvalidError naming the field."""
    try:
        return members(word)
    except ValueError as error:
        raise InvalidError(otherwise, field=field) from error
