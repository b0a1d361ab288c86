"""GraphQL documents, parsed and judged once for each SHA-256 of their text.

Validation is most of what a GraphQL request costs. Clients send the same few documents again and
again, so a document that was admitted is kept, and so is the refusal of one that was not.
"""

import hashlib
from collections import OrderedDict
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    StringValueNode,
    Visitor,
    parse,
    specified_rules,
    validate,
    visit,
)
from graphql.validation import OverlappingFieldsCanBeMergedRule
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule

from api.graphql.limits import Limits, judge, operations_of

PARSE_FAILED = "GRAPHQL_PARSE_FAILED"
VALIDATION_FAILED = "GRAPHQL_VALIDATION_FAILED"
LIMIT_EXCEEDED = "LIMIT_EXCEEDED"

MAX_CHARACTERS = 100_000
MAX_TOKENS = 1_000
MAX_COMMENTS = 200
MAX_ERRORS = 20
MAX_MESSAGE = 300
REFUSAL_WEIGHT = 20  # in tokens: what a refusal keeps is short

# Merging compares pairs of fields: it is asked last, of documents within limits.
RULES = tuple(
    rule
    for rule in (*specified_rules, MaybeNullValidationRule)
    if rule is not OverlappingFieldsCanBeMergedRule
)


@dataclass(frozen=True, slots=True)
class Document:
    """A document that was read: either ready to run, or refused with `errors`."""

    sha256: str
    ast: DocumentNode | None
    errors: tuple[dict[str, Any], ...] = ()
    introspects: bool = False

    def operation(self, name: str | None) -> OperationDefinitionNode | None:
        """The operation of that name, or the only one; None where that is not one operation."""
        operations = operations_of(self.ast) if self.ast else []
        if name is None:
            return operations[0] if len(operations) == 1 else None
        return next((each for each in operations if each.name and each.name.value == name), None)


class DocumentStore:
    """The documents of one schema, the most recently used ones kept.

    Holds at most `documents` admitted texts of together `tokens` tokens (about half a kilobyte
    each), and as many refusals apart from them: a flood of refused documents evicts no good one.
    """

    def __init__(
        self,
        schema: GraphQLSchema,
        *,
        limits: Limits | None = None,
        documents: int = 1_000,
        tokens: int = 100_000,
    ) -> None:
        self._schema = schema
        self._limits = limits or Limits()
        self._admitted: _Recent[Document] = _Recent(documents, tokens)
        self._refused: _Recent[Document] = _Recent(documents, tokens)
        _declare_one_of(schema)

    def read(self, text: str) -> Document:
        """The document of this text: remembered, or parsed, validated and limited now."""
        sha256 = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
        document = self._admitted.get(sha256) or self._refused.get(sha256)
        if document is None:
            document = self._judge(sha256, text)
            if document.ast is None:
                self._refused.put(sha256, document, REFUSAL_WEIGHT)
            else:
                self._admitted.put(sha256, document, _tokens(document.ast))
        return document

    def known(self, sha256: str) -> Document | None:
        """The admitted document of that digest, if it is still kept."""
        return self._admitted.get(sha256.lower())

    def _judge(self, sha256: str, text: str) -> Document:
        def refused(code: str, *errors: GraphQLError) -> Document:
            return Document(sha256, None, tuple(_described(each, code) for each in errors))

        try:
            ast = parse(
                text,
                max_lexical_tokens=MAX_TOKENS,
                max_comments=MAX_COMMENTS,
                max_source_length=MAX_CHARACTERS,
            )
        except GraphQLSyntaxError as error:
            aborted = error.message.endswith("Parsing aborted.")  # how graphql-core names a limit
            return refused(LIMIT_EXCEEDED if aborted else PARSE_FAILED, error)
        if _holds_nul(text, ast):
            return refused(VALIDATION_FAILED, GraphQLError("Text may not hold a NUL character."))
        if errors := self._validate(ast, RULES):
            return refused(VALIDATION_FAILED, *errors)
        verdict = judge(self._schema, ast, self._limits)
        if verdict.exceeded is not None:
            return refused(LIMIT_EXCEEDED, GraphQLError(verdict.exceeded))
        if errors := self._validate(ast, (OverlappingFieldsCanBeMergedRule,)):
            return refused(VALIDATION_FAILED, *errors)
        return Document(sha256, ast, introspects=verdict.introspects)

    def _validate(self, ast: DocumentNode, rules: tuple[type[Any], ...]) -> list[GraphQLError]:
        return validate(self._schema, ast, rules, max_errors=MAX_ERRORS, hide_suggestions=True)


T = TypeVar("T")


class _Recent(Generic[T]):
    """The most recently used values, bounded in number and in total weight."""

    def __init__(self, most: int, weight: int) -> None:
        self._values: OrderedDict[str, tuple[T, int]] = OrderedDict()
        self._most = most
        self._left = weight

    def get(self, key: str) -> T | None:
        found = self._values.get(key)
        if found is None:
            return None
        self._values.move_to_end(key)
        return found[0]

    def put(self, key: str, value: T, weight: int) -> None:
        self._values[key] = (value, weight)
        self._left -= weight
        while self._left < 0 or len(self._values) > self._most:
            _, (_, freed) = self._values.popitem(last=False)
            self._left += freed


class _NulFinder(Visitor):
    """Looks for a string that PostgreSQL cannot store."""

    found = False

    def enter_string_value(self, node: StringValueNode, *_: object) -> None:
        self.found = self.found or "\0" in node.value


def _holds_nul(text: str, ast: DocumentNode) -> bool:
    if "\0" not in text and "\\u" not in text:
        return False
    finder = _NulFinder()
    visit(ast, finder)
    return finder.found


def _tokens(ast: DocumentNode) -> int:
    count = 0
    token = ast.loc.start_token if ast.loc else None
    while token is not None:
        count += 1
        token = token.next
    return count


def _described(error: GraphQLError, code: str) -> dict[str, Any]:
    described: dict[str, Any] = {"message": error.message[:MAX_MESSAGE]}
    if error.locations:
        described["locations"] = [each.formatted for each in error.locations[:MAX_ERRORS]]
    described["extensions"] = {"code": code}
    return described


def _declare_one_of(schema: GraphQLSchema) -> None:
    """Tell graphql-core which inputs are @oneOf, so that its own validation knows them.

    strawberry checks them by a rule of its own, which fails with a KeyError on an undefined
    variable and with an AttributeError in a fragment that stands before its operation.
    """
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLInputObjectType):
            definition = kind.extensions.get("strawberry-definition")
            kind.is_one_of = bool(getattr(definition, "is_one_of", kind.is_one_of))
