import time
from dataclasses import replace

import pytest
from graphql import build_schema, get_introspection_query, parse

from api.graphql.limits import Limits, Scale, Verdict, judge, operations_of

SCHEMA = build_schema(
    """
    type Query { me: Person  people(first: Int = 20, after: String): People  word: String }
    type People { nodes: [Person!]!  total: Int }
    type Person { name: String  friend: Person  friends(first: Int, last: Int): People }
    """
)


def judged(text: str, limits: Limits | None = None) -> Verdict:
    return judge(SCHEMA, parse(text), limits or Limits())


def cost(text: str) -> int:
    document = parse(text)
    (operation,) = operations_of(document)
    return Scale(SCHEMA, document, Limits()).weigh(operation).cost


def nested(levels: int) -> str:
    return "{me" + "{friend" * (levels - 2) + "{name" + "}" * levels


def doubling(levels: int) -> str:
    """Each fragment spreads the next one twice: 2^levels fields in a kilobyte."""
    fragments = [f"fragment f{n} on Query{{...f{n + 1} ...f{n + 1}}}" for n in range(levels)]
    return "{...f0} " + " ".join(fragments) + f" fragment f{levels} on Query{{word}}"


AT_THE_LIMIT_AND_ONE_OVER = [
    ("levels", nested(12), nested(13)),
    (
        "aliases",
        "{" + " ".join(f"a{n}: word" for n in range(15)) + "}",
        "{" + " ".join(f"a{n}: word" for n in range(16)) + "}",
    ),
    (
        "directives",
        "{word" + " @skip(if: false)" * 10 + "}",
        "{word" + " @skip(if: false)" * 11 + "}",
    ),
    (
        "root fields",
        "{" + " ".join(["word"] * 20) + "}",
        "{" + " ".join(["word"] * 21) + "}",
    ),
    (
        "operations",
        " ".join(f"query q{n} {{word}}" for n in range(5)),
        " ".join(f"query q{n} {{word}}" for n in range(6)),
    ),
    (
        "introspection fields",
        "{" + " ".join(['__type(name: "Query") {name}'] * 5) + "}",
        "{" + " ".join(['__type(name: "Query") {name}'] * 6) + "}",
    ),
    (
        "points of cost",
        "{people(first: 100) {nodes {friends(last: 46) {total} name}}}",
        "{people(first: 100) {nodes {friends(last: 47) {total} name}}}",
    ),
]


@pytest.mark.parametrize(("what", "within", "over"), AT_THE_LIMIT_AND_ONE_OVER)
def test_a_limit_is_reached_but_not_passed(what: str, within: str, over: str) -> None:
    assert judged(within).exceeded is None
    assert what in (judged(over).exceeded or "")


def test_fragments_are_limited_in_number() -> None:
    def with_fragments(number: int) -> str:
        spreads = " ".join(f"...f{n}" for n in range(number))
        return f"{{me {{{spreads}}}}} " + " ".join(
            f"fragment f{n} on Person {{name}}" for n in range(number)
        )

    assert judged(with_fragments(50)).exceeded is None
    assert "fragments" in (judged(with_fragments(51)).exceeded or "")


def test_aliases_and_directives_count_at_every_spread() -> None:
    fragment = "fragment f on Person {a: name @skip(if: false)} "
    spreads = "me {" + "...f " * 16 + "}"
    assert "aliases" in (judged(fragment + "{" + spreads + "}").exceeded or "")
    plain = "fragment f on Person {name @skip(if: false)} "
    assert "directives" in (judged(plain + "{" + spreads + "}").exceeded or "")


@pytest.mark.parametrize("levels", [20, 24, 49])
def test_a_fragment_bomb_is_weighed_in_linear_time(levels: int) -> None:
    document = parse(doubling(levels))
    began = time.process_time()
    verdict = judge(SCHEMA, document, Limits())
    assert time.process_time() - began < 0.05
    assert verdict.exceeded is not None


def test_sums_saturate() -> None:
    document = parse(doubling(60))
    (operation,) = operations_of(document)
    weight = Scale(SCHEMA, document, Limits()).weigh(operation)
    assert weight.roots == weight.selections == weight.cost == 1 << 30


def test_a_cycle_of_fragments_ends() -> None:
    text = "{me {...a}} fragment a on Person {friend {...b}} fragment b on Person {friend {...a}}"
    document = parse(text)
    (operation,) = operations_of(document)
    assert Scale(SCHEMA, document, Limits()).weigh(operation).depth == 3


def test_nesting_beyond_the_stack_is_refused_in_words() -> None:
    inside = "{friend " * 100
    fragments = [f"fragment f{n} on Person {inside}{{...f{n + 1}}}" + "}" * 100 for n in range(10)]
    text = "{me {...f0}} fragment f10 on Person {name} " + " ".join(fragments)
    assert "nested too deeply" in (judged(text).exceeded or "")


@pytest.mark.parametrize(
    ("text", "points"),
    [
        ("{word}", 1),
        ("{people {total}}", 1 + 20),
        ("{people(first: 5) {total}}", 1 + 5),
        ("{people(first: 0) {total}}", 1 + 1),
        ("{people(first: 1000000) {total}}", 1 + 100),
        ("query ($n: Int) {people(first: $n) {total}}", 1 + 100),
        ("query ($n: Int = 3) {people(first: $n) {total}}", 1 + 100),
        ("{me {friends {total}}}", 1 + 1 + 100),
        ("{me {friends(first: 2, last: 7) {total}}}", 1 + 1 + 7),
        ("{people(first: 10) {nodes {name friends(last: 4) {total}}}}", 1 + 10 * (1 + 1 + 1 + 4)),
        ("{...on Query {people(first: 5) {...p}}} fragment p on People {total}", 1 + 5),
    ],
)
def test_a_field_costs_one_for_each_element_of_the_pages_around_it(text: str, points: int) -> None:
    assert cost(text) == points


@pytest.mark.parametrize(
    "text",
    [
        "{" + "me {word: name} " * 64 + "}",
        "{" + "...{me {name}} " * 64 + "}",
        "{" + "...f " * 64 + "} fragment f on Query {me {name}}",
    ],
)
def test_fields_of_one_name_are_compared_in_bounded_number(text: str) -> None:
    limits = Limits(roots=100, aliases=100)
    assert "share a name" in (judged(text, limits).exceeded or "")
    assert judged(text, replace(limits, merges=5_000)).exceeded is None


def test_the_same_name_in_different_places_is_not_compared() -> None:
    people = " ".join(f"a{n}: people(first: 1) {{nodes {{name}}}}" for n in range(15))
    assert judged("{" + people + "}", Limits(merges=0)).exceeded is None


def test_the_standard_introspection_query_is_within_limits() -> None:
    full = get_introspection_query(
        specified_by_url=True,
        directive_is_repeatable=True,
        schema_description=True,
        input_value_deprecation=True,
    )
    assert judged(full) == Verdict(exceeded=None, introspects=True)


def test_introspection_has_a_depth_of_its_own() -> None:
    def deep(levels: int) -> str:
        return "{__schema {queryType " + "{ofType " * (levels - 3) + "{name" + "}" * levels

    assert judged(deep(20)).exceeded is None
    assert "21 levels of introspection" in (judged(deep(21)).exceeded or "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{word}", False),
        ("{__typename}", False),
        ("{__schema {queryType {name}}}", True),
        ('query a {word} query b {...f} fragment f on Query {__type(name: "Query") {name}}', True),
    ],
)
def test_a_document_says_whether_it_introspects(text: str, expected: bool) -> None:
    assert judged(text).introspects is expected
