"""What is wrong with the page that a browser shows: each finding a sentence, none if all is well.

Everything is asked of the very page that a person sees, by the debugging protocol, which the
page's own Content-Security-Policy does not bind. Scripts must be on while this asks.
"""

from pathlib import Path
from typing import Any, Final

import axe_playwright_python
from playwright.async_api import Page

MOST_BYTES: Final = 100_000
NARROWEST: Final = 320
LEAST_SHIFT: Final = 0.001  # a pixel or two, where a row fills as the page arrives; 0.1 is "good"
AXE: Final = next(Path(axe_playwright_python.__file__).parent.rglob("axe.min.js")).read_text(
    "utf-8"
)
TAGS: Final = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice")

_AXE = """tags => axe.run(document, {runOnly: tags, resultTypes: ['violations']}).then(
  found => found.violations.map(one => ({id: one.id, help: one.help,
    where: one.nodes.map(node => node.target.join(' ') + ' (' + node.failureSummary + ')')})))"""
_BYTES = """() => [...performance.getEntriesByType('navigation'),
  ...performance.getEntriesByType('resource')].filter(one => one.name.startsWith('http')).map(
  one => [one.name, one.encodedBodySize])"""
_SHIFTS = """() => new Promise(done => {
  const seen = [];
  const note = list => seen.push(...list.getEntries().filter(one => !one.hadRecentInput));
  const watch = new PerformanceObserver(note);
  watch.observe({type: 'layout-shift', buffered: true});
  requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
    note({getEntries: () => watch.takeRecords()});
    done(seen.map(one => [one.value, one.sources.map(of => of.node ? (of.node.outerHTML
      || of.node.textContent).slice(0, 80) : '?')]));
  })));
})"""
_TWICE = """() => [...document.querySelectorAll('[id]')].map(one => one.id).filter(
  (id, at, all) => all.indexOf(id) !== at)"""
_WIDE = """most => document.documentElement.scrollWidth <= most ? [] :
  [...document.querySelectorAll('body *')].filter(
    one => one.getBoundingClientRect().right > most + 0.5).map(
    one => one.outerHTML.slice(0, 80)).slice(0, 5).concat(
    [`${document.documentElement.scrollWidth} px wide`])"""


async def findings(page: Page, language: str, *, moves: bool) -> list[str]:
    """Everything that is wrong with this page. `moves`: whether nothing may have moved on it.

    Where scripts are off, asking turns them on, which makes room for what they show.
    """
    return [
        *(await _shifts(page) if moves else []),
        *await _weight(page),
        *await _said(page, language),
        *await _axe(page),
        *await _width(page),
    ]


async def _axe(page: Page) -> list[str]:
    """What axe-core finds, of WCAG 2.2 AA and of what it calls best practice."""
    if not await page.evaluate("typeof axe === 'object'"):
        await page.evaluate(f"{AXE}; 0")
    found: list[dict[str, Any]] = await page.evaluate(_AXE, list(TAGS))
    return [f"axe {one['id']}: {one['help']}: {'; '.join(one['where'])}" for one in found]


async def _weight(page: Page) -> list[str]:
    """A page with all it loads is light, as loaded for the first time."""
    parts: list[tuple[str, int]] = await page.evaluate(_BYTES)
    total = sum(size for _, size in parts)
    return [] if total <= MOST_BYTES else [f"{total} bytes are loaded: {parts}"]


async def _shifts(page: Page) -> list[str]:
    """Nothing moves once it is shown."""
    seen: list[tuple[float, list[str]]] = await page.evaluate(_SHIFTS)
    return [f"layout shift: {value} {what}" for value, what in seen if value > LEAST_SHIFT]


async def _said(page: Page, language: str) -> list[str]:
    """The page says its language and a title, and names nothing twice."""
    lang, title = await page.evaluate("[document.documentElement.lang, document.title]")
    wrong = [] if lang == language else [f"lang is {lang!r}, not {language!r}"]
    wrong += [] if title.strip() else ["the page has no title"]
    return [*wrong, *(f"id {one!r} is there twice" for one in await page.evaluate(_TWICE))]


async def _width(page: Page) -> list[str]:
    """Nothing has to be scrolled sideways on the narrowest screen (WCAG 2.2, 1.4.10)."""
    before = page.viewport_size
    assert before is not None
    await page.set_viewport_size({"width": NARROWEST, "height": 640})
    wide: list[str] = await page.evaluate(_WIDE, NARROWEST)
    await page.set_viewport_size(before)
    return [f"wider than {NARROWEST} px: {wide}"] if wide else []
