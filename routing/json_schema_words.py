"""Pieces of the JSON Schema: spellings, structs, actions and events. Patterns are understood alike by Python and ECMAScript."""

# ruff: noqa: SLF001 - the reader's own structs are the source

from typing import Any

from msgspec import inspect as types

from routing import react_text, reference
from routing.action_text import ACTIONS, SIBLINGS, Place
from routing.facts import EVENTS, NATURES, SINCE_EVENTS
from routing.json_schema_conditions import conditions
from routing.naming import RESERVED, STATUSES
from routing.people import WAYS
from routing.sla import PRIORITIES, TARGETS
from routing.yaml_text import Node

Schema = dict[str, Any]

NAME = "^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$"
LENGTH = "^([0-9]{1,6}[smhd])+$"
SPAN = "^(([0-9]{1,6}[smhd])+|[0-9]{1,4}\\s+working\\s+days?)$"
DATE = "^\\d{4}-\\d\\d-\\d\\d$"
LOCAL = "^\\d{4}-\\d\\d-\\d\\d[T ]\\d\\d:\\d\\d$"
ADDRESS = "^[^@\\s<>]{1,64}@[^@\\s<>]{1,255}$"
PHONE = "^\\+[1-9]\\d{5,14}$"
COUNTRY = "^[A-Z]{2,3}(-[^ -/][^-/]{0,30})?$"
FILE = "^[^/\\\\\\u0000-\\u001f.][^/\\\\\\u0000-\\u001f]{0,199}$"
_DAY = "(mon|tue|wed|thu|fri|sat|sun)"
_TIME = "([01]?\\d|2[0-3]):[0-5]\\d"
WEEKDAYS = f"^{_DAY}(-{_DAY})?$"
SLOT = "^\\s*([01]?\\d|2[0-4]):[0-5]\\d\\s*-\\s*([01]?\\d|2[0-4]):[0-5]\\d\\s*$"
HANDOVER = f"^({_DAY}\\s+)?{_TIME}$"
MOMENTS = f"^(\\s*{_DAY}(-{_DAY})?\\s*(,\\s*{_DAY}(-{_DAY})?\\s*)*\\s)?{_TIME}$"
AT = f"^(unacknowledged|({'|'.join(TARGETS)})\\s+(breach|[1-9]\\d?%|[+-]([0-9]{{1,6}}[smhd])+))$"
MOMENT = f"{LENGTH[:-1]}$|^\\d{{4}}-\\d\\d-\\d\\dT?"
OFFSET = f"^\\+{LENGTH[1:]}|^\\d{{4}}-\\d\\d-\\d\\dT\\d\\d"
_FILLED = "\\S"

CONDITION: Schema = {"$ref": "#/$defs/condition"}
LENGTH_SCHEMA: Schema = {"type": "string", "pattern": LENGTH, "description": "like 15m, 2h or 3d"}
RULE_ID: Schema = {
    "type": "string",
    "pattern": _FILLED,
    "maxLength": 64,
    "not": {"enum": ["default", "none", "any"]},
    "description": "a short name of its own",
}


def definitions() -> Schema:
    """What other places of the schema refer to."""
    return conditions()


def text(description: str) -> Schema:
    return {"type": "string", "description": description}


def one_or_list(item: Schema) -> Schema:
    return {"anyOf": [item, {"type": "array", "items": item, "minItems": 1}]}


def named(value: Schema) -> Schema:
    """A mapping of things by name."""
    names = {"pattern": NAME, "not": {"enum": list(RESERVED)}}
    return {"type": "object", "propertyNames": names, "additionalProperties": value}


# -- structs of the reader --------------------------------------------------------------------------------------------


def struct(cls: type, **nodes: Schema) -> Schema:
    """A struct that the reader converts to. nodes: key -> schema of what a reader of its own looks at."""
    found: Any = types.type_info(cls)
    properties = {
        field.encode_name: nodes.get(field.encode_name) or _typed(field.type) for field in found.fields
    }
    required = [field.encode_name for field in found.fields if field.required]
    made: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return {**made, "required": required} if required else made


def _typed(wanted: Any) -> Schema:
    """What typed.convert takes for a type; anything where a reader of its own looks."""
    if isinstance(wanted, types.StructType):
        return {} if wanted.cls is Node else struct(wanted.cls)
    if isinstance(wanted, types.UnionType):
        members = [_typed(member) for member in wanted.types]
        return {} if {} in members else {"anyOf": members}
    if isinstance(wanted, types.LiteralType):
        return {"enum": list(wanted.values)}
    if isinstance(wanted, types.DictType):
        return {"type": "object", "additionalProperties": _typed(wanted.value_type)}
    if isinstance(wanted, types.ListType | types.VarTupleType | types.SetType | types.FrozenSetType):
        return {"type": "array", "items": _typed(wanted.item_type)}
    return _scalar(wanted)


def _scalar(wanted: Any) -> Schema:
    names: dict[type, str] = {
        types.StrType: "string",
        types.IntType: "integer",
        types.FloatType: "number",
        types.BoolType: "boolean",
        types.NoneType: "null",
    }
    limits = {"ge": "minimum", "le": "maximum", "gt": "exclusiveMinimum", "lt": "exclusiveMaximum"}
    limits |= {"pattern": "pattern", "min_length": "minLength", "max_length": "maxLength"}
    if type(wanted) not in names:
        return {}
    found: Schema = {"type": names[type(wanted)]}
    for ours, theirs in limits.items():
        if getattr(wanted, ours, None) is not None:
            found[theirs] = getattr(wanted, ours)
    return found


# -- actions ----------------------------------------------------------------------------------------------------------

_name: Schema = {"type": "string"}
_word: Schema = {"type": "string", "pattern": NAME, "not": {"enum": list(RESERVED)}}
_tag: Schema = {"type": "string", "pattern": NAME, "not": {"enum": ["none", "any"]}}
_flag: Schema = {"type": "boolean"}
_moment: Schema = {"type": "string", "pattern": MOMENT}

VALUES: dict[str, Schema] = {
    "team": _name,
    "level": one_or_list(_name),
    "agent": _name,
    "skills": {
        "type": "object",
        "properties": {"need": one_or_list(_name), "relax": LENGTH_SCHEMA},
        "required": ["need"],
        "additionalProperties": False,
    },
    "priority": {"enum": list(PRIORITIES)},
    "status": {"enum": list(STATUSES)},
    "sla": _name,
    "tags": one_or_list(_tag),
    "untag": one_or_list(_tag),
    "nature": {"enum": list(NATURES)},
    "language": {"type": "string", "pattern": "^[a-z]{2,3}$"},
    "reply": {"anyOf": [_name, {"type": "object", "additionalProperties": _name, "minProperties": 1}]},
    "note": {"type": "string", "pattern": _FILLED},
    "notify": one_or_list(_name),
    "hand_off": {"anyOf": [_word, {"type": "string", "pattern": ADDRESS}]},
    "webhook": _word,
    "rating": _flag,
    "incident": _word,
    "promise": _moment,
    "snooze": _moment,
    "route": {"const": "again"},
    "reopen": _flag,
    "ignore": _flag,
    "spam": _flag,
    "block": _flag,
    "close": _flag,
}
"""How the value of each action is written."""


def actions(place: Place) -> Schema:
    """The actions of a `then`, of default or of a step, which adds keys of its own."""
    properties = {}
    for name, form in ACTIONS.items():
        if place in form.places:
            value = VALUES[name]
            may_be_none = {"anyOf": [{"const": "none"}, value]} if place in form.empty else value
            properties[name] = {**may_be_none, "description": reference.ACTIONS[name]}
    siblings = {
        "by": {"enum": [*WAYS, "urgent"]},
        "ack_within": LENGTH_SCHEMA,
        "once": LENGTH_SCHEMA,
    }
    for name in SIBLINGS:
        properties[name] = {**siblings[name], "description": reference.ACTIONS[name]}
    return {
        "type": "object",
        "properties": properties,
        "patternProperties": {
            "^field\\..+$": {
                "type": ["string", "number", "boolean"],
                "description": reference.ACTIONS["field.NAME"],
            }
        },
        "additionalProperties": False,
        "minProperties": 1,
        "dependentRequired": {sibling: [action] for sibling, action in SIBLINGS.items()},
    }


# -- react ------------------------------------------------------------------------------------------------------------


def react() -> Schema:
    """Rules for later events; what `quiet` and `clock` need stands beside nothing else."""
    events = {name: reference.EVENTS[name] for name in EVENTS}
    others = {"enum": [name for name in EVENTS if name not in ("quiet", "clock")]}
    rule = struct(
        react_text._ReactNode,
        **{
            "id": RULE_ID,
            "on": {
                "anyOf": [
                    {"oneOf": [{"const": name, "description": said} for name, said in events.items()]},
                    {"type": "array", "items": others, "minItems": 1},
                    {"enum": [["quiet"], ["clock"]]},
                ],
                "description": "what it waits for",
            },
            "for": {**LENGTH_SCHEMA, "description": "how long nothing has happened, with on: quiet"},
            "since": {"enum": list(SINCE_EVENTS), "description": "what it counts from, with on: quiet"},
            "at": {
                "type": "string",
                "pattern": MOMENTS,
                "description": 'like "mon-fri 08:00", with on: clock',
            },
            "in": text("a calendar: whose open time (on: quiet), or whose time zone (on: clock) counts"),
            "when": CONDITION,
            "then": actions("react"),
        },
    )
    rule["required"] = ["id", "on", "then"]
    rule["allOf"] = [
        _only_with("quiet", needs=["for", "since"], keys=["for", "since"]),
        _only_with("clock", needs=["at", "in"], keys=["at"]),
        {"if": {"not": {"anyOf": [_is_on("quiet"), _is_on("clock")]}}, "then": {"properties": {"in": False}}},
        _reopen_with_reply(),
    ]
    return {"type": "array", "items": rule}


def _is_on(event: str) -> Schema:
    return {"properties": {"on": {"enum": [event, [event]]}}, "required": ["on"]}


def _only_with(event: str, *, needs: list[str], keys: list[str]) -> Schema:
    return {
        "if": _is_on(event),
        "then": {"required": needs},
        "else": {"properties": dict.fromkeys(keys, False)},
    }


def _reopen_with_reply() -> Schema:
    replied = {
        "anyOf": [{"const": "customer_replied"}, {"type": "array", "contains": {"const": "customer_replied"}}]
    }
    return {
        "if": {"properties": {"then": {"type": "object", "required": ["reopen"]}}, "required": ["then"]},
        "then": {"properties": {"on": replied}},
    }
