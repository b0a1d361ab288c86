"""Forms as they arrive: bounded in bytes, fields and files, in memory, and from our own page."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from python_multipart.exceptions import FormParserError
from starlette.datastructures import FormData, UploadFile
from starlette.formparsers import FormParser, MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect

from api.uploads import UploadBudget
from api.web.languages import N_
from api.web.visits import Visit
from registry.errors import InvalidError, TooLargeError, UnsupportedError

TOKEN: Final = "form_token"  # noqa: S105  # a field's name
MOST_FIELDS: Final = 200
FIELD_BYTES: Final = 16_384
MOST_FILES: Final = 8
FORM_BYTES: Final = 64 * 2**20
_READ_ON: Final = 4  # so many times the limit is read and dropped, so that the browser hears why


@dataclass(frozen=True, slots=True)
class File:
    """One file of a form. Its name is the sender's word and is shown to nobody else."""

    name: str
    data: bytes


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody filled in."""

    data: FormData
    files: dict[str, list[File]]

    def text(self, name: str) -> str:
        """One field without outer blanks; empty where it was left out."""
        value = self.data.get(name)
        return value.strip() if isinstance(value, str) else ""

    def texts(self, name: str) -> list[str]:
        """Every value of a field, as of checkboxes."""
        return [one for one in self.data.getlist(name) if isinstance(one, str) and one]

    def lines(self, name: str) -> list[str]:
        """A field's lines that say something."""
        return [line.strip() for line in self.text(name).splitlines() if line.strip()]

    def ticked(self, name: str) -> bool:
        """Whether a checkbox was ticked."""
        return bool(self.text(name))


EMPTY: Final = Form(FormData(), {})  # before anybody filled it in


class _InMemory(MultiPartParser):
    """Media is never written to a disk, not for a moment either."""

    spool_max_size = FORM_BYTES + 1


@asynccontextmanager
async def sent(visit: Visit, *, most_bytes: int = FORM_BYTES) -> AsyncIterator[Form]:
    """The form that was sent, while its files are needed; ForbiddenError if it is not ours."""
    budget = visit.state.uploads
    held: list[int] = []
    try:
        data = await _parsed(visit, _bounded(visit, most_bytes, budget, held))
        try:
            _require_whole(data)
            form = Form(data, await _files(data, visit.state.settings.media_max_bytes))
            visit.require_token(form.text(TOKEN))
            yield form
        finally:
            await data.close()
    finally:
        budget.release(sum(held))


async def _parsed(visit: Visit, stream: AsyncGenerator[bytes]) -> FormData:
    headers = visit.request.headers
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    try:
        if kind == "multipart/form-data":
            return await _InMemory(
                headers,
                stream,
                max_files=MOST_FILES,
                max_fields=MOST_FIELDS,
                max_part_size=FIELD_BYTES,
            ).parse()
        if kind == "application/x-www-form-urlencoded":
            return await FormParser(
                headers, stream, max_fields=MOST_FIELDS, max_part_size=FIELD_BYTES
            ).parse()
    except (MultiPartException, FormParserError) as error:
        raise InvalidError(UNREADABLE) from error
    raise UnsupportedError(UNREADABLE)


def _require_whole(data: FormData) -> None:
    """InvalidError for what cannot be shown again: some encodings write half characters."""
    for name, value in data.multi_items():
        text = value if isinstance(value, str) else value.filename or ""
        try:
            (name + text).encode()
        except UnicodeEncodeError as error:
            raise InvalidError(UNREADABLE) from error


UNREADABLE: Final = N_(
    "The form cannot be read: it has too many fields or files, or was cut short. Send it again with"
    " fewer or smaller files."
)
TOO_LARGE: Final = N_("The files are too large together. Send fewer or smaller ones.")
FILE_TOO_LARGE: Final = N_("One of the files is too large. Send a smaller one.")


async def _bounded(
    visit: Visit, most: int, budget: UploadBudget, held: list[int]
) -> AsyncGenerator[bytes]:
    received = 0
    try:
        async for chunk in visit.request.stream():
            received += len(chunk)
            if received <= most:
                budget.hold(len(chunk))
                held.append(len(chunk))
                yield chunk
            elif received > _READ_ON * most:
                break
    except ClientDisconnect as error:
        raise InvalidError(UNREADABLE) from error
    if received > most:
        raise TooLargeError(TOO_LARGE)


async def _files(data: FormData, most: int) -> dict[str, list[File]]:
    """The files by field; an empty file input is no file."""
    found: dict[str, list[File]] = {}
    for name, value in data.multi_items():
        if not isinstance(value, UploadFile) or not (value.size or value.filename):
            continue
        if (value.size or 0) > most:
            raise TooLargeError(FILE_TOO_LARGE)
        found.setdefault(name, []).append(File(value.filename or "", await value.read()))
    return found
