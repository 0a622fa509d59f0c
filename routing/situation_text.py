"""How a message and its circumstances are written in the admin's tests: YAML nodes -> facts.

`{"message": {…}, "at": …, "given": …, "lists": …}`; `intake route --kind json` reads the same object.
The message stands in message_text.py, the customer in customer_text.py.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

import msgspec

from routing.customer_text import WHEN_NOT_SAID, CustomerNode, customer_from, instant_before, read_instant
from routing.facts import AgentLoad, DeskFacts, Facts
from routing.message_text import FirstMessageNode, check_proof, with_message
from routing.problems import Problem, did_you_mean
from routing.typed import convert
from routing.yaml_text import Node


class People(msgspec.Struct, frozen=True):
    """What a situation may name. teams, levels: None = not checked."""

    agents: frozenset[str]
    lists: frozenset[str]
    teams: frozenset[str] | None = None
    levels: frozenset[str] | None = None


class Situation(msgspec.Struct, frozen=True):
    """A message at an instant. has_language: whether the language was said; else it is to be detected.

    lists: values that replace the rulebook's for this situation; facts.kept holds them too, for those kept at the desk.
    """

    facts: Facts
    has_language: bool
    lists: dict[str, tuple[str, ...]] = {}


class _GivenNode(msgspec.Struct, frozen=True):
    away: tuple[str, ...] = ()
    load: dict[str, dict[str, int]] = {}
    customer: CustomerNode = CustomerNode()
    incident: bool = False
    waiting: dict[str, int] = {}


class _SituationNode(msgspec.Struct, frozen=True):
    message: Node
    at: Node | None = None
    given: Node | None = None
    lists: dict[str, tuple[str, ...]] = {}


def read_situation(node: Node, people: People, problems: list[Problem]) -> Situation | None:
    """`{"message": {…}, "at": …, "given": …, "lists": …}`; None when there is a problem."""
    before = len(problems)
    written = convert(node, _SituationNode, problems=problems)
    if written is None:
        return None
    situation = situation_from(written, node, people, problems)
    return situation if len(problems) == before else None


def situation_from(written: Any, node: Node, people: People, problems: list[Problem]) -> Situation:
    """The situation of anything that has message, at, given and lists."""
    at = read_instant(written.at, problems) if written.at else WHEN_NOT_SAID
    hints = {"channel": "like channel: email"}
    message = convert(written.message, FirstMessageNode, problems=problems, hints=hints)
    given = convert(written.given, _GivenNode, problems=problems) if written.given else _GivenNode()
    check_known(written.lists, people.lists, "list", node, problems)
    if message is None or given is None:
        return Situation(Facts(at=WHEN_NOT_SAID), has_language=True)
    _check_people(given, people, written.given or node, problems)
    check_proof(message, written.message, problems)
    facts = _facts(message, given, at=at, problems=problems)
    facts = msgspec.structs.replace(facts, kept=dict(written.lists))
    return Situation(facts, "language" in written.message.value, written.lists)


def _check_people(given: _GivenNode, people: People, node: Node, problems: list[Problem]) -> None:
    answered = (given.customer.agent,) if given.customer.agent is not None else ()
    check_known((*given.away, *given.load, *answered), people.agents, "agent", node, problems)
    if people.teams is not None:
        check_known(given.waiting, people.teams, "team", node, problems)


def check_known(
    names: Iterable[str], known: Collection[str], what: str, node: Node, problems: list[Problem]
) -> None:
    unknown = (name for name in names if name not in known)
    problems.extend(
        node.problem(f"unknown-{what}", f"no {what} '{name}'", did_you_mean(name, known)) for name in unknown
    )


def _facts(message: FirstMessageNode, given: _GivenNode, *, at: datetime, problems: list[Problem]) -> Facts:
    bare = Facts(
        at=at,
        channel=message.channel,
        account=message.account,
        unreadable=message.unreadable,
        direction=message.direction,
        created_by=message.created_by,
        customer=customer_from(given.customer, at=at, problems=problems),
        desk=DeskFacts(given.incident, given.waiting),
        agents=loads(given.away, given.load),
    )
    facts = with_message(bare, message, problems)
    known_since = given.customer.known_since
    if known_since is None:
        return facts
    since = instant_before(known_since, at=at, problems=problems)
    return msgspec.structs.replace(facts, sender=msgspec.structs.replace(facts.sender, known_since=since))


def loads(away: Collection[str], load: dict[str, dict[str, int]]) -> dict[str, AgentLoad]:
    """Agent -> how busy; only those who are away or have something open."""
    names = dict.fromkeys((*away, *load))
    return {name: AgentLoad(load.get(name, {}), away=name in away) for name in names}
