"""Text as a tree: what is read, what is refused, and on which line."""

import pytest

from registry.policy.yaml_tree import MAX_BYTES, UnreadableError, read


def unreadable(text: str) -> tuple[int, str]:
    with pytest.raises(UnreadableError) as caught:
        read(text)
    return caught.value.fault.line, caught.value.fault.message


def faults(text: str) -> list[tuple[int, tuple[str | int, ...], str]]:
    return [(one.line, one.place, one.message) for one in read(text)[1]]


def test_values_are_those_of_json() -> None:
    text = """
a: [1, -2.5, true, ~, yes]
b: {c: "1", d: word, e: ""}
f:
- - g
h: >-
  two
  lines
"""
    assert read(text)[0].plain() == {
        "a": [1, -2.5, True, None, True],
        "b": {"c": "1", "d": "word", "e": ""},
        "f": [["g"]],
        "h": "two lines",
    }
    assert faults(text) == []


def test_a_document_of_nothing_is_nothing() -> None:
    for text in ("", "# only words\n", "---\n"):
        assert read(text)[0].plain() is None


def test_everything_knows_its_line() -> None:
    root = read("a: 1\nb:\n  - x\n  - {c: 2,\n     d: 3}\n")[0]
    assert isinstance(root.value, dict)
    assert (root.line, root.value["b"].line, root.value["b"].node.line) == (1, 2, 3)
    items = root.value["b"].node.value
    assert isinstance(items, list)
    assert [one.line for one in items] == [3, 4]
    assert isinstance(items[1].value, dict)
    assert items[1].value["d"].line == 5
    assert items[1].value["d"].node.text == "3"


def test_a_key_is_said_once() -> None:
    assert faults("a: 1\nb:\n  c: 1\n  c: 2\n") == [(4, ("b",), "c is said twice")]
    assert read("a: 1\na: 2\n")[0].plain() == {"a": 1}


def test_dates_are_quoted() -> None:
    assert faults('a:\n  - "2026-01-01"\n  - 2026-01-02\n') == [(3, ("a", 1), "quote dates")]
    assert read("a: 2026-01-02\n")[0].plain() == {"a": "2026-01-02"}
    assert faults("2026-01-02: 1\n")[0][2] == "quote dates"


def test_a_key_that_is_no_text_is_quoted() -> None:
    assert faults("a: 1\nNO: 2\n7: 3\n") == [
        (2, (), "quote the key NO"),
        (3, (), "quote the key 7"),
    ]
    assert faults('"NO": 2\n"7": 3\n<<: 4\n') == []


def test_what_is_no_number_is_none() -> None:
    digits = "9" * 5000
    told = [(1, "a", ".nan"), (2, "b", "-.inf"), (3, "c", digits[:40]), (4, "d", "0b_")]
    assert faults(f"a: .nan\nb: -.inf\nc: {digits}\nd: 0b_\ne: 1e3\n") == [
        (line, (key,), f"{text} is no number") for line, key, text in told
    ]


def test_tags_are_not_read() -> None:
    for tag, shown in (("!!python/object:os.system", "!!python/object:os.system"), ("!x", "!x")):
        assert faults(f"a: {tag} 1\n") == [(1, ("a",), f"tags such as {shown} are not read")]
    assert faults("a: !!map {}\nb: !!seq []\nc: !!str 1\n") != []


def test_nothing_stands_for_something_else() -> None:
    why = "anchors and aliases (& and *) are not read"
    laughs = "a: &a [x]\nb: &b [*a, *a]\nc: [*b, *b]\n"
    assert unreadable(laughs) == (1, why)
    assert unreadable("a: 1\nb: *a\n") == (2, why)
    assert unreadable("a: 1\n? &k b\n: 1\n") == (2, why)


def test_depth_is_bounded() -> None:
    deepest = "[" * 50 + "]" * 50
    assert read(deepest)[0].plain() is not None
    assert unreadable("\n[" + deepest + "]") == (2, "nested more than 50 deep")
    assert unreadable("{a: " * 100_000) == (1, "nested more than 50 deep")


def test_size_is_bounded_in_bytes() -> None:
    within = "# " + "x" * (MAX_BYTES - 3) + "\n"
    assert read(within)[0].plain() is None
    assert unreadable(within + "\n") == (1, "the document is larger than 2 MiB")
    assert unreadable("# " + "é" * (MAX_BYTES // 2)) == (1, "the document is larger than 2 MiB")


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("a: 1\nb: \x07\n", 2, "the character U+0007 is not YAML"),
        ("a: 1\nb: \ud800\n", 2, "the character U+D800 is not YAML"),
        ("a: 1\n---\nb: 2\n", 2, "there is more than one document"),
        ("a: 1\n? [b]\n: c\n", 2, "a key is a word"),
        ("a: 1\n? {b: 1}\n: c\n", 2, "a key is a word"),
    ],
)
def test_what_is_no_document_has_no_tree(text: str, line: int, message: str) -> None:
    assert unreadable(text) == (line, message)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a: 1\nb: [1\n", 3), ("a: 1\nb: 'x\n", 3), ("a: 1\nb: c: d\n", 2), ("a: 1\nb: @x\n", 2)],
)
def test_what_is_no_yaml_says_where(text: str, line: int) -> None:
    found, message = unreadable(text)
    assert abs(found - line) <= 1  # where an unclosed bracket or quote is missed differs by parser
    assert message
