"""How rules and their actions are written: YAML nodes -> rules."""

from collections.abc import Callable, Collection
from typing import Any

import msgspec

from routing import naming
from routing.condition_text import read_condition
from routing.conditions import ALWAYS
from routing.naming import STATUSES, Targets, check_name
from routing.problems import Problem, did_you_mean, has_error
from routing.rules import Rule, Stage, Write
from routing.sla import PRIORITIES
from routing.typed import convert, said
from routing.value_text import Names
from routing.yaml_text import Node

NATURES = ("question", "complaint", "technical", "sales", "feedback", "other")
_MISSING = {
    "id": "a rule has a short name of its own",
    "when": "what is for every message belongs to default",
    "then": "like then: {team: NAME}",
}
LATER_ACTIONS = (
    "skills", "hand_off", "webhook", "rating", "incident", "promise", "snooze", "route", "reopen", "block", "close",
    "once", "by",
)  # fmt: skip


class Vocabulary(msgspec.Struct, frozen=True):
    """What actions may name. replies: names of templates, None = not checked."""

    targets: Targets
    policies: frozenset[str]
    replies: frozenset[str] | None


class _RuleNode(msgspec.Struct, frozen=True):
    id: Node | None = None
    when: Node | None = None
    then: Node | None = None


def read_rules(
    nodes: Collection[Node], stage: Stage, words: Vocabulary, names: Names, seen: dict[str, Node]
) -> tuple[Rule, ...]:
    """The rules of a stage, in file order. seen: ids of the rules before, extended."""
    rules: list[Rule] = []
    for node in nodes:
        if not node.is_list:
            names.problems.append(
                node.problem("wrong-type", f"'{stage}' is a list of rules, got {said(node)}")
            )
            continue
        rules.extend(rule for each in node.value if (rule := _read_rule(each, stage, words, names, seen)))
    return tuple(rules)


def _read_rule(
    node: Node, stage: Stage, words: Vocabulary, names: Names, seen: dict[str, Node]
) -> Rule | None:
    problems = names.problems
    before = len(problems)
    written = convert(node, _RuleNode, problems=problems, partial=True)
    if written is None:
        return None
    for key in ("id", "when", "then"):
        if getattr(written, key) is None:
            problems.append(node.problem("missing-key", f"'{key}' is missing", _MISSING[key]))
    identity = _read_id(written.id, seen, problems) if written.id else None
    when = read_condition(written.when, names) if written.when else ALWAYS
    then = read_writes(written.then, words, problems, may_empty=False) if written.then else ()
    if has_error(problems[before:]) or identity is None:
        return None
    return Rule(identity, stage, when, then, node.file, node.line, node.column)


def _read_id(node: Node, seen: dict[str, Node], problems: list[Problem]) -> str | None:
    name = node.value
    if not isinstance(name, str) or name in ("default", "none", "any") or not name.strip() or len(name) > 64:
        problems.append(
            node.problem("bad-name", f"{said(node)} can't be the id of a rule", "write a short word")
        )
        return None
    if name in seen:
        first = seen[name]
        hint = f"the first is in {first.file}:{first.line}"
        problems.append(node.problem("duplicate-name", f"two rules have the id '{name}'", hint))
        return None
    seen[name] = node
    return name


def read_default(node: Node, words: Vocabulary, problems: list[Problem]) -> Rule | None:
    """The compulsory last word. It names a team; `none` leaves a field empty on purpose."""
    before = len(problems)
    then = read_writes(node, words, problems, may_empty=True)
    if node.is_mapping and "team" not in node.value:
        problems.append(
            node.problem("missing-key", "'team' is missing", "default says where a ticket goes at worst")
        )
    if has_error(problems[before:]):
        return None
    return Rule("default", "default", ALWAYS, then, node.file, node.line, node.column)


def read_writes(
    node: Node, words: Vocabulary, problems: list[Problem], *, may_empty: bool
) -> tuple[Write, ...]:
    """The actions of a `then`, in the order written. may_empty: whether `none` may stand for every field."""
    if not isinstance(node.value, dict) or not node.value:
        problems.append(node.problem("wrong-type", f"wanted actions like {{team: NAME}}, got {said(node)}"))
        return ()
    writes = []
    for field, child in node.value.items():
        if field in LATER_ACTIONS or field.startswith("field."):
            problems.append(
                node.keys[field].problem("not-supported", f"the action '{field}' is not supported yet")
            )
        elif field not in _ACTIONS:
            hint = did_you_mean(field, _ACTIONS)
            problems.append(node.keys[field].problem("unknown-action", f"no action '{field}'", hint))
        elif child.value == "none" and field in (_EMPTIABLE if may_empty else ("sla", "agent", "reply")):
            writes.append(Write(field, None))
        else:
            writes.append(Write(field, _ACTIONS[field](child, words, problems)))
    return tuple(writes)


def _read_team(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return check_name(node, words.targets.teams, "team", problems)


def _read_level(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
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
    return naming.read_tags(node, problems)


def _read_notify(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    return naming.read_notify(node, words.targets, problems)


def _read_note(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, str) and node.value.strip():
        return (node.value,)
    problems.append(node.problem("wrong-type", f"'note' wants text, got {said(node)}"))
    return None


def _read_truth(node: Node, words: Vocabulary, problems: list[Problem]) -> Any:
    if isinstance(node.value, bool):
        return node.value
    problems.append(node.problem("wrong-type", f"wanted true or false, got {said(node)}"))
    return None


def _read_reply(node: Node, words: Vocabulary, problems: list[Problem]) -> dict[str, str | None]:
    """Medium -> template; "" = every medium; None = no reply."""
    if not isinstance(node.value, dict):
        return {"": _read_template(node, words, problems)}
    return {medium: _read_template(child, words, problems) for medium, child in node.value.items()}


def _read_template(node: Node, words: Vocabulary, problems: list[Problem]) -> str | None:
    if node.value == "none":
        return None
    if not isinstance(node.value, str):
        problems.append(node.problem("wrong-type", f"wanted the name of a reply template, got {said(node)}"))
        return None
    if words.replies is not None and node.value not in words.replies:
        hint = did_you_mean(node.value, words.replies) or "the reply is not sent"
        problems.append(node.warning("missing-reply", f"no reply template '{node.value}'", hint))
    return node.value


_ACTIONS: dict[str, Callable[[Node, Vocabulary, list[Problem]], Any]] = {
    "team": _read_team,
    "level": _read_level,
    "agent": _read_agent,
    "priority": _read_priority,
    "tags": _read_tags,
    "untag": _read_tags,
    "sla": _read_sla,
    "nature": _read_nature,
    "language": _read_language,
    "status": _read_status,
    "reply": _read_reply,
    "notify": _read_notify,
    "note": _read_note,
    "ignore": _read_truth,
    "spam": _read_truth,
}
_EMPTIABLE = ("level", "agent", "sla", "nature", "language", "reply", "tags", "notify", "note")
