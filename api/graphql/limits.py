"""How much one GraphQL document may ask for, judged once and in linear time.

Every fragment is weighed once and its weight reused, so sixty fragments that each spread the next
one twice are read as quickly as sixty fields. strawberry's own depth and alias limiters follow each
spread again and double their work with every level.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    IntValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
)
from graphql.type import GraphQLNamedType
from graphql.utilities.coerce_input_value import coerce_default_value

INTROSPECTION = frozenset({"__schema", "__type"})
PAGE_ARGUMENTS = ("first", "last")
SATURATED = 1 << 30  # sums stop here: a bomb must not make big integers either


@dataclass(frozen=True, slots=True)
class Limits:
    """The most one operation may have, with its fragments written out at every spread.

    `cost` is the number of fields answered when every page is full: a field counts once for each
    element of the pages around it. A page's size is its literal `first` or `last`, or the schema's
    default; where it is a variable, `page`. Introspection has a depth of its own: a type reference
    alone nests ten deep.
    """

    depth: int = 12
    introspection_depth: int = 20
    introspections: int = 5
    aliases: int = 15
    roots: int = 20
    directives: int = 10
    selections: int = 2_000
    cost: int = 5_000
    merges: int = 2_000
    page: int = 100
    operations: int = 5
    fragments: int = 50


@dataclass(slots=True)
class Weight:
    """What a selection set comes to with its fragments written out; sums saturate."""

    depth: int = 0
    introspection_depth: int = 0
    introspections: int = 0
    aliases: int = 0
    roots: int = 0
    directives: int = 0
    selections: int = 0
    cost: int = 0

    def add(self, other: "Weight") -> None:
        """Take in a selection set that stands beside this one."""
        self.roots = min(self.roots + other.roots, SATURATED)
        self.depth = max(self.depth, other.depth)
        self.cost = min(self.cost + other.cost, SATURATED)
        self._add_totals(other)

    def add_field(self, below: "Weight", *, aliased: bool, introspection: bool, page: int) -> None:
        """Take in a field and what is selected below it, `page` times."""
        self.roots = min(self.roots + 1, SATURATED)
        self.aliases += aliased
        self.selections += 1
        self.cost = min(self.cost + 1 + page * below.cost, SATURATED)
        self.depth = max(self.depth, 1 if introspection else 1 + below.depth)
        if introspection:
            self.introspections += 1
            self.introspection_depth = max(self.introspection_depth, 1 + below.depth)
        self._add_totals(below)

    def _add_totals(self, other: "Weight") -> None:
        self.introspection_depth = max(self.introspection_depth, other.introspection_depth)
        self.introspections = min(self.introspections + other.introspections, SATURATED)
        self.aliases = min(self.aliases + other.aliases, SATURATED)
        self.directives = min(self.directives + other.directives, SATURATED)
        self.selections = min(self.selections + other.selections, SATURATED)


class Scale:
    """Weighs the operations of one document; each fragment is weighed once."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> None:
        self._schema = schema
        self._limits = limits
        self._fragments = fragments_of(document)
        self._weights: dict[str, Weight] = {}

    def weigh(self, operation: OperationDefinitionNode) -> Weight:
        """Everything the operation selects."""
        root = self._schema.get_root_type(operation.operation)
        weight = Weight(directives=len(operation.directives or ()))
        weight.add(self._weigh(operation.selection_set, root))
        return weight

    def merges(self, operation: OperationDefinitionNode) -> int:
        """How many pairs of fields share a name in one place of the response.

        graphql-core compares each pair to see whether the two can be merged. Writes the fragments
        out: ask only for an operation whose `selections` are within bounds and free of cycles.
        """
        merges = 0
        places = [[operation.selection_set]]
        while places and merges <= self._limits.merges:
            names, below = self._written_out(places.pop())
            merges += sum(count * (count - 1) // 2 for count in names.values())
            places.extend(below.values())
        return merges

    def _weigh(self, node: SelectionSetNode, parent: GraphQLNamedType | None) -> Weight:
        weight = Weight()
        for selection in node.selections:
            weight.directives += len(selection.directives or ())
            if isinstance(selection, FieldNode):
                self._weigh_field(weight, selection, parent)
            elif isinstance(selection, FragmentSpreadNode):
                weight.selections += 1
                weight.add(self._weigh_fragment(selection.name.value))
            elif isinstance(selection, InlineFragmentNode):
                condition = selection.type_condition
                inner = self._schema.get_type(condition.name.value) if condition else parent
                weight.selections += 1
                weight.add(self._weigh(selection.selection_set, inner))
        return weight

    def _weigh_fragment(self, name: str) -> Weight:
        if name not in self._weights:
            self._weights[name] = Weight()  # ends a cycle, which validation refuses
            fragment = self._fragments.get(name)
            if fragment is not None:
                condition = self._schema.get_type(fragment.type_condition.name.value)
                self._weights[name] = self._weigh(fragment.selection_set, condition)
        return self._weights[name]

    def _weigh_field(
        self, weight: Weight, node: FieldNode, parent: GraphQLNamedType | None
    ) -> None:
        name = node.name.value
        field = (
            self._schema.get_field(parent, name)
            if isinstance(parent, GraphQLObjectType | GraphQLInterfaceType)
            else None
        )
        below = Weight()
        if node.selection_set:
            inner = self._schema.get_type(_named(field)) if field else None
            below = self._weigh(node.selection_set, inner)
        weight.add_field(
            below,
            aliased=node.alias is not None,
            introspection=name in INTROSPECTION,
            page=_page_size(node, field, self._limits.page),
        )

    def _written_out(
        self, sets: list[SelectionSetNode]
    ) -> tuple[Counter[str], dict[str, list[SelectionSetNode]]]:
        names: Counter[str] = Counter()
        below: dict[str, list[SelectionSetNode]] = {}
        rest = list(sets)
        while rest:
            for selection in rest.pop().selections:
                if isinstance(selection, FieldNode):
                    name = (selection.alias or selection.name).value
                    names[name] += 1
                    if selection.selection_set:
                        below.setdefault(name, []).append(selection.selection_set)
                elif isinstance(selection, FragmentSpreadNode):
                    rest.append(self._fragments[selection.name.value].selection_set)
                elif isinstance(selection, InlineFragmentNode):
                    rest.append(selection.selection_set)
        return names, below


def fragments_of(document: DocumentNode) -> Mapping[str, FragmentDefinitionNode]:
    """The fragments a document defines, by name."""
    return {
        node.name.value: node
        for node in document.definitions
        if isinstance(node, FragmentDefinitionNode)
    }


def operations_of(document: DocumentNode) -> list[OperationDefinitionNode]:
    """The operations a document defines, in its order."""
    return [node for node in document.definitions if isinstance(node, OperationDefinitionNode)]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of a document: the limit it goes over, in words for its author, or None."""

    exceeded: str | None
    introspects: bool = False


def judge(schema: GraphQLSchema, document: DocumentNode, limits: Limits) -> Verdict:
    """Hold a valid document against the limits.

    "Valid" may leave out whether fields can be merged: the limits here make that check affordable.
    """
    operations = operations_of(document)
    if len(operations) > limits.operations:
        return Verdict(_over("operations", len(operations), limits.operations))
    fragments = len(fragments_of(document))
    if fragments > limits.fragments:
        return Verdict(_over("fragments", fragments, limits.fragments))
    scale = Scale(schema, document, limits)
    try:
        weights = [(each, scale.weigh(each)) for each in operations]
    except RecursionError:  # only nesting takes us there, and far beyond any depth that is allowed
        return Verdict(
            f"The document is nested too deeply; at most {limits.depth} levels are read."
        )
    over = (_exceeded(scale, operation, weight, limits) for operation, weight in weights)
    return Verdict(
        exceeded=next(filter(None, over), None),
        introspects=any(weight.introspections for _, weight in weights),
    )


def _exceeded(
    scale: Scale, operation: OperationDefinitionNode, weight: Weight, limits: Limits
) -> str | None:
    for words, found, most in (
        ("levels", weight.depth, limits.depth),
        ("levels of introspection", weight.introspection_depth, limits.introspection_depth),
        ("introspection fields", weight.introspections, limits.introspections),
        ("aliases", weight.aliases, limits.aliases),
        ("root fields", weight.roots, limits.roots),
        ("directives", weight.directives, limits.directives),
        ("selections", weight.selections, limits.selections),
        ("points of cost", weight.cost, limits.cost),
    ):
        if found > most:
            return _over(words, found, most)
    if scale.merges(operation) > limits.merges:
        return f"Too many fields share a name: at most {limits.merges} pairs are compared."
    return None


def _over(words: str, found: int, most: int) -> str:
    many = f"{found}" if found < SATURATED else "too many"
    return f"The document has {many} {words}; at most {most} are answered."


def _page_size(node: FieldNode, field: GraphQLField | None, page: int) -> int:
    """How many elements a field may answer with: 1 unless it is paged."""
    if field is None or not any(name in field.args for name in PAGE_ARGUMENTS):
        return 1
    given = {argument.name.value: argument.value for argument in node.arguments or ()}
    sizes = []
    for name in PAGE_ARGUMENTS:
        value = given.get(name)
        if isinstance(value, IntValueNode) and len(value.value) <= len(str(page)):
            sizes.append(min(max(int(value.value), 1), page))
        elif value is not None:
            sizes.append(page)
    return max(sizes, default=min(_default_page(field, page), page))


def _default_page(field: GraphQLField, page: int) -> int:
    """The page size a schema gives to those who name none."""
    argument = field.args.get("first")
    default = None if argument is None else coerce_default_value(argument)
    return default if isinstance(default, int) else page


def _named(field: GraphQLField) -> str:
    named = field.type
    while hasattr(named, "of_type"):
        named = named.of_type
    return str(named)
