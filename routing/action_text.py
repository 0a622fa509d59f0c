"""How actions are written: one grammar in enrich, route, default, react and the steps of a ladder.

What stands beside an action (`by`, `ack_within`, `once`) becomes an option of it. An action that makes no sense where
it stands is refused with the reason. What the values are is told by rules.Write and actions.Action.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Literal

import msgspec

from routing import naming
from routing.durations import read_seconds
from routing.field_text import read_field_value
from routing.fields import FieldRule
from routing.naming import ADDRESS, STATUSES, Targets, check_name
from routing.people import WAYS
from routing.problems import Problem, did_you_mean
from routing.rules import Write
from routing.sla import PRIORITIES
from routing.typed import convert, said
from routing.yaml_text import Node, slip_hint

NATURES = ("question", "complaint", "technical", "sales", "feedback", "other")
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


class Vocabulary(msgspec.Struct, frozen=True):
    """What actions may name. replies: names of templates, None = not checked.

    skills: words that some agent has, and "language".
    """

    targets: Targets
    policies: frozenset[str]
    replies: frozenset[str] | None = None
    fields: Mapping[str, FieldRule] = {}
    skills: frozenset[str] = frozenset()


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


# -- values: names --------------------------------------------------------------------------------------------------


def _read_team(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, words.targets.teams, "team", problems)


def _read_level(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if node.is_list and not node.value:
        problems.append(node.problem("wrong-type", "the list of levels is empty"))
    return naming.read_names(node, words.targets.levels, "level", problems)


def _read_agent(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, words.targets.agents, "agent", problems)


def _read_priority(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, PRIORITIES, "priority", problems)


def _read_sla(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, words.policies, "SLA policy", problems)


def _read_nature(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, NATURES, "nature", problems)


def _read_status(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, STATUSES, "status", problems)


def _read_language(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if (
        isinstance(node.value, str)
        and 2 <= len(node.value) <= 3
        and node.value.isascii()
        and node.value.islower()
    ):
        return node.value
    problems.append(node.problem("bad-value", f"no language {said(node)}", "write two letters like pl"))
    return None


def _read_tags(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if node.is_list and not node.value:
        problems.append(node.problem("wrong-type", "the list of tags is empty"))
    return naming.read_tags(node, problems)


def _read_notify(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if node.is_list and not node.value:
        problems.append(node.problem("wrong-type", "the list of recipients is empty"))
    return naming.read_notify(node, words.targets, problems)


def _read_webhook(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, str) and "://" in node.value:
        hint = "name the account in intake.yaml that has this address: keys and retries belong there"
        problems.append(node.problem("bad-name", "a webhook is named, not written out", hint))
        return None
    return naming.read_word(node, "webhook", problems)


def _read_hand_off(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, str) and ADDRESS.match(node.value):
        return node.value
    return naming.read_word(node, "desk to hand off to", problems)


def _read_incident(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return naming.read_word(node, "incident", problems)


# -- values: texts, flags, times ------------------------------------------------------------------------------------


def _read_note(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, str) and node.value.strip():
        return (node.value,)
    hint = slip_hint(node)
    problems.append(node.problem("wrong-type", f"'note' wants text, got {said(node)}", hint))
    return None


def _read_truth(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, bool):
        return node.value
    problems.append(node.problem("wrong-type", f"wanted true or false, got {said(node)}"))
    return None


def _read_again(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if node.value == "again":
        return "again"
    problems.append(node.problem("bad-value", f"'route' can't be {said(node)}", "write route: again"))
    return None


def read_moment(node: Node, words: Vocabulary | None, problems: list[Problem]) -> Any:
    """`2d` from now on the wall clock, or an instant."""
    try:
        at = datetime.fromisoformat(node.value) if isinstance(node.value, str) else None
    except ValueError:
        at = None
    if at is not None and at.tzinfo is not None:
        return at.isoformat()
    seconds = read_seconds(node, problems, hint="write it like 2d, 4h or 2026-11-30T15:00+01:00")
    return None if seconds is None else {"seconds": seconds}


class _SkillsNode(msgspec.Struct, frozen=True):
    need: Node
    relax: Node | None = None


def _read_skills(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    """`{need: [language, invoices], relax: 30m}`."""
    written = convert(
        node, _SkillsNode, problems=problems, partial=True, hints={"need": "like need: [language]"}
    )
    if written is None:
        return None
    if written.need.is_list and not written.need.value:
        problems.append(written.need.problem("wrong-type", "the list of skills is empty"))
    need = naming.read_names(written.need, words.skills, "skill", problems)
    relax_s = read_seconds(written.relax, problems) if written.relax else None
    return {"need": list(need), "relax_s": relax_s}


def _read_reply(node: Node, words: Vocabulary, problems: list[Problem]) -> dict[str, str | None]:
    """Medium -> template; "" = every medium; None = no reply."""
    if not isinstance(node.value, dict):
        return {"": _read_template(node, words, problems)}
    if not node.value:
        problems.append(node.problem("wrong-type", "'reply' has an empty mapping", "like {email: received}"))
    for key in node.keys.values():
        naming.check_medium(key, problems)
    return {medium: _read_template(child, words, problems) for medium, child in node.value.items()}


def _read_template(node: Node, words: Vocabulary, problems: list[Problem]) -> str | None:
    if node.value == "none":
        return None
    if not isinstance(node.value, str):
        message = f"wanted the name of a reply template, got {said(node)}"
        problems.append(node.problem("wrong-type", message, slip_hint(node)))
        return None
    if words.replies is not None and node.value not in words.replies:
        hint = did_you_mean(node.value, words.replies) or "the reply is not sent"
        problems.append(node.warning("missing-reply", f"no reply template '{node.value}'", hint))
    return node.value


_JUDGES_MESSAGE = "it judges a new message: write it in enrich or route"
_NEEDS_ANSWER = "nobody has answered a new ticket yet: write it in react or in a ladder"
_DEFAULT = frozenset(("default",))

ACTIONS: dict[str, Form] = {
    "team": Form(_read_team),
    "level": Form(_read_level, empty=_DEFAULT),
    "agent": Form(_read_agent, empty=_ALL),
    "skills": Form(_read_skills, empty=_ALL),
    "priority": Form(_read_priority),
    "status": Form(_read_status),
    "sla": Form(_read_sla, empty=_ALL),
    "tags": Form(_read_tags, empty=_DEFAULT),
    "untag": Form(_read_tags, _ALL - _DEFAULT, "default only fills what no rule wrote"),
    "nature": Form(_read_nature, empty=_ALL),
    "language": Form(_read_language, empty=_ALL),
    "reply": Form(_read_reply, empty=_ALL),
    "note": Form(_read_note, empty=_DEFAULT),
    "notify": Form(_read_notify, empty=_DEFAULT),
    "hand_off": Form(_read_hand_off, empty=_DEFAULT),
    "webhook": Form(_read_webhook, empty=_DEFAULT),
    "rating": Form(_read_truth, _KNOWN_TICKET, _NEEDS_ANSWER),
    "incident": Form(_read_incident, empty=_DEFAULT),
    "promise": Form(read_moment, empty=_DEFAULT),
    "snooze": Form(read_moment, empty=_DEFAULT),
    "route": Form(
        _read_again, _KNOWN_TICKET, "a new ticket is routed anyway: write it in react or in a ladder"
    ),
    "reopen": Form(
        _read_truth, frozenset(("react",)), "it says what a customer's reply does: write it in react"
    ),
    "ignore": Form(_read_truth, _NEW_MESSAGE, _JUDGES_MESSAGE),
    "spam": Form(_read_truth, _NEW_MESSAGE | {"react"}, _JUDGES_MESSAGE),
    "block": Form(_read_truth, _NEW_MESSAGE | {"react"}, _JUDGES_MESSAGE),
    "close": Form(
        _read_truth, _ALL - _DEFAULT, "every ticket would be closed at once: write a rule for some"
    ),
}
"""Every action, in the order in which documents show them; besides `field.NAME`."""
