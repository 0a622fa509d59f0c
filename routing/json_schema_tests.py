"""The admin's own tests in the JSON Schema: messages, what is given, steps, and what may be expected."""

# ruff: noqa: SLF001 - the reader's own structs are the source

from routing import case_text, customer_text, message_text, situation_text, step_text
from routing.facts import EVENTS
from routing.json_schema_words import OFFSET, Schema, one_or_list, struct, text
from routing.naming import STATUSES
from routing.sla import PRIORITIES

_SENDER: Schema = {"from": one_or_list({"type": "string"}), "to": one_or_list({"type": "string"})}
_INSTANT: Schema = {"type": "string", "description": "with its zone: 2026-11-10T17:30+01:00"}


def tests() -> Schema:
    """A list of tests."""
    expectations = _expectations()
    return {
        "type": "array",
        "items": struct(
            case_text._CaseNode,
            message=_message(),
            at=_INSTANT,
            because=text("how what is expected was worked out"),
            given=_given(),
            expect={**expectations, "description": "what becomes of it; partial unless exactly: true"},
            never={**expectations, "description": "what must not be"},
            timeline={**_timeline(), "description": 'like {"+15m": notify lead}'},
            steps={"type": "array", "items": _step(expectations), "description": "what happens later"},
        ),
    }


def _message() -> Schema:
    return struct(message_text.FirstMessageNode, **_SENDER, cc=one_or_list({"type": "string"}))


def _given() -> Schema:
    customer = struct(customer_text.CustomerNode)
    return {
        **struct(situation_text._GivenNode, customer=customer),
        "description": "who is away, load, the customer",
    }


def _step(expectations: Schema) -> Schema:
    return struct(
        step_text.StepNode,
        **_SENDER,
        cc=one_or_list({"type": "string"}),
        at={
            "type": "string",
            "pattern": OFFSET,
            "description": "since the message, like +3d1h, or an instant like 2026-11-10T17:30+01:00",
        },
        event={"enum": list(EVENTS)},
        status={"enum": list(STATUSES)},
        priority={"enum": list(PRIORITIES)},
        team=text("where it goes"),
        expect=expectations,
        never=expectations,
    )


def _expectations() -> Schema:
    """Which fields may be asked for; what they may be is the reader's to tell."""
    return {
        "type": "object",
        "properties": {name: {} for name in case_text.EXPECTABLE},
        "patternProperties": {"^field\\..+$": {}},
        "additionalProperties": False,
    }


def _timeline() -> Schema:
    happenings = one_or_list({"type": "string"})
    return {
        "type": "object",
        "patternProperties": {OFFSET: happenings},
        "additionalProperties": False,
    }
