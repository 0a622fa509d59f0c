"""Names in a rulebook: sections of named things, and references to them."""

import re
from collections.abc import Iterable
from typing import Literal

import msgspec

from routing.problems import Problem, did_you_mean
from routing.typed import said
from routing.yaml_text import Node

Status = Literal["new", "open", "pending", "on_hold", "solved", "closed"]
Priority = Literal["low", "normal", "high", "urgent"]
STATUSES = ("new", "open", "pending", "on_hold", "solved", "closed")
RESERVED = ("none", "any", "default", "all", "not", "assignee", "agent", "team")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}\Z")
MEDIA = ("email", "sms", "whatsapp", "voice", "chat", "form", "webhook")
ADDRESS = re.compile(r"[^@\s<>]{1,64}@[^@\s<>]{1,255}\Z")
Entries = dict[str, Node]


class Targets(msgspec.Struct, frozen=True):
    """Whom a notice may go to and where a ticket may move: names of levels, agents and teams."""

    levels: frozenset[str]
    agents: frozenset[str]
    teams: frozenset[str]


def entries(nodes: Iterable[Node], what: str, problems: list[Problem]) -> Entries:
    """Name -> node of a section, from all files that have it; a name twice or reserved is a problem."""
    found: Entries = {}
    for node in nodes:
        if not isinstance(node.value, dict):
            problems.append(
                node.problem("wrong-type", f"wanted a mapping of {what}s by name, got {said(node)}")
            )
            continue
        for name, child in node.value.items():
            key = node.keys[name]
            if name in found:
                first = found[name]
                message = f"{what} '{name}' is written twice"
                problems.append(
                    key.problem("duplicate-name", message, f"the first is in {first.file}:{first.line}")
                )
            elif name in RESERVED or not _NAME.match(name):
                problems.append(
                    key.problem("bad-name", f"'{name}' can't name a {what}", "use letters, digits, - and _")
                )
            else:
                found[name] = child
    return found


def check_name(node: Node, known: Iterable[str], what: str, problems: list[Problem]) -> str | None:
    """The text at the node when it is one of the known names."""
    if isinstance(node.value, str) and node.value in known:
        return node.value
    code = "unknown-" + what.replace(" ", "-")
    got = f"'{node.text[:64]}'" if node.is_scalar and node.value is not None else f"like {said(node)}"
    hint = node.slip_hint or did_you_mean(node.text, known)
    problems.append(node.problem(code, f"no {what} {got}", hint))
    return None


def read_names(node: Node, known: Iterable[str], what: str, problems: list[Problem]) -> tuple[str, ...]:
    """One name or a list of them, each known."""
    each = node.value if node.is_list else (node,)
    return tuple(name for child in each if (name := check_name(child, known, what, problems)))


def read_word(node: Node, what: str, problems: list[Problem]) -> str | None:
    """A short name of something that stands elsewhere and is not checked here."""
    if isinstance(node.value, str) and _NAME.match(node.value) and node.value not in RESERVED:
        return node.value
    hint = node.slip_hint or "use letters, digits, - and _"
    problems.append(node.problem("bad-name", f"{said(node)} can't name a {what}", hint))
    return None


def check_medium(key: Node, problems: list[Problem]) -> None:
    """A medium that looks like a slip of a known one gets a warning; others may come with channels of your own."""
    hint = "" if key.text in MEDIA else did_you_mean(key.text, MEDIA)
    if hint.startswith("did"):
        problems.append(key.warning("unknown-medium", f"no medium '{key.text}' is known", hint))


def read_tags(node: Node, problems: list[Problem]) -> tuple[str, ...]:
    """One tag or a list of them: short words."""
    tags = []
    for each in node.value if node.is_list else (node,):
        if isinstance(each.value, str) and _NAME.match(each.value) and each.value not in ("none", "any"):
            tags.append(each.value)
        else:
            hint = each.slip_hint or "use letters, digits, - and _"
            problems.append(each.problem("bad-value", f"no tag {said(each)}", hint))
    return tuple(tags)


def read_notify(node: Node, targets: Targets, problems: list[Problem]) -> tuple[str, ...]:
    """assignee, agent, team, a level, an agent's or a team's name, or an address; one or a list."""
    known = {"assignee", "agent", "team", *targets.levels, *targets.agents, *targets.teams}
    found = []
    for each in node.value if node.is_list else (node,):
        if isinstance(each.value, str) and ADDRESS.match(each.value):
            found.append(each.value)
        elif name := check_name(each, known, "recipient", problems):
            found.append(name)
    return tuple(found)
