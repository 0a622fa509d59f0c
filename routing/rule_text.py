"""How the rules for a new ticket are written: YAML nodes -> rules of enrich and route, and default."""

from collections.abc import Collection
from typing import Literal

import msgspec

from routing.action_text import read_writes
from routing.action_values import Vocabulary
from routing.condition_text import read_condition
from routing.conditions import ALWAYS
from routing.problems import Problem, has_error
from routing.rules import Rule
from routing.typed import convert, said
from routing.value_text import Names
from routing.yaml_text import Node

_MISSING = {
    "id": "a rule has a short name of its own",
    "when": "what is for every message belongs to default",
    "then": "like then: {team: NAME}",
}


class _RuleNode(msgspec.Struct, frozen=True):
    id: Node | None = None
    when: Node | None = None
    then: Node | None = None


def read_rules(
    nodes: Collection[Node],
    stage: Literal["enrich", "route"],
    words: Vocabulary,
    names: Names,
    seen: dict[str, Node],
) -> tuple[Rule, ...]:
    """The rules of a stage, in file order. seen: ids of the rules before, extended."""
    rules: list[Rule] = []
    names.stage = stage
    for node in nodes:
        if not node.is_list:
            names.problems.append(
                node.problem("wrong-type", f"'{stage}' is a list of rules, got {said(node)}")
            )
            continue
        rules.extend(rule for each in node.value if (rule := _read_rule(each, stage, words, names, seen)))
    return tuple(rules)


def _read_rule(
    node: Node, stage: Literal["enrich", "route"], words: Vocabulary, names: Names, seen: dict[str, Node]
) -> Rule | None:
    problems = names.problems
    before = len(problems)
    written = convert(node, _RuleNode, problems=problems, partial=True)
    if written is None:
        return None
    for key in ("id", "when", "then"):
        if getattr(written, key) is None:
            problems.append(node.problem("missing-key", f"'{key}' is missing", _MISSING[key]))
    identity = read_id(written.id, seen, problems) if written.id else None
    when = read_condition(written.when, names) if written.when else ALWAYS
    then = read_writes(written.then, stage, words, problems) if written.then else ()
    if has_error(problems[before:]) or identity is None:
        return None
    return Rule(identity, stage, when, then, node.file, node.line, node.column)


def read_id(node: Node, seen: dict[str, Node], problems: list[Problem]) -> str | None:
    """A short word that no rule before has. seen: ids of the rules before, extended."""
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
    then = read_writes(node, "default", words, problems)
    if node.is_mapping and "team" not in node.value:
        problems.append(
            node.problem("missing-key", "'team' is missing", "default says where a ticket goes at worst")
        )
    if has_error(problems[before:]):
        return None
    return Rule("default", "default", ALWAYS, then, node.file, node.line, node.column)
