"""Nodes become frozen structs, and every problem is told at its place."""

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from routing.problems import Problem
from routing.typed import convert
from routing.yaml_text import Node, read

Port = Annotated[int, Meta(ge=1, le=65535)]


class Listener(msgspec.Struct, frozen=True, rename={"from_": "from"}):
    host: str
    port: Port = 25
    kind: Literal["smtp", "lmtp"] = "smtp"
    from_: tuple[str, ...] = ()
    limit_s: float = 1.0
    rest: Node | None = None
    either: str | tuple[str, ...] = ""
    names: dict[str, int] = {}


def converted(text: str) -> tuple[Listener | None, list[Problem]]:
    problems: list[Problem] = []
    return convert(read(text, file="intake.yaml"), Listener, problems=problems), problems


def test_a_mapping_becomes_a_struct() -> None:
    value, problems = converted("{host: a, port: 2525, from: [x, y], limit_s: 3, either: [p], names: {a: 1}}")
    assert problems == []
    assert value == Listener("a", 2525, "smtp", ("x", "y"), 3.0, None, ("p",), {"a": 1})


def test_every_problem_is_told_with_its_place() -> None:
    value, problems = converted(
        "{prt: 1, port: 99999,\n kind: smpt, from: [1], limit_s: x,\n names: {a: b}, either: {}}"
    )
    assert value is None
    assert [
        (each.line, each.column, each.code) for each in sorted(problems, key=lambda p: (p.line, p.column))
    ] == [
        (1, 1, "missing-key"),
        (1, 2, "unknown-key"),
        (1, 16, "wrong-type"),
        (2, 8, "bad-value"),
        (2, 21, "wrong-type"),
        (2, 34, "wrong-type"),
        (3, 13, "wrong-type"),
        (3, 25, "wrong-type"),
    ]


def test_problems_are_in_plain_words() -> None:
    _, problems = converted("{host: 5, port: true, kind: smpt, prt: 1}")
    assert [f"{each.message} — {each.hint}" for each in problems] == [
        "wanted text, got the number 5 — put it in quotes",
        "wanted a whole number at least 1 and at most 65535, got true — ",
        "'smpt' is not one of lmtp, smtp — did you mean 'smtp'?",
        "no key 'prt' here — did you mean 'port'?",
    ]


def test_a_node_field_takes_whatever_stands_there() -> None:
    value, _ = converted("{host: a, rest: [1, {b: 2}]}")
    assert value is not None
    assert value.rest is not None
    assert value.rest.plain_value() == [1, {"b": 2}]


def test_a_partial_value_is_made_beside_unknown_keys() -> None:
    problems: list[Problem] = []
    value = convert(read("{host: a, nope: 1}", file="x"), Listener, problems=problems, partial=True)
    assert value == Listener("a")
    assert [each.code for each in problems] == ["unknown-key"]
