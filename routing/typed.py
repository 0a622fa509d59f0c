"""A node of YAML -> a frozen struct, with every problem at its place and in plain words.

The types are msgspec structs; what a field is called in YAML is its encoded name. A field of type `Node` takes
whatever stands there, for a reader of its own.
"""

import functools
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import inspect as types

from routing.problems import Problem, Problems, did_you_mean
from routing.yaml_text import Node

_FAILED: Any = object()  # None is a value, so a failure needs its own mark

_WANTED: dict[type, str] = {
    types.StrType: "text",
    types.IntType: "a whole number",
    types.FloatType: "a number",
    types.BoolType: "true or false",
    types.NoneType: "nothing",
    types.ListType: "a list",
    types.VarTupleType: "a list",
    types.TupleType: "a list",
    types.SetType: "a list",
    types.FrozenSetType: "a list",
    types.DictType: "a mapping",
}


def convert(
    node: Node,
    type_: Any,
    *,
    problems: list[Problem],
    partial: bool = False,
    hints: Mapping[str, str] | None = None,
) -> Any:
    """The node's value as the type; None when there is a problem, all of which are appended to problems.

    partial: unknown keys are told, but the value is still made of the known ones, so that these can be looked into.
    hints: key of a struct -> what to do when it is missing.
    """
    found = Problems()
    value = _convert(node, _type_of(type_), found)
    problems.extend(_hinted(each, hints) if hints else each for each in found)
    return None if value is _FAILED or (found and not partial) else value


def _hinted(problem: Problem, hints: Mapping[str, str]) -> Problem:
    hint = hints.get(problem.message.split("'")[1]) if problem.code == "missing-key" else None
    return msgspec.structs.replace(problem, hint=hint) if hint else problem


@functools.cache
def _type_of(type_: Any) -> types.Type:
    return types.type_info(type_)


def _convert(node: Node, wanted: types.Type, problems: list[Problem]) -> Any:
    if isinstance(wanted, types.Metadata):
        return _convert(node, wanted.type, problems)
    if isinstance(wanted, types.AnyType):
        return node.plain_value()
    if isinstance(wanted, types.StructType):
        return node if _is_node(wanted) else _struct(node, wanted, problems)
    if isinstance(wanted, types.UnionType):
        return _union(node, wanted, problems)
    if isinstance(wanted, types.DictType):
        return _dict(node, wanted, problems)
    if isinstance(wanted, types.ListType | types.VarTupleType | types.SetType | types.FrozenSetType):
        return _list(node, wanted, problems)
    return _scalar(node, wanted, problems)


def _is_node(wanted: types.Type) -> bool:
    return isinstance(wanted, types.StructType) and wanted.cls is Node


def _struct(node: Node, wanted: types.StructType, problems: list[Problem]) -> Any:
    if not isinstance(node.value, dict):
        return _refuse(node, "a mapping with " + ", ".join(f.encode_name for f in wanted.fields), problems)
    known = {field.encode_name: field for field in wanted.fields}
    values: dict[str, Any] = {}
    for name, child in node.value.items():
        if name in known:
            values[known[name].name] = _convert(child, known[name].type, problems)
        else:
            hint = did_you_mean(name, known)
            problems.append(node.keys[name].problem("unknown-key", f"no key '{name}' here", hint))
    for name, field in known.items():
        if field.required and name not in node.value:
            hint = "" if _is_node(field.type) else f"wanted: {describe(field.type)}"
            problems.append(node.problem("missing-key", f"'{name}' is missing", hint))
            values[field.name] = _FAILED
    if any(value is _FAILED for value in values.values()):
        return _FAILED
    return _build(node, wanted.cls, values, problems)


def _build(node: Node, cls: type, values: dict[str, Any], problems: list[Problem]) -> Any:
    try:
        return cls(**values)
    except (ValueError, TypeError) as error:  # a struct's own __post_init__ says what does not fit together
        problems.append(node.problem("bad-value", str(error)))
        return _FAILED


def _union(node: Node, wanted: types.UnionType, problems: list[Problem]) -> Any:
    """The first member that takes the value; when none does, the problems of the only one of its shape."""
    if any(_is_node(member) for member in wanted.types):
        return node
    for member in wanted.types:
        if _has_shape(node, member):
            tried: list[Problem] = []
            value = _convert(node, member, tried)
            if not tried:
                return value
    shaped = [member for member in wanted.types if _has_shape(node, member)]
    if len(shaped) == 1:
        return _convert(node, shaped[0], problems)
    return _refuse(node, describe(wanted), problems)


def _has_shape(node: Node, wanted: types.Type) -> bool:
    if isinstance(wanted, types.AnyType) or _is_node(wanted):
        return True
    if isinstance(wanted, types.StructType | types.DictType):
        return node.is_mapping
    if isinstance(wanted, types.ListType | types.VarTupleType | types.SetType | types.FrozenSetType):
        return node.is_list
    if isinstance(wanted, types.NoneType):
        return node.value is None
    return node.is_scalar and node.value is not None


def _dict(node: Node, wanted: types.DictType, problems: list[Problem]) -> Any:
    if not isinstance(node.value, dict):
        return _refuse(node, "a mapping", problems)
    values = {
        _convert(node.keys[name], wanted.key_type, problems): _convert(child, wanted.value_type, problems)
        for name, child in node.value.items()
    }
    return _FAILED if _FAILED in values or any(value is _FAILED for value in values.values()) else values


def _list(node: Node, wanted: Any, problems: list[Problem]) -> Any:
    if not isinstance(node.value, tuple):
        return _refuse(node, describe(wanted), problems)
    values = [_convert(child, wanted.item_type, problems) for child in node.value]
    if any(value is _FAILED for value in values):
        return _FAILED
    if isinstance(wanted, types.VarTupleType):
        return tuple(values)
    if isinstance(wanted, types.SetType):
        return set(values)
    return frozenset(values) if isinstance(wanted, types.FrozenSetType) else values


def _scalar(node: Node, wanted: types.Type, problems: list[Problem]) -> Any:
    value = node.value
    if isinstance(wanted, types.LiteralType):
        return value if value in wanted.values else _refuse_literal(node, wanted, problems)
    if isinstance(wanted, types.FloatType) and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    fits = {types.StrType: str, types.IntType: int, types.FloatType: float, types.BoolType: bool}
    python_type = fits.get(type(wanted), type(None))
    if not isinstance(value, python_type):
        return _refuse(node, describe(wanted), problems)
    return value if _is_within(value, wanted) else _refuse(node, describe(wanted), problems)


def _is_within(value: Any, wanted: Any) -> bool:
    """Whether msgspec's own constraints (ge, le, pattern, lengths, …) hold."""
    try:
        msgspec.convert(value, _constrained(wanted))
    except msgspec.ValidationError:
        return False
    return True


def _constrained(wanted: Any) -> Any:
    python_types: dict[Any, type] = {types.StrType: str, types.IntType: int, types.FloatType: float}
    python_type = python_types.get(type(wanted))
    if python_type is None:
        return Any
    limits = {
        name: getattr(wanted, name) for name in wanted.__struct_fields__ if getattr(wanted, name) is not None
    }
    return _annotated(python_type, tuple(limits.items())) if limits else python_type


@functools.cache
def _annotated(python_type: type, limits: tuple[tuple[str, Any], ...]) -> Any:
    return Annotated[python_type, msgspec.Meta(**dict(limits))]


def describe(wanted: types.Type) -> str:
    """What a type wants, in words for an admin: "text", "a list of text", "one of email, sms"."""
    if isinstance(wanted, types.LiteralType):
        return "one of " + ", ".join(str(value) for value in wanted.values)
    if isinstance(wanted, types.UnionType):
        return " or ".join(
            describe(member) for member in wanted.types if not isinstance(member, types.NoneType)
        )
    if isinstance(wanted, types.StructType):
        return "a mapping with " + ", ".join(field.encode_name for field in wanted.fields)
    if isinstance(wanted, types.ListType | types.VarTupleType):
        return "a list of " + describe(wanted.item_type).removeprefix("a ")
    return _WANTED.get(type(wanted), "a value") + _limits(wanted)


def _limits(wanted: Any) -> str:
    words = {
        "ge": "at least",
        "le": "at most",
        "gt": "more than",
        "lt": "less than",
        "pattern": "of the form",
    }
    said = [
        f"{word} {getattr(wanted, name)}"
        for name, word in words.items()
        if getattr(wanted, name, None) is not None
    ]
    if getattr(wanted, "min_length", None):
        said.append("not empty")
    return (" " + " and ".join(said)) if said else ""


def _refuse(node: Node, wanted: str, problems: list[Problem]) -> Any:
    hint = node.slip_hint if wanted.startswith("text") else ""
    if not hint and wanted.startswith("text") and node.is_scalar and node.value is not None:
        hint = "put it in quotes"
    problems.append(node.problem("wrong-type", f"wanted {wanted}, got {said(node)}", hint))
    return _FAILED


def _refuse_literal(node: Node, wanted: types.LiteralType, problems: list[Problem]) -> Any:
    if not node.is_scalar:
        return _refuse(node, describe(wanted), problems)
    options = [str(value) for value in wanted.values]
    message = f"'{node.text}' is not one of {', '.join(options)}"
    hint = did_you_mean(node.text, options)
    problems.append(node.problem("bad-value", message, hint if hint.startswith("did") else ""))
    return _FAILED


def said(node: Node) -> str:
    """What stands at the node, in words: "the number 3", "a list", "nothing"."""
    if node.is_mapping:
        return "a mapping"
    if node.is_list:
        return "a list"
    if node.value is None:
        return "nothing"
    if isinstance(node.value, bool):
        return f"{node.text}"
    return f"the number {node.text}" if not isinstance(node.value, str) else f"'{node.text[:60]}'"
