"""How actions are written: one grammar in enrich, route, default, react and the steps of a ladder.

What stands beside an action (`by`, `ack_within`, `once`) becomes an option of it. An action that makes no sense where
it stands is refused with the reason. How values are written stands in action_values.py.
"""

from collections.abc import Callable
from typing import Any, Literal

import msgspec

from routing import action_values
from routing.action_values import Vocabulary
from routing.durations import read_seconds
from routing.field_text import read_field_value
from routing.naming import check_name
from routing.people import WAYS
from routing.problems import Problem, did_you_mean
from routing.rules import Write
from routing.typed import said
from routing.yaml_text import Node

SIBLINGS = {"by": "notify", "ack_within": "notify", "once": "reply"}
"""What says more about the action it stands beside."""

Place = Literal["enrich", "route", "default", "react", "ladder"]
_PLACES: dict[Place, str] = {
    "enrich": "enrich",
    "route": "route",
    "default": "default",
    "react": "react",
    "ladder": "a step of a ladder",
}
_ALL = frozenset(_PLACES)
_NEW_MESSAGE = frozenset(("enrich", "route"))
_KNOWN_TICKET = frozenset(("react", "ladder"))

Reader = Callable[[Node, Vocabulary, list[Problem]], Any]


class Form(msgspec.Struct, frozen=True):
    """How one action is written. places: where it may stand; elsewhere: why not in the others.

    empty: places where `none` may stand for its value.
    """

    read: Reader
    places: frozenset[str] = _ALL
    elsewhere: str = ""
    empty: frozenset[str] = frozenset()


def read_writes(
    node: Node, place: Place, words: Vocabulary, problems: list[Problem], *, beside: tuple[str, ...] = ()
) -> tuple[Write, ...]:
    """The actions of a `then`, of default or of a step, in the order written. beside: keys that are read elsewhere."""
    if not isinstance(node.value, dict) or not node.value:
        problems.append(node.problem("wrong-type", f"wanted actions like {{team: NAME}}, got {said(node)}"))
        return ()
    options = _read_options(node, problems)
    writes = []
    for action, child in node.value.items():
        form = _form(action, words)
        if action in SIBLINGS or action in beside:
            continue
        if form is None:
            problems.append(_unknown(action, node.keys[action], words, beside))
        elif place not in form.places:
            message = f"'{action}' makes no sense in {_PLACES[place]}"
            problems.append(node.keys[action].problem("wrong-place", message, form.elsewhere))
        elif child.value == "none" and place in form.empty:
            writes.append(Write(action, None, options.get(action, {})))
        else:
            writes.append(Write(action, form.read(child, words, problems), options.get(action, {})))
    return tuple(writes)


def _form(action: str, words: Vocabulary) -> Form | None:
    if action.startswith("field."):
        name = action.removeprefix("field.")
        if name not in words.fields:
            return None
        rule = words.fields[name]
        return Form(lambda node, _, problems: read_field_value(node, rule, problems), empty=_ALL)
    return ACTIONS.get(action)


def _unknown(action: str, key: Node, words: Vocabulary, beside: tuple[str, ...]) -> Problem:
    if action.startswith("field."):
        name = action.removeprefix("field.")
        hint = did_you_mean(name, words.fields) or "name it in the section 'fields'"
        return key.problem("unknown-field", f"no field '{name}'", hint)
    hint = did_you_mean(action, (*ACTIONS, *SIBLINGS, *beside, *(f"field.{name}" for name in words.fields)))
    return key.problem("unknown-action", f"no action '{action}'", hint)


def _read_options(node: Node, problems: list[Problem]) -> dict[str, dict[str, Any]]:
    """Action -> what stands beside it."""
    found: dict[str, dict[str, Any]] = {}
    for sibling, action in SIBLINGS.items():
        if sibling not in node.value:
            continue
        child = node.value[sibling]
        if action not in node.value:
            message = f"'{sibling}' says more about '{action}', which is not here"
            problems.append(node.keys[sibling].problem("missing-key", message, f"add {action}: …"))
        value = _read_way(child, problems) if sibling == "by" else read_seconds(child, problems)
        if value is not None:
            found.setdefault(action, {})[sibling if sibling == "by" else f"{sibling}_s"] = value
    return found


def _read_way(node: Node, problems: list[Problem]) -> str | None:
    return check_name(node, (*WAYS, "urgent"), "way", problems)


_JUDGES_MESSAGE = "it judges a new message: write it in enrich or route"
_NEEDS_ANSWER = "nobody has answered a new ticket yet: write it in react or in a ladder"
_DEFAULT = frozenset(("default",))

ACTIONS: dict[str, Form] = {
    "team": Form(action_values.read_team),
    "level": Form(action_values.read_level, empty=_DEFAULT),
    "agent": Form(action_values.read_agent, empty=_ALL),
    "skills": Form(action_values.read_skills, empty=_ALL),
    "priority": Form(action_values.read_priority),
    "status": Form(action_values.read_status),
    "sla": Form(action_values.read_sla, empty=_ALL),
    "tags": Form(action_values.read_tags, empty=_DEFAULT),
    "untag": Form(action_values.read_tags, _ALL - _DEFAULT, "default only fills what no rule wrote"),
    "nature": Form(action_values.read_nature, empty=_ALL),
    "language": Form(action_values.read_language, empty=_ALL),
    "reply": Form(action_values.read_reply, empty=_ALL),
    "note": Form(action_values.read_note, empty=_DEFAULT),
    "notify": Form(action_values.read_notify, empty=_DEFAULT),
    "hand_off": Form(action_values.read_hand_off, empty=_DEFAULT),
    "webhook": Form(action_values.read_webhook, empty=_DEFAULT),
    "rating": Form(action_values.read_truth, _KNOWN_TICKET, _NEEDS_ANSWER),
    "incident": Form(action_values.read_incident, empty=_DEFAULT),
    "promise": Form(action_values.read_moment, empty=_DEFAULT),
    "snooze": Form(action_values.read_moment, empty=_DEFAULT),
    "route": Form(
        action_values.read_again,
        _KNOWN_TICKET,
        "a new ticket is routed anyway: write it in react or in a ladder",
    ),
    "reopen": Form(
        action_values.read_truth,
        frozenset(("react",)),
        "it says what a customer's reply does: write it in react",
    ),
    "ignore": Form(action_values.read_truth, _NEW_MESSAGE, _JUDGES_MESSAGE),
    "spam": Form(action_values.read_truth, _NEW_MESSAGE | {"react"}, _JUDGES_MESSAGE),
    "block": Form(action_values.read_truth, _NEW_MESSAGE | {"react"}, _JUDGES_MESSAGE),
    "close": Form(
        action_values.read_truth,
        _ALL - _DEFAULT,
        "every ticket would be closed at once: write a rule for some",
    ),
}
"""Every action, in the order in which documents show them; besides `field.NAME`."""
