"""The ways a person comes: in a language, on a device, with or without scripts, by day or night."""

import os
import shutil
from dataclasses import dataclass, replace
from itertools import product
from typing import Any, Final

LANGUAGES: Final = {"en": "en-US", "zh-Hans": "zh-CN"}
DEVICES: Final[dict[str, dict[str, Any]]] = {
    "phone": {
        "viewport": {"width": 360, "height": 740},
        "is_mobile": True,
        "has_touch": True,
    },
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "narrow": {"viewport": {"width": 320, "height": 640}, "is_mobile": True, "has_touch": True},
}


@dataclass(frozen=True, slots=True)
class Way:
    """How somebody comes to the pages."""

    language: str = "en"
    device: str = "desktop"
    scripts: bool = True
    dark: bool = False

    def __str__(self) -> str:
        """As tests and folders of screenshots name it."""
        named = [self.language, self.device, "js" if self.scripts else "nojs"]
        return "-".join([*named, *(["dark"] if self.dark else [])])

    @property
    def context(self) -> dict[str, Any]:
        """What Playwright makes a browser context from."""
        return {
            **DEVICES[self.device],
            "locale": LANGUAGES[self.language],
            "color_scheme": "dark" if self.dark else "light",
            "reduced_motion": "no-preference",
        }

    def but(self, **other: Any) -> "Way":
        """The same with a difference."""
        return replace(self, **other)


EVERY: Final = [
    Way(*one) for one in product(LANGUAGES, ("phone", "desktop"), (True, False), (False,))
]
# Every pair of language, device and scripts is among these, and both colours with each device.
PAIRS: Final = [
    Way("en", "phone", scripts=True, dark=True),
    Way("en", "desktop", scripts=False, dark=False),
    Way("zh-Hans", "phone", scripts=False, dark=False),
    Way("zh-Hans", "desktop", scripts=True, dark=True),
]
# Each of these once: enough for a part of a journey.
ENDS: Final = [Way("en", "phone", dark=True), Way("zh-Hans", "desktop", scripts=False)]
NARROW: Final = [Way("en", "narrow", scripts=False), Way("zh-Hans", "narrow", dark=True)]
SCRIPTED: Final = [Way("en", "phone"), Way("zh-Hans", "desktop", dark=True)]


# Chromium has no sandbox for root, and does not start without being told to do without.
UNBOXED: Final = ["--no-sandbox"] if os.geteuid() == 0 else []


def chromium() -> str:
    """The browser's program. Without one nothing here can be tested, which is no reason to skip."""
    found = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        raise LookupError(
            "The tests of the pages drive a Chromium, and there is none. Install it"
            " (apt-get install chromium), or name its program in CHROMIUM."
        )
    return found
