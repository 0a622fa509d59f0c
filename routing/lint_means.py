"""What a rulebook asks for that this installation has no means for: known only together with the configuration."""

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import msgspec

from routing.ladder import Step
from routing.lint_rules import at
from routing.people import Agent
from routing.problems import Problem
from routing.rules import Rule, Write
from routing.yaml_text import Node

if TYPE_CHECKING:
    from routing.rulebook import Rulebook

Nodes = Mapping[str, Mapping[str, Node]]

WIDE_SHARE = 0.3
ENOUGH_TEXTS = 100


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What the configuration knows. media: that can send; templates: (name, language); ways: to reach agents.

    kinds: actions that something here carries out, None = all of them. choices: ids of all phone menus. shares: word as written in folded text -> share
    (0 to 1) of the stored messages that it occurs in; texts: how many messages were counted.
    """

    media: frozenset[str] = frozenset()
    templates: frozenset[tuple[str, str]] = frozenset()
    ways: frozenset[str] = frozenset()
    kinds: frozenset[str] | None = None
    choices: frozenset[str] = frozenset()
    shares: Mapping[str, float] = {}
    texts: int = 0


def idle(rulebook: "Rulebook", means: Means, nodes: Nodes) -> Iterator[Problem]:
    """Actions that nothing here can carry out, and agents whom none of the ways here reaches."""
    for rule in _rules(rulebook):
        for why in dict.fromkeys(why for write in rule.then for why in _obstacles(write, means)):
            yield at(rule, "cannot-act", f"rule '{rule.id}': {why}", "nothing happens but an event")
    for name, ladder in rulebook.ladders.items():
        for index, step in enumerate(ladder.steps):
            for why in dict.fromkeys(_step_obstacles(step, means)):
                message = f"this step of ladder '{name}': {why}"
                place = step_node(nodes["ladders"][name], index)
                yield place.warning("cannot-act", message, "nothing happens but an event")
    yield from _unreachable(rulebook, means, nodes)


def _rules(rulebook: "Rulebook") -> tuple[Rule, ...]:
    return (*rulebook.rules, rulebook.default, *(each.rule for each in rulebook.react))


def _obstacles(write: Write, means: Means) -> Iterator[str]:
    """Why an action comes to nothing here; none when it can be done."""
    if write.value is None:
        return
    if write.field == "reply":
        for medium, template in _by_medium(write.value).items():
            if template is not None and medium and medium not in means.media:
                yield f"no channel here sends {medium}, so '{template}' is never sent"
    elif means.kinds is not None and write.field not in means.kinds and not write.field.startswith("field."):
        yield f"nothing here can do '{write.field}' yet"
    by = write.options.get("by")
    if isinstance(by, str) and by != "urgent" and by not in means.ways:
        yield f"nothing here reaches agents by {by}"


def step_node(ladder: Node, index: int) -> Node:
    """Where a step stands."""
    return ladder.value[index] if ladder.is_list and index < len(ladder.value) else ladder


def _by_medium(value: Any) -> Mapping[str, str | None]:
    return value if isinstance(value, Mapping) else {"": value}


def _step_obstacles(step: Step, means: Means) -> Iterator[str]:
    if step.by is not None and step.by != "urgent" and step.by not in means.ways:
        yield f"nothing here reaches agents by {step.by}"
    for action in step.actions:
        yield from _obstacles(Write(action.kind, action.value, action.options), means)


def _unreachable(rulebook: "Rulebook", means: Means, nodes: Nodes) -> Iterator[Problem]:
    for name, agent in rulebook.agents.items():
        missing = [way for way in agent.urgent if way not in means.ways and _has_what_it_needs(agent, way)]
        if missing:
            message = f"nothing here reaches agent '{name}' by {', '.join(missing)}"
            yield nodes["agents"][name].warning("cannot-act", message, "the next of their ways is taken")
        reached = (agent.email and "email" in means.ways) or (agent.phone and means.ways & {"sms", "call"})
        if not reached and (agent.email or agent.phone):
            message = f"no notice reaches agent '{name}'{turns_of(rulebook, name)}: nothing here sends to what is known of them"
            yield nodes["agents"][name].warning(
                "unreachable-agent", message, "add an email or set up a channel"
            )


def turns_of(rulebook: "Rulebook", name: str) -> str:
    """Says of which schedules an agent has turns; "" = none."""
    rotas = [f"'{rota.name}'" for rota in rulebook.schedules.values() if name in rota.agents]
    return f", who is on call in {', '.join(rotas)}" if rotas else ""


def _has_what_it_needs(agent: Agent, way: str) -> bool:
    """Whether the reader has nothing to say about this way."""
    return bool(agent.email if way == "email" else agent.phone or way == "push")


# -- templates --------------------------------------------------------------------------------------------------------


def untranslated(rulebook: "Rulebook", means: Means, nodes: Nodes) -> Iterator[Problem]:
    """Templates of rules and ladders that are not there in a language in which another template is."""
    for rule in _rules(rulebook):
        for message, hint in _missing(_templates(rule.then), means):
            yield at(rule, "missing-language", message, hint)
    for name, ladder in rulebook.ladders.items():
        for index, step in enumerate(ladder.steps):
            writes = (Write(action.kind, action.value, action.options) for action in step.actions)
            for message, hint in _missing(_templates(writes), means):
                place = step_node(nodes["ladders"][name], index)
                yield place.warning("missing-language", f"ladder '{name}': {message}", hint)


def _templates(writes: Iterable[Write]) -> tuple[str, ...]:
    """The templates that replies name."""
    replies = (write.value for write in writes if write.field == "reply" and write.value is not None)
    return tuple(sorted({each for reply in replies for each in _by_medium(reply).values() if each}))


def _missing(templates: Iterable[str], means: Means) -> Iterator[tuple[str, str]]:
    """Message and hint for each template that is there, and not in every language."""
    languages = {language for _, language in means.templates}
    for template in templates:
        known = {language for name, language in means.templates if name == template}
        if known and languages - known:
            missing = ", ".join(sorted(languages - known))
            hint = f"write {template}.{min(languages - known)}.md"
            yield f"reply template '{template}' is not there in {missing}", hint
