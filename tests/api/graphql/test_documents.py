import gc
import hashlib
import time
import tracemalloc

import pytest
import strawberry

from api.graphql.documents import LIMIT_EXCEEDED, PARSE_FAILED, VALIDATION_FAILED, DocumentStore


@strawberry.input(one_of=True)
class Choice:
    word: str | None = strawberry.UNSET
    number: int | None = strawberry.UNSET


@strawberry.type
class Query:
    @strawberry.field
    def echo(self, text: str) -> str:
        return text

    @strawberry.field
    def chosen(self, choice: Choice) -> str:
        return str(choice)

    @strawberry.field
    def sum(self, numbers: list[int]) -> int:
        return sum(numbers)

    @strawberry.field
    def me(self) -> "Query":
        return Query()


SCHEMA = strawberry.Schema(query=Query)._schema


def store(**bounds: int) -> DocumentStore:
    return DocumentStore(SCHEMA, **bounds)  # type: ignore[arg-type]  # all bounds are integers


def code_of(text: str) -> str | None:
    document = store().read(text)
    assert (document.ast is None) == bool(document.errors)
    return document.errors[0]["extensions"]["code"] if document.errors else None


def test_a_document_is_judged_once() -> None:
    documents = store()
    first = documents.read("{me {__typename}}")
    assert first.ast is not None
    assert documents.read("{me {__typename}}") is first


def test_a_refusal_is_remembered() -> None:
    documents = store()
    assert documents.read("{nothing}") is documents.read("{nothing}")


def test_a_document_is_known_by_its_digest_once_admitted() -> None:
    documents = store()
    text = "{__typename}"
    digest = hashlib.sha256(text.encode()).hexdigest()
    assert documents.known(digest) is None
    document = documents.read(text)
    assert document.sha256 == digest
    assert documents.known(digest) is document
    assert documents.known(digest.upper()) is document


def test_a_refused_document_has_no_digest_to_be_known_by() -> None:
    documents = store()
    assert documents.known(documents.read("{nothing}").sha256) is None


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("{__typename}", None),
        ("", PARSE_FAILED),
        ("{", PARSE_FAILED),
        ('{echo(text: "\\ud800")}', PARSE_FAILED),
        ("{nothing}", VALIDATION_FAILED),
        ("type T {a: Int}", VALIDATION_FAILED),
        ("{echo(text: 1)}", VALIDATION_FAILED),
        ('{echo(text: "a") echo(text: "b")}', VALIDATION_FAILED),
        ("{...a} fragment a on Query {...b} fragment b on Query {...a}", VALIDATION_FAILED),
        ('{echo(text: "\\u0000")}', VALIDATION_FAILED),
        ('{echo(text: "\\u{0}")}', VALIDATION_FAILED),
        ('{echo(text: """a\0b""")}', VALIDATION_FAILED),
        ('{echo(text: "\\u0041")}', None),
        ("{" + "__typename " * 1_000 + "}", LIMIT_EXCEEDED),
        ("{__typename}" + " " * 100_000, LIMIT_EXCEEDED),
        ("#\n" * 201 + "{__typename}", LIMIT_EXCEEDED),
        ("{me" * 400, LIMIT_EXCEEDED),
        ("{" + "me{__typename} " * 199 + "}", LIMIT_EXCEEDED),
        ("{" * 5_000, PARSE_FAILED),
        ('{echo(text: "' + "a" * 50_000 + '")}', None),
    ],
)
def test_a_document_is_refused_by_a_code(text: str, code: str | None) -> None:
    assert code_of(text) == code


def test_tokens_are_counted_on_reading() -> None:
    def with_numbers(count: int) -> str:
        return "{sum(numbers: [" + "1 " * count + "])}"

    assert store().read(with_numbers(990)).ast is not None
    (error,) = store().read(with_numbers(1_000)).errors
    assert "more than 1000 tokens" in error["message"]
    assert error["extensions"]["code"] == LIMIT_EXCEEDED


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ('{chosen(choice: {word: "a"})}', None),
        ('{chosen(choice: {word: "a", number: 1})}', VALIDATION_FAILED),
        ("{chosen(choice: {})}", VALIDATION_FAILED),
        ("{chosen(choice: {word: null})}", VALIDATION_FAILED),
        ("{chosen(choice: {word: $w})}", VALIDATION_FAILED),
        ("query ($w: String!) {chosen(choice: {word: $w})}", None),
        ("fragment f on Query {chosen(choice: {word: $w})} query ($w: String!) {...f}", None),
    ],
)
def test_exactly_one_of_a_one_of_input_is_given(text: str, code: str | None) -> None:
    assert code_of(text) == code


def test_errors_name_places_but_no_field_that_was_not_asked_for() -> None:
    (error,) = store().read("{ech}").errors
    assert error["locations"] == [{"line": 1, "column": 2}]
    assert "echo" not in error["message"]


def test_errors_are_bounded_in_number_and_length() -> None:
    many = store().read("{" + " ".join(f"n{n}" for n in range(400)) + "}").errors
    assert len(many) <= 21
    (long,) = store().read("{" + "n" * 90_000 + "}").errors
    assert len(long["message"]) <= 300


@pytest.mark.parametrize(
    "text",
    [
        "{...f0} "
        + " ".join(f"fragment f{n} on Query{{...f{n + 1} ...f{n + 1}}}" for n in range(60))
        + " fragment f60 on Query{__typename}",
        "{...f0} "
        + " ".join(f"fragment f{n} on Query{{...f{n + 1} ...f{n + 1}}}" for n in range(24))
        + " fragment f24 on Query{__typename}",
    ],
)
def test_a_fragment_bomb_is_refused_quickly(text: str) -> None:
    documents = store()
    documents.read("{__typename}")
    began = time.process_time()
    document = documents.read(text)
    assert time.process_time() - began < 0.05
    assert document.errors[0]["extensions"]["code"] == LIMIT_EXCEEDED


def test_the_least_recently_used_document_is_forgotten_first() -> None:
    documents = store(documents=2)
    first = documents.read("{a: __typename}")
    second = documents.read("{b: __typename}")
    documents.read("{a: __typename}")
    documents.read("{c: __typename}")
    assert documents.known(first.sha256) is first
    assert documents.known(second.sha256) is None


def test_documents_are_bounded_by_their_tokens() -> None:
    documents = store(tokens=100)
    small = documents.read("{__typename}")
    documents.read("{" + "__typename " * 15 + "}")
    assert documents.known(small.sha256) is small
    large = documents.read('{echo(text: "a") ' + "__typename " * 18 + "}")
    documents.read('{echo(text: "b") ' + "__typename " * 18 + "}")
    documents.read('{echo(text: "c") ' + "__typename " * 18 + "}")
    documents.read('{echo(text: "d") ' + "__typename " * 18 + "}")
    assert large.ast is not None
    assert documents.known(small.sha256) is None
    assert documents.known(large.sha256) is None


def test_a_flood_of_refusals_evicts_no_good_document() -> None:
    documents = store(documents=3)
    good = documents.read("{__typename}")
    for number in range(50):
        documents.read(f"{{nothing{number}}}")
    assert documents.known(good.sha256) is good


def test_a_flood_of_documents_is_bounded_in_memory() -> None:
    documents = store(documents=1_000, tokens=2_000)
    tracemalloc.start()
    try:
        for number in range(15):
            numbers = " ".join([str(number)] * 900)
            assert documents.read(f"{{sum(numbers: [{numbers}])}}").ast is not None
        gc.collect()
        kept, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert kept < 2 * 2**20
