"""One entry of the operator's configuration of encoders, read strictly: refusals say where."""

import hashlib
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Protocol

from registry.errors import SetupError

ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}/[0-9]{1,6}")
MODEL_BYTES = 2**30
SHA256 = re.compile(r"[0-9a-f]{64}")


class Entry:
    """A mapping out of a YAML file, and where it stands: its file and its place in it."""

    def __init__(self, entry: Mapping[str, object], where: str, known: Collection[str]) -> None:
        """Raises SetupError for a key that is not known."""
        self._entry, self._where = entry, where
        for key in entry:
            if key not in known:
                names = ", ".join(sorted(known))
                raise SetupError(f"{where}.{key} is not known. Known are: {names}.")

    def wrong(self, key: str, expected: str) -> SetupError:
        """The refusal of a value."""
        return SetupError(f"{self._where}.{key} must be {expected}.")

    def text(self, key: str) -> str:
        """A text that must be there."""
        value = self._entry.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.wrong(key, "a text")
        return value

    def optional_text(self, key: str) -> str | None:
        """A text, or None where the key is left out."""
        return self.text(key) if self._entry.get(key) is not None else None

    def optional_path(self, key: str) -> Path | None:
        """A path, or None where the key is left out."""
        value = self.optional_text(key)
        return None if value is None else Path(value)

    def matching(self, key: str, pattern: re.Pattern[str], expected: str) -> str:
        """A text of that form."""
        value = self.text(key)
        if not pattern.fullmatch(value):
            raise self.wrong(key, expected)
        return value

    def one_of(self, key: str, choices: Collection[str], default: str) -> str:
        """One of these words."""
        value = self._entry.get(key, default)
        if not isinstance(value, str) or value not in choices:
            raise self.wrong(key, " or ".join(choices))
        return value

    def flag(self, key: str, *, default: bool) -> bool:
        """True or false."""
        value = self._entry.get(key, default)
        if not isinstance(value, bool):
            raise self.wrong(key, "true or false")
        return value

    def nested(self, key: str, known: Collection[str]) -> "Entry":
        """A mapping inside this one, empty where the key is left out."""
        value = self._entry.get(key, {})
        if not isinstance(value, dict):
            raise self.wrong(key, "a mapping")
        return Entry(value, f"{self._where}.{key}", known)

    def whole(self, key: str, least: int, most: int, default: int | None = None) -> int:
        """A whole number within bounds; without a default it must be there."""
        value = self._entry.get(key, default)
        if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
            raise self.wrong(key, f"a whole number from {least} to {most}")
        return value

    def number(self, key: str, least: float, most: float) -> float:
        """A number within bounds, which must be there."""
        value = self._entry.get(key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise self.wrong(key, f"a number from {least:g} to {most:g}")
        if not least <= value <= most:
            raise self.wrong(key, f"a number from {least:g} to {most:g}")
        return float(value)

    def numbers(self, key: str, count: int, bound: float) -> list[float]:
        """So many numbers, none of them beyond the bound; one number stands for that many."""
        value = self._entry.get(key)
        values: list[object] = value if isinstance(value, list) else [value] * count
        numbers = [
            float(one)
            for one in values
            if isinstance(one, int | float) and not isinstance(one, bool) and abs(one) <= bound
        ]
        if not len(numbers) == len(values) == count:
            raise self.wrong(key, f"a number, or a list of {count}, within {bound:g}")
        return numbers

    def value(self, key: str) -> object:
        """Whatever is there, or None."""
        return self._entry.get(key)


class OwnModel(Protocol):
    """What an entry says of its model's file."""

    @property
    def id(self) -> str:
        """The encoder."""
        ...

    @property
    def model(self) -> Path:
        """Its file."""
        ...

    @property
    def sha256(self) -> str:
        """Of the file, in hexadecimal digits."""
        ...


def read_model(config: OwnModel) -> bytes:
    """The model's bytes. Raises SetupError where they are not those that were configured."""
    where = f"The encoder {config.id} ({config.model})"
    try:
        if config.model.stat().st_size > MODEL_BYTES:
            raise SetupError(f"{where} has more than {MODEL_BYTES // 2**20} MiB.")
        model = config.model.read_bytes()
    except OSError as error:
        raise SetupError(f"{where} cannot be read: {error.strerror}.") from error
    found = hashlib.sha256(model).hexdigest()
    if found != config.sha256:
        raise SetupError(f"{where} is another file: its sha256 is {found}.")
    return model
