"""How the desk's own fields are written: YAML nodes -> fields."""

import math
from typing import Any

import msgspec

from routing import regex
from routing.fields import FieldRule, FieldType, value_of
from routing.problems import Problem, did_you_mean
from routing.regex import Pattern
from routing.typed import convert, said
from routing.yaml_text import Node

_WANTED = {
    "text": ("text", "put it in quotes"),
    "number": ("a number", "like 12.5"),
    "date": ("a date", "write it like 2026-11-30"),
    "flag": ("true or false", ""),
    "choice": ("one of its choices", ""),
}


class _FieldNode(msgspec.Struct, frozen=True):
    type: FieldType = "text"
    extract: Node | None = None
    choices: Node | None = None


def read_field(name: str, node: Node, problems: list[Problem]) -> FieldRule | None:
    r"""`{type: text, extract: 'order ([A-Z]{2}\d{6})'}` or `{type: choice, choices: [small, large]}`."""
    before = len(problems)
    written = convert(node, _FieldNode, problems=problems, partial=True)
    if written is None:
        return None
    extract = _read_extract(written.extract, problems) if written.extract else None
    choices = _read_choices(written, node, problems)
    return FieldRule(name, written.type, extract, choices) if len(problems) == before else None


def _read_extract(node: Node, problems: list[Problem]) -> Pattern | None:
    if not isinstance(node.value, str):
        problems.append(node.problem("wrong-type", f"'extract' wants a pattern, got {said(node)}"))
        return None
    try:
        pattern = regex.compile_pattern(node.value)
    except regex.BadPattern as error:
        quote = 0 if node.plain else 1
        at = msgspec.structs.replace(node, column=node.column + quote + error.offset)
        problems.append(at.problem("bad-regex", str(error)))
        return None
    if pattern.compiled.groups < 1:
        hint = r"put ( ) around the value, like 'order (\d{6})'"
        problems.append(node.problem("bad-regex", "the pattern does not say which part is the value", hint))
    return pattern


def _read_choices(written: _FieldNode, node: Node, problems: list[Problem]) -> tuple[str, ...]:
    if written.type != "choice":
        if written.choices:
            message = f"'choices' belongs to type choice, this is type {written.type}"
            problems.append(node.keys["choices"].problem("bad-value", message, "write type: choice"))
        return ()
    if written.choices is None:
        problems.append(node.problem("missing-key", "'choices' is missing", "like choices: [small, large]"))
        return ()
    found: Any = convert(written.choices, tuple[str, ...], problems=problems)
    if found is not None and not all(each.strip() and each not in ("none", "any") for each in found):
        problems.append(written.choices.problem("bad-value", "a choice can't be empty, none or any"))
    if found == ():
        problems.append(written.choices.problem("wrong-type", "the list of choices is empty"))
    return tuple(dict.fromkeys(found or ()))


def read_field_value(node: Node, rule: FieldRule, problems: list[Problem]) -> str | None:
    """The value that an action gives a field, as text; a choice as declared."""
    text = _text_of(node, rule)
    if text is None:
        wanted, hint = _WANTED[rule.type]
        if rule.type == "choice":
            hint = did_you_mean(node.text, rule.choices)
        message = f"field '{rule.name}' is {wanted}, got {said(node)}"
        problems.append(node.problem("wrong-type", message, node.slip_hint or hint))
    return text


def _text_of(node: Node, rule: FieldRule) -> str | None:
    if isinstance(node.value, bool):
        return node.text.lower() if rule.type == "flag" else None
    if isinstance(node.value, int | float):
        return str(node.value) if rule.type == "number" and math.isfinite(node.value) else None
    if not isinstance(node.value, str) or not node.value.strip():
        return None
    value = value_of(rule, node.value)
    if value is None:
        return None
    return str(value) if rule.type == "choice" else node.value
