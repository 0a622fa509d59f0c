"""How the values of actions are written: a function each. What they are then is told by rules.Write and actions.Action."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from routing import naming
from routing.durations import read_seconds
from routing.facts import NATURES
from routing.fields import FieldRule
from routing.naming import ADDRESS, STATUSES, Targets, check_name
from routing.problems import Problem, did_you_mean
from routing.targets import PRIORITIES
from routing.typed import convert, said
from routing.yaml_text import Node

_TRUTHS = {
    **dict.fromkeys(("true", "yes", "on", "y", "1"), "true"),
    **dict.fromkeys(("false", "no", "off", "n", "0"), "false"),
}


class Vocabulary(msgspec.Struct, frozen=True):
    """What actions may name. replies: names of templates, None = not checked.

    skills: words that some agent has, and "language".
    """

    targets: Targets
    policies: frozenset[str]
    replies: frozenset[str] | None = None
    fields: Mapping[str, FieldRule] = {}
    skills: frozenset[str] = frozenset()


# -- values: names --------------------------------------------------------------------------------------------------


def read_team(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, words.targets.teams, "team", problems)


def read_level(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if node.is_list and not node.value:
        problems.append(node.problem("wrong-type", "the list of levels is empty"))
    return naming.read_names(node, words.targets.levels, "level", problems)


def read_agent(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, words.targets.agents, "agent", problems)


def read_priority(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, PRIORITIES, "priority", problems)


def read_sla(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, words.policies, "SLA policy", problems)


def read_nature(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, NATURES, "nature", problems)


def read_status(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, STATUSES, "status", problems)


def read_language(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if (
        isinstance(node.value, str)
        and 2 <= len(node.value) <= 3
        and node.value.isascii()
        and node.value.islower()
    ):
        return node.value
    problems.append(node.problem("bad-value", f"no language {said(node)}", "write two letters like pl"))
    return None


def read_tags(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if node.is_list and not node.value:
        problems.append(node.problem("wrong-type", "the list of tags is empty"))
    return naming.read_tags(node, problems)


def read_notify(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if node.is_list and not node.value:
        problems.append(node.problem("wrong-type", "the list of recipients is empty"))
    return naming.read_notify(node, words.targets, problems)


def read_webhook(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, str) and "://" in node.value:
        hint = "name the account in intake.yaml that has this address: keys and retries belong there"
        problems.append(node.problem("bad-name", "a webhook is named, not written out", hint))
        return None
    return naming.read_word(node, "webhook", problems)


def read_hand_off(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, str) and ADDRESS.match(node.value):
        return node.value
    return naming.read_word(node, "desk to hand off to", problems)


def read_incident(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return naming.read_word(node, "incident", problems)


# -- values: texts, flags, times ------------------------------------------------------------------------------------


def read_note(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, str) and node.value.strip():
        return (node.value,)
    hint = node.slip_hint
    problems.append(node.problem("wrong-type", f"'note' wants text, got {said(node)}", hint))
    return None


def read_truth(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, bool):
        return node.value
    meant = _TRUTHS.get(node.text.casefold(), "")
    hint = f"write {meant}, without quotes" if meant else ""
    problems.append(node.problem("wrong-type", f"wanted true or false, got {said(node)}", hint))
    return None


def read_again(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
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


def read_skills(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
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


def read_reply(node: Node, words: Vocabulary, problems: list[Problem]) -> dict[str, str | None]:
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
        problems.append(node.problem("wrong-type", message, node.slip_hint))
        return None
    if words.replies is not None and node.value not in words.replies:
        hint = did_you_mean(node.value, words.replies) or "the reply is not sent"
        problems.append(node.warning("missing-reply", f"no reply template '{node.value}'", hint))
    return node.value
