"""Templates: one environment a language, made once; and what every page says to the browser."""

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from api.web import labels
from api.web.languages import Language, day, moment, translations
from api.web.said import said

_HERE: Final = Path(__file__).parent
STATIC: Final = _HERE / "static"
TEMPLATES: Final = _HERE / "templates"
# Nothing from elsewhere, nothing inline; pictures and recordings just made are blobs.
POLICY: Final = "; ".join(  # noqa: FLY002  # one directive a line
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "media-src 'self' blob:",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS: Final = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": "camera=(self), microphone=(self), geolocation=()",
    # A browser that may not say where a form comes from says "null", as forms from elsewhere do.
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Vary": "Cookie, Accept-Language",
}


@cache
def version(name: str) -> str:
    """A static file's address, which changes with what is in it: browsers keep it for good."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/static/{name}?v={digest}"


def said_in(what: object, language: Language) -> str:
    """A sentence of the registry, or a refusal, in this language."""
    code = getattr(what, "code", None)
    return said(str(getattr(what, "message", what)), language, code=code)


@cache
def environment(language: Language) -> Environment:
    """The templates in this language."""
    made = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    catalogue = translations(language)
    made.install_gettext_translations(catalogue, newstyle=True)  # type: ignore[attr-defined]  # of the extension
    made.globals.update(static=version, language=language, languages=list(Language), labels=labels)
    made.filters["moment"] = lambda at: moment(at, language)
    made.filters["day"] = lambda at: day(at, language)
    made.filters["label"] = lambda member: catalogue.gettext(labels.of(member))
    made.filters["said"] = lambda what: said_in(what, language)
    made.filters["status"] = lambda state: catalogue.gettext(labels.STATUSES.get(state) or state)
    return made


def html(
    language: Language, template: str, context: Mapping[str, object], *, status: int = 200
) -> HTMLResponse:
    """A page."""
    body = environment(language).get_template(template).render(context)
    return HTMLResponse(body, status, headers=HEADERS)
