"""YAML that people write, read without surprises: closed models, no key twice, nothing coerced."""

import json
from collections.abc import Hashable
from typing import TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from registry.errors import RegistryError

Model = TypeVar("Model", bound=BaseModel)


class _Loader(yaml.SafeLoader):
    """SafeLoader that refuses a key said twice; PyYAML would take the last."""

    def construct_mapping(
        self, node: yaml.MappingNode, deep: bool = False
    ) -> dict[Hashable, object]:
        """A mapping whose keys differ; raises yaml.MarkedYAMLError."""
        seen = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.MarkedYAMLError(
                    problem=f"{key} is said twice", problem_mark=key_node.start_mark
                )
            seen.add(key)
        return super().construct_mapping(node, deep)


def parse(text: str, *, file: str, model: type[Model], error: type[RegistryError]) -> Model:
    """The document as `model`; raises `error` with one line naming file, place and fault.

    Types are strict as in JSON: enums and dates are quoted strings, "18" is not a number.
    """
    try:
        document = yaml.load(text, _Loader)  # noqa: S506  # derived from SafeLoader
        return model.model_validate_json(json.dumps(document), strict=True)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark
        line = mark.line + 1 if mark is not None else 0
        raise error(f"{file}: line {line}: {fault.problem}.") from fault
    except yaml.YAMLError as fault:
        raise error(f"{file}: not YAML.") from fault
    except ValidationError as fault:
        first = fault.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "document"
        raise error(f"{file}: {place}: {first['msg']}.") from fault
    except (TypeError, ValueError) as fault:
        # json.dumps: YAML dates and the like have no strict reading.
        raise error(
            f"{file}: a value is not text, number, list or mapping: quote dates."
        ) from fault
