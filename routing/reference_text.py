"""The tables of docs/rules.md, made from the words and the lint's codes; what people wrote between them stays."""

import re
from collections.abc import Callable, Iterable

from routing import lint_codes, reference
from routing.action_text import ACTIONS, SIBLINGS
from routing.fact_table import FIELDS, MADE_ON_DEMAND
from routing.facts import EVENTS
from routing.lint_codes import CODES

_PART = re.compile(r"(<!-- made by `make docs`: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def refreshed(text: str) -> str:
    """The document with every part between its marks made anew. Raises: KeyError for a part that nobody makes."""
    return _PART.sub(lambda found: f"{found[1]}{_PARTS[found[2]]()}{found[3]}", text)


def _table(heads: tuple[str, str], rows: Iterable[tuple[str, str]]) -> str:
    lines = [f"| {heads[0]} | {heads[1]} |", "|---|---|"]
    lines += [f"| `{word}` | {meaning} |" for word, meaning in rows]
    return "\n".join(lines) + "\n"


def _sections() -> str:
    return _table(("section", "meaning"), reference.SECTIONS.items())


def _facts() -> str:
    names = (*FIELDS, *MADE_ON_DEMAND)
    return _table(
        ("fact", "meaning"), [*((name, reference.FACTS[name]) for name in names), *reference.TIME.items()]
    )


def _operators() -> str:
    return _table(("operator", "meaning"), reference.OPERATORS.items())


def _actions() -> str:
    names = (*ACTIONS, "field.NAME", *SIBLINGS)
    return _table(("action", "meaning"), ((name, reference.ACTIONS[name]) for name in names))


def _events() -> str:
    return _table(("event", "meaning"), ((name, reference.EVENTS[name]) for name in EVENTS))


def _codes() -> str:
    """Each code with its example; all of them are added to one small rulebook, which comes first."""
    examples = (
        f"**{each.code}** ({each.severity}): {each.meaning}\n\n```yaml\n# {each.code}\n{each.example}\n```\n"
        for each in CODES
    )
    return "\n" + "\n".join((f"```yaml\n{lint_codes.BASE}```\n", *examples)) + "\n"


_PARTS: dict[str, Callable[[], str]] = {
    "sections": _sections,
    "facts": _facts,
    "operators": _operators,
    "actions": _actions,
    "events": _events,
    "codes": _codes,
}
