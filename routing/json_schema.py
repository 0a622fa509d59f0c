"""The rule language as JSON Schema (draft 2020-12), for editors: made from the reader's own structs and tables.

It knows the structure: keys, types, words of the language. Whether a name exists, a pattern compiles or a calendar is
ever open only the reader can tell.
"""

# ruff: noqa: SLF001 - the reader's own structs are the source

from collections.abc import Callable

from routing import (
    calendar_text,
    conversation_text,
    field_text,
    holiday_text,
    json_schema_tests,
    people_text,
    policy_text,
    reference,
    rule_text,
    schedule_text,
)
from routing import json_schema_words as words
from routing.action_text import Place
from routing.json_schema_words import Schema, one_or_list, struct
from routing.people import WAYS
from routing.sections import NAMED, SECTIONS
from routing.sla import PRIORITIES, TARGETS

DRAFT = "https://json-schema.org/draft/2020-12/schema"


def schema() -> Schema:
    """The whole rulebook. One file of several may leave sections out, so that only `version` is never wrong to have."""
    properties = {name: {"description": reference.SECTIONS[name], **_section(name)} for name in SECTIONS}
    return {
        "$schema": DRAFT,
        "title": "Rules of intake",
        "type": "object",
        "properties": properties,
        "additionalProperties": False,
        "$defs": words.definitions(),
    }


def _section(name: str) -> Schema:
    if name in NAMED:
        return words.named(_NAMED_SECTIONS[name]())
    return _OTHER_SECTIONS[name]()


# -- people and time --------------------------------------------------------------------------------------------------


def _calendar() -> Schema:
    slot = {"type": "string", "pattern": words.SLOT}
    slots = {"anyOf": [{"const": "closed"}, slot, {"type": "array", "items": slot}]}
    week = {
        "type": "object",
        "patternProperties": {words.WEEKDAYS: slots},
        "additionalProperties": False,
        "minProperties": 1,
    }
    country = {"type": "string", "pattern": words.COUNTRY}
    file = struct(
        holiday_text.FileNode,
        file={
            "type": "string",
            "pattern": words.FILE,
            "description": "an iCalendar file beside this one, like company.ics",
        },
        free={"enum": ["open", "closed"], "description": "closed: events marked as free time close, too"},
    )
    holidays = {"anyOf": [country, file]}
    dates = {"type": "object", "patternProperties": {words.DATE: slots}, "additionalProperties": False}
    return struct(
        calendar_text._CalendarNode,
        timezone=words.text("a name like Europe/Warsaw or UTC"),
        open={**week, "description": 'like {mon-fri: ["08:00-12:00", "13:00-17:00"]}'},
        holidays={
            "anyOf": [country, file, {"type": "array", "items": holidays}],
            "description": "PL, DE-BY, {file: company.ics}, or a list of such",
        },
        dates={**dates, "description": "days of your own, stronger than hours and holidays"},
    )


def _agent() -> Schema:
    return struct(
        people_text._AgentNode,
        email={"type": "string", "pattern": words.ADDRESS},
        phone={"type": "string", "pattern": words.PHONE, "description": 'like "+48600000001", in quotes'},
        hours=words.text("a calendar; none = always on duty"),
        urgent={
            **one_or_list({"enum": list(WAYS)}),
            "description": "ways to reach them when it is urgent, in order",
        },
        deputy=words.text("who stands in while they are away"),
    )


def _team() -> Schema:
    on_call = struct(people_text._OnCallNode, schedule=words.text("a schedule"))
    members = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}, on_call]}
    capacity = {
        "type": "object",
        "additionalProperties": {"type": "integer", "minimum": 1, "maximum": people_text.MOST_TICKETS},
        "minProperties": 1,
        "description": "open tickets that one agent may hold, by medium",
    }
    returning = {
        "type": "string",
        "pattern": words.LENGTH,
        "description": "who comes back within it gets whoever answered them last, like 30d",
    }
    assign = struct(people_text._AssignNode, capacity=capacity, returning=returning)
    return struct(
        people_text._TeamNode,
        levels={**words.named(members), "minProperties": 1, "description": "from the front line up"},
        assign={"anyOf": [assign["properties"]["by"], assign], "description": "how one of a level is picked"},
    )


def _schedule() -> Schema:
    layer = struct(
        schedule_text._LayerNode,
        **{
            "from": {"type": "string", "pattern": words.DATE},
            "handover": {"type": "string", "pattern": words.HANDOVER, "description": 'like "mon 09:00"'},
            "agents": one_or_list({"type": "string"}),
            "days": one_or_list({"type": "string", "pattern": words.WEEKDAYS}),
        },
    )
    hours = {"type": "string", "pattern": words.LOCAL, "description": "in the schedule's own time"}
    override = struct(
        schedule_text._OverrideNode,
        **{"from": hours, "until": hours, "agent": words.text("who has the hours")},
    )
    return struct(
        schedule_text._ScheduleNode,
        timezone=words.text("a name like Europe/Warsaw or UTC"),
        layers={"type": "array", "items": layer, "minItems": 1},
        overrides={"type": "array", "items": override},
    )


# -- promises ---------------------------------------------------------------------------------------------------------


def _policy() -> Schema:
    span = {"type": "string", "pattern": words.SPAN}
    spans = {
        "anyOf": [
            span,
            {
                "type": "object",
                "properties": dict.fromkeys(PRIORITIES, span),
                "additionalProperties": False,
                "minProperties": 1,
            },
        ],
        "description": "like 4h or 3 working days, or one for each priority",
    }
    targets: dict[str, Schema] = dict.fromkeys(TARGETS, spans)
    targets["promise"] = {"const": True}
    found = struct(
        policy_text._PolicyNode,
        calendar=words.text("whose open time counts"),
        ladder=words.text("a ladder"),
        **targets,
    )
    return {**found, "anyOf": [{"required": [target]} for target in TARGETS]}


def _ladder() -> Schema:
    repeat = struct(
        policy_text._RepeatNode,
        every=words.LENGTH_SCHEMA,
        times={"type": "integer", "minimum": 1, "maximum": policy_text.ROUND_LIMIT},
    )
    step = words.actions("ladder")
    step["properties"] |= {
        "at": {
            "type": "string",
            "pattern": words.AT,
            "description": "first_response 80%, breach, +15m, -10m; or unacknowledged",
        },
        "repeat": {**repeat, "description": "every: open time; times: of all notices, the first included"},
    }
    at_least_one = {"not": {"propertyNames": {"enum": ["at", "repeat"]}}}
    return {"type": "array", "items": {**step, "required": ["at"], **at_least_one}, "minItems": 1}


# -- lists, fields, conversations -------------------------------------------------------------------------------------


def _list() -> Schema:
    file = {
        "type": "object",
        "properties": {"file": {"type": "string", "pattern": words.FILE}},
        "required": ["file"],
        "additionalProperties": False,
    }
    kept = {
        "type": "object",
        "properties": {"kept": {"const": "desk"}},
        "required": ["kept"],
        "additionalProperties": False,
    }
    return {"anyOf": [{"type": "array", "items": {"type": "string"}}, file, kept]}


def _field() -> Schema:
    choice = {"type": "string", "pattern": "\\S", "not": {"enum": ["none", "any"]}}
    found = struct(
        field_text._FieldNode,
        extract=words.text("a pattern whose first group is the value, in single quotes"),
        choices={"type": "array", "items": choice, "minItems": 1},
    )
    is_choice = {"properties": {"type": {"const": "choice"}}, "required": ["type"]}
    return {
        **found,
        "if": is_choice,
        "then": {"required": ["choices"]},
        "else": {"not": {"required": ["choices"]}},
    }


def _conversations() -> Schema:
    gathering = struct(
        conversation_text._GatheringNode,
        id=words.RULE_ID,
        when=words.CONDITION,
        key={"type": "string", "minLength": 1, "maxLength": conversation_text.MAX_KEY_CHARACTERS},
        within=words.LENGTH_SCHEMA,
    )
    gathering["required"] = ["id", "when", "key", "within"]
    medium = struct(conversation_text._MediumNode, reopen_within={"type": "string", "pattern": words.LENGTH})
    by = {"type": "array", "items": gathering, "description": "messages with the same key join one ticket"}
    return {"type": "object", "properties": {"by": by}, "additionalProperties": medium}


# -- rules ------------------------------------------------------------------------------------------------------------


def _rules(place: Place) -> Schema:
    rule = struct(rule_text._RuleNode, id=words.RULE_ID, when=words.CONDITION, then=words.actions(place))
    return {"type": "array", "items": {**rule, "required": ["id", "when", "then"]}}


_NAMED_SECTIONS: dict[str, Callable[[], Schema]] = {
    "calendars": _calendar,
    "agents": _agent,
    "schedules": _schedule,
    "teams": _team,
    "lists": _list,
    "fields": _field,
    "sla": _policy,
    "ladders": _ladder,
    "conditions": lambda: words.CONDITION,
}
_OTHER_SECTIONS: dict[str, Callable[[], Schema]] = {
    "version": lambda: {"const": 1},
    "conversations": _conversations,
    "enrich": lambda: _rules("enrich"),
    "route": lambda: _rules("route"),
    "default": lambda: {**words.actions("default"), "required": ["team"]},
    "react": words.react,
    "tests": json_schema_tests.tests,
}
