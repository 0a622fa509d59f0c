"""How it is written which ticket a message joins: YAML nodes -> conversations."""

import re
from collections.abc import Collection
from typing import Any, Literal

import msgspec

from routing import naming
from routing.condition_text import read_condition
from routing.conditions import ALWAYS
from routing.conversation import Conversations, Gathering, MediumRule
from routing.durations import read_seconds
from routing.fact_table import FIELDS, field_named
from routing.problems import Problem, did_you_mean, has_error
from routing.rule_text import read_id
from routing.typed import convert, said
from routing.value_text import Names
from routing.yaml_text import Node

MAX_KEY_CHARACTERS = 200
PLACE = re.compile(r"\{([^{}]*)\}")
"""A fact in a key: `{subject}`."""
_MISSING = {
    "id": "it has a short name of its own",
    "when": "like when: {sender.address: alerts@monitor.example}",
    "key": 'like key: "{subject}"',
    "within": "like within: 24h",
}


class _MediumNode(msgspec.Struct, frozen=True):
    join: Literal["open"] | None = None
    reopen_within: Node | None = None
    then: Literal["follow_up", "new"] = "follow_up"


class _GatheringNode(msgspec.Struct, frozen=True):
    id: Node | None = None
    when: Node | None = None
    key: Node | None = None
    within: Node | None = None


def read_conversations(nodes: Collection[Node], names: Names, seen: dict[str, Node]) -> Conversations:
    """`{email: {reopen_within: 14d}, sms: {join: open}, by: [{id: alerts, when: …, key: "{subject}", within: 24h}]}`.

    seen: ids of rules, extended by those of `by`.
    """
    problems = names.problems
    names.stage = "enrich"  # what is asked of a message before it has a ticket
    media: dict[str, MediumRule] = {}
    gatherings: list[Gathering] = []
    first: dict[str, Node] = {}
    for node in nodes:
        if not isinstance(node.value, dict):
            hint = "like {sms: {join: open, reopen_within: 3d}}"
            problems.append(node.problem("wrong-type", f"wanted a mapping of media, got {said(node)}", hint))
            continue
        for medium, child in node.value.items():
            key = node.keys[medium]
            if medium == "by":
                gatherings.extend(_read_by(child, names, seen))
            elif medium in first:
                message = f"medium '{medium}' is written twice"
                where = f"the first is in {first[medium].file}:{first[medium].line}"
                problems.append(key.problem("duplicate-name", message, where))
            else:
                first[medium] = key
                naming.check_medium(key, problems)
                media[medium] = _read_medium(medium, child, problems)
    return Conversations(media, tuple(gatherings))


def _read_medium(medium: str, node: Node, problems: list[Problem]) -> MediumRule:
    written, usual = convert(node, _MediumNode, problems=problems, partial=True), Conversations().of(medium)
    if written is None:
        return usual
    within_s = usual.reopen_within_s
    if written.reopen_within:
        within_s = read_seconds(
            written.reopen_within, problems, hint="write it like 14d; 0d = never", may_be_zero=True
        )
    return MediumRule(written.join or usual.join, within_s, written.then)


def _read_by(node: Node, names: Names, seen: dict[str, Node]) -> list[Gathering]:
    if not node.is_list:
        hint = 'like [{id: alerts, when: {…}, key: "{subject}", within: 24h}]'
        names.problems.append(node.problem("wrong-type", f"'by' is a list, got {said(node)}", hint))
        return []
    found = (_read_gathering(each, names, seen) for each in node.value)
    return [gathering for gathering in found if gathering]


def _read_gathering(node: Node, names: Names, seen: dict[str, Node]) -> Gathering | None:
    problems = names.problems
    before = len(problems)
    written: Any = convert(node, _GatheringNode, problems=problems, partial=True)
    if written is None:
        return None
    for key, hint in _MISSING.items():
        if getattr(written, key) is None:
            problems.append(node.problem("missing-key", f"'{key}' is missing", hint))
    identity = read_id(written.id, seen, problems) if written.id else None
    when = read_condition(written.when, names) if written.when else ALWAYS
    key_text = _read_key(written.key, problems) if written.key else None
    within_s = read_seconds(written.within, problems, hint="write it like 24h") if written.within else None
    if has_error(problems[before:]) or identity is None or key_text is None or within_s is None:
        return None
    return Gathering(identity, when, key_text, within_s, node.file, node.line, node.column)


def _read_key(node: Node, problems: list[Problem]) -> str | None:
    text = node.value
    if not isinstance(text, str) or not text.strip() or len(text) > MAX_KEY_CHARACTERS:
        hint = node.slip_hint or _MISSING["key"] + ", in quotes"
        problems.append(node.problem("wrong-type", f"'key' wants a short text, got {said(node)}", hint))
        return None
    if set("{}") & set(PLACE.sub("", text)):
        problems.append(
            node.problem("bad-value", "a { or } has no partner in the key", 'like key: "{subject}"')
        )
    for name in PLACE.findall(text):
        if name.startswith("ticket."):
            hint = "a message that looks for its ticket has none yet"
            problems.append(node.problem("unknown-fact", f"no fact '{name}' for a key", hint))
        elif field_named(name) is None:
            hint = did_you_mean(name, FIELDS)
            problems.append(node.problem("unknown-fact", f"no fact '{name}' for a key", hint))
    return text


def facts_of_key(key: str) -> frozenset[str]:
    """Names of the facts that a key is made of."""
    return frozenset(PLACE.findall(key))
