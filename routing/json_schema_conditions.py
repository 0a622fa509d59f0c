"""Conditions in the JSON Schema: made from the facts that the view knows and the operators that the reader knows."""

from typing import Any

from routing import reference
from routing.fact_table import FIELDS, MADE_ON_DEMAND, field_named
from routing.value_text import COMPARED
from routing.view import Field

Schema = dict[str, Any]

_TEXT = "^[^*]*$|^\\*\\.[^*]*$"
_PATH = "^[^*]*$|^\\*\\.[^*]*$|^[^*]*/\\*$"
_LENGTH = "([0-9]{1,6}[smhd])+"
_DATE = "\\d{4}-\\d\\d-\\d\\d"
_NUMBER = "-?\\d+(\\.\\d+)?"
_SIZE = "\\d+(\\.\\d+)?\\s*(kB|KB|MB|GB)"
_DAYS = "^(mon|tue|wed|thu|fri|sat|sun)(-(mon|tue|wed|thu|fri|sat|sun))?$"
_THIS: Schema = {"$ref": "#/$defs/condition"}
_LIST: Schema = {"type": "array", "items": _THIS, "minItems": 1}
_SINGLE: Schema = {"allOf": [_THIS, {"anyOf": [{"type": "string"}, {"type": "object", "maxProperties": 1}]}]}


def conditions() -> Schema:
    """The definitions: a condition, and words and values that many facts share."""
    any_of_it = {"anyOf": [_LIST, _SINGLE]}
    groups = {
        "all": {**_THIS, "description": "all of them hold"},
        "any": {**any_of_it, "description": "one of them holds"},
        "none": {**any_of_it, "description": "none of them holds"},
        "not": {**_SINGLE, "description": "it does not hold"},
    }
    properties = {**groups, "time": _time(), **_time_facts(), **_facts()}
    on_demand = {
        _pattern(group): _fact(group, _made(group)) for group in MADE_ON_DEMAND if group.endswith("NAME")
    }
    mapping = {
        "type": "object",
        "properties": properties,
        "patternProperties": on_demand,
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {
        "condition": {"anyOf": [{"type": "string", "description": "a named condition"}, mapping, _LIST]},
        "words": _one_or_list({"type": "string", "pattern": "^[^*]+\\*?$"}),
    }


def _one_or_list(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def _pattern(group: str) -> str:
    return "^" + group.removesuffix("NAME").replace(".", "\\.") + ".+$"


def _made(group: str) -> Field:
    field = field_named(group)
    assert field is not None  # noqa: S101 - every group of MADE_ON_DEMAND can be made
    return field


def _facts() -> Schema:
    fixed = {name: _made(name) for name in MADE_ON_DEMAND if not name.endswith("NAME")}
    found: Schema = {}
    for name, field in {**FIELDS, **fixed}.items():
        found[name] = _fact(name, field)
        if field.type == "prose":
            found[f"{name}.words"] = {**_words(), "description": reference.OPERATORS["words"]}
            found[f"{name}.regex"] = {"type": "string", "description": reference.OPERATORS["regex"]}
    return found


def _fact(name: str, field: Field) -> Schema:
    described = {"description": reference.FACTS[name]}
    if name == "ticket.field.NAME":  # its type stands in the section fields
        return described
    if field.type == "count":
        return {**_count(), **described}
    operators: Schema = {
        "type": "object",
        "properties": _operators(name, field),
        "additionalProperties": False,
        "minProperties": 1,
    }
    return {"anyOf": [_values(name, field), operators], **described}


# -- values -----------------------------------------------------------------------------------------------------------


def _values(name: str, field: Field) -> Schema:
    """`x`, `[x, y]`, `none`, `any`: what a fact may be."""
    nothing: Schema = {"enum": ["none", "any"]}
    flag: Schema = {"type": "boolean"}
    if field.type in COMPARED:
        item = {"anyOf": [_compared(name, field), {"const": "none"}]}
        return {"anyOf": [_one_or_list(item), nothing, {"enum": [["any"]]}]}
    if field.type == "flag":
        return {
            "anyOf": [
                flag,
                {"type": "array", "items": flag, "minItems": 1, "maxItems": 1},
                nothing,
                {"enum": [["none"], ["any"]]},
            ]
        }
    texts = _one_or_list(_text(name, field))
    if field.type == "kind":
        return {"anyOf": [flag, {"type": "array", "items": flag, "minItems": 1, "maxItems": 1}, texts]}
    return texts


def _text(name: str, field: Field) -> Schema:
    if field.choices:
        return {"enum": [*field.choices, "none", "any"]}
    has_paths = name.endswith(".type") or name == "chat.page"
    found: Schema = {"type": "string", "pattern": _PATH if has_paths else _TEXT}
    return found if field.type == "prose" else {**found, "not": {"pattern": "^[<>]=?\\s*."}}


def _compared(name: str, field: Field) -> Schema:
    if field.type == "length":
        return {"type": "string", "pattern": f"^[<>]=\\s*{_LENGTH}$"}
    if field.type == "instant":
        return {"type": "string", "pattern": f"^([<>]=\\s*)?{_DATE}$"}
    size = f"|{_SIZE}" if name.endswith(".size") else ""
    comparison = {"type": "string", "pattern": f"^[<>]=\\s*({_NUMBER}{size})$"}
    sizes = [{"type": "string", "pattern": f"^{_SIZE}$"}] if size else []
    return {"anyOf": [{"type": "number"}, comparison, *sizes]}


def _bound(name: str, field: Field) -> Schema:
    if field.type == "length":
        return {"type": "string", "pattern": f"^{_LENGTH}$"}
    if field.type == "instant":
        return {"type": "string", "pattern": f"^{_DATE}$"}
    if name.endswith(".size"):
        return {"anyOf": [{"type": "number"}, {"type": "string", "pattern": f"^{_SIZE}$"}]}
    return {"type": "number"}


# -- operators --------------------------------------------------------------------------------------------------------


def _operators(name: str, field: Field) -> Schema:
    values = _values(name, field)
    found: Schema = {"in": values, "none": values, "empty": {"type": "boolean"}}
    if field.type in ("text", "prose"):
        found["in"] = {"anyOf": [{"type": "string"}, values]}
    if field.type in COMPARED:
        bound = _bound(name, field)
        found |= {"at_least": bound, "at_most": bound}
        found["between"] = {"type": "array", "items": bound, "minItems": 2, "maxItems": 2}
    if field.type in ("text", "kind"):
        found["only"] = _only(name, field)
    if field.type == "prose":
        found |= {"only": _phrases(), "words": _words(), "regex": {"type": "string"}}
    if field.can_change:
        found["changed"] = _changed(values)
    return {word: {**schema, "description": reference.OPERATORS[word]} for word, schema in found.items()}


def _only(name: str, field: Field) -> Schema:
    """Texts; `none` and `any` alone say nothing of them."""
    alone: Schema = {"enum": ["none", "any", ["none"], ["any"]]}
    return {"allOf": [_one_or_list(_text(name, field)), {"not": alone}]}


def _changed(values: Schema) -> Schema:
    ends = {"from": values, "to": values}
    mapping = {"type": "object", "properties": ends, "additionalProperties": False, "minProperties": 1}
    return {"anyOf": [{"type": "boolean"}, mapping]}


def _phrases() -> Schema:
    return {"$ref": "#/$defs/words"}


def _words() -> Schema:
    only = {
        "type": "object",
        "properties": {"only": _phrases()},
        "required": ["only"],
        "additionalProperties": False,
    }
    return {"anyOf": [_phrases(), only]}


def _count() -> Schema:
    """How many: a number, a bound, or both bounds with `within`."""
    number: Schema = {"type": "number"}
    keys = {
        "within": {"type": "string", "pattern": f"^{_LENGTH}$"},
        "at_least": number,
        "at_most": number,
        "between": {"type": "array", "items": number, "minItems": 2, "maxItems": 2},
    }
    bounds = [
        {"required": ["between"], "not": {"anyOf": [{"required": ["at_least"]}, {"required": ["at_most"]}]}}
    ]
    bounds += [{"required": [each], "not": {"required": ["between"]}} for each in ("at_least", "at_most")]
    mapping = {"type": "object", "properties": keys, "additionalProperties": False, "anyOf": bounds}
    return {"anyOf": [number, {"type": "string", "pattern": f"^[<>]=\\s*{_NUMBER}$"}, mapping]}


# -- time -------------------------------------------------------------------------------------------------------------


def _time_facts() -> Schema:
    return {
        name: {**_time_value(name.removeprefix("time.")), "description": said}
        for name, said in reference.TIME.items()
    }


def _time() -> Schema:
    keys = {name.removeprefix("time."): schema for name, schema in _time_facts().items()}
    needs = [{"required": [key]} for key in keys]
    zone = {"type": "string", "description": "the calendar whose wall clock counts"}
    return {
        "type": "object",
        "properties": {**keys, "in": zone},
        "additionalProperties": False,
        "anyOf": needs,
        "description": "when the message came: {outside: office}, {weekday: mon-fri, hour: {at_least: 18}}",
    }


def _time_value(key: str) -> Schema:
    if key in ("inside", "outside"):
        return {"type": "string"}
    if key == "weekday":
        return _one_or_list({"type": "string", "pattern": _DAYS})
    bound: Schema = {"type": "string", "pattern": f"^{_DATE}$"}
    single: Schema = {"type": "string", "pattern": f"^([<>]=\\s*)?{_DATE}$"}
    if key == "hour":
        bound = {"type": "number", "minimum": 0, "maximum": 23}
        single = {"anyOf": [bound, {"type": "string", "pattern": "^[<>]=\\s*([01]?\\d|2[0-3])$"}]}
    between = {"type": "array", "items": bound, "minItems": 2, "maxItems": 2}
    one = {
        "type": "object",
        "properties": {"between": between},
        "required": ["between"],
        "additionalProperties": False,
    }
    two = {
        "type": "object",
        "properties": {"at_least": bound, "at_most": bound},
        "minProperties": 1,
        "additionalProperties": False,
    }
    return _one_or_list({"anyOf": [single, one, two]})
