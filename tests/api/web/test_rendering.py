"""Templates: nothing inline, nothing from elsewhere, nothing said that is not escaped."""

import re
from pathlib import Path

import pytest
from jinja2 import UndefinedError

from api.web import rendering
from api.web.languages import Language
from api.web.rendering import STATIC, TEMPLATES, environment, html

FILES = sorted(TEMPLATES.rglob("*.html"))
SCRIPTS = sorted(STATIC.glob("*.js"))
INLINE = {
    "a script inline": r"<script(?![^>]*\bsrc=)",
    "a style inline": r"<style|\sstyle\s*=",
    "a handler inline": r"\son[a-z]+\s*=\s*[\"']",
    "an address of another host": r"(?:href|src|action|poster|srcset)\s*=\s*[\"'](?:https?:)?//",
    "an address that is code": r"[\"']\s*javascript:",
    "text that is not escaped": r"\|\s*safe\b|autoescape",
    "a secret in an address": r'method="get"[^>]*>(?:(?!</form>).)*type="password"',
    "a page inside a page": r"<(?:iframe|object|embed)\b",
}


@pytest.mark.parametrize("file", FILES, ids=lambda one: str(one.relative_to(TEMPLATES)))
def test_a_template_holds_nothing_that_the_policy_forbids(file: Path) -> None:
    source = file.read_text()
    for what, pattern in INLINE.items():
        assert not re.search(pattern, source, re.DOTALL), f"{file.name} has {what}"


@pytest.mark.parametrize(
    "source",
    [
        "<script>alert(1)</script>",
        '<p style="color: red">',
        '<a onclick="x()">',
        '<img src="https://elsewhere.test/a.png">',
        '<link href="//elsewhere.test/a.css">',
        '<a href="javascript:x()">',
        "{{ name|safe }}",
        "<iframe src='/x'>",
    ],
)
def test_what_is_forbidden_would_be_found(source: str) -> None:
    assert any(re.search(pattern, source, re.DOTALL) for pattern in INLINE.values())


@pytest.mark.parametrize("file", FILES, ids=lambda one: str(one.relative_to(TEMPLATES)))
def test_every_form_that_is_sent_carries_the_token(file: Path) -> None:
    forms = re.findall(r'<form[^>]*method="post".*?</form>', file.read_text(), re.DOTALL)
    for form in forms:
        given = 'name="form_token"' in form or "parts/finish.html" in form
        assert given, f"{file.name}: {form[:80]}"
        assert re.search(r'action="/', form), f"{file.name}: {form[:80]}"


@pytest.mark.parametrize("file", SCRIPTS, ids=lambda one: one.name)
def test_a_script_reaches_nobody_else_and_writes_no_markup(file: Path) -> None:
    source = re.sub(r"//.*|/\*.*?\*/", "", file.read_text().replace("://", ":@@"), flags=re.DOTALL)
    for what in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "document.write",
        "eval(",
        "new Function",
        "localStorage",
        "sessionStorage",
        "http:@@",
        "https:@@",
    ):
        assert what not in source, f"{file.name} uses {what}"


def test_the_policy_lets_nothing_in_from_elsewhere() -> None:
    directives = dict(one.split(" ", 1) for one in rendering.POLICY.split("; "))
    assert directives["default-src"] == "'none'"
    allowed = {word for words in directives.values() for word in words.split()}
    assert allowed == {"'none'", "'self'", "blob:", "data:"}
    for kind in ("script-src", "style-src", "connect-src", "form-action"):
        assert directives[kind] == "'self'"


@pytest.mark.parametrize("language", list(Language))
def test_what_somebody_wrote_is_escaped(language: Language) -> None:
    template = environment(language).from_string("<p>{{ name }}</p>")
    assert template.render(name="<b>&\"'") == "<p>&lt;b&gt;&amp;&#34;&#39;</p>"


def test_a_page_that_lacks_what_it_says_is_a_defect() -> None:
    with pytest.raises(UndefinedError):
        html(Language.ENGLISH, "case/receipt.html", {"visit": None})


def test_times_and_words_are_said_in_the_readers_language() -> None:
    template = environment(Language.ENGLISH).from_string("{{ 'x'|status }} {{ what|said }}")
    assert template.render(what=ValueError("It is so.")) == "x It is so."
