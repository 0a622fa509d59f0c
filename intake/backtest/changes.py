"""What a decision of the new rules changes in a stored one, field by field."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from routing import draft
from routing.decision import Decision
from routing.rulebook import Rulebook

FIELDS = (
    "rule", "team", "level", "agent", "priority", "sla", "nature", "language", "status", "tags", "fields", "skills",
    "reply", "notify", "actions",
)  # fmt: skip
"""What is compared; "rule" is the route rule that won, "actions" what is done besides replies and notices."""

_VALUES = FIELDS[:9]
_TOLD_APART = ("reply", "notify")


class Change(msgspec.Struct, frozen=True):
    """One field that would be another. before, after: short text, "-" = nothing. rule: the one that wrote it now.

    "default" is one, too; "(assignment)" = whoever was on duty, "(no rule)" = nothing writes it any more.
    """

    field: str
    before: str
    after: str
    rule: str


class _Action(msgspec.Struct, frozen=True):
    kind: str
    value: Any = None
    options: dict[str, Any] = {}


class Before(msgspec.Struct, frozen=True):
    """A stored decision as far as it is compared. A field that an older version did not keep is UNSET."""

    rule: str
    matched: tuple[str, ...] = ()
    team: str | msgspec.UnsetType | None = msgspec.UNSET
    level: str | msgspec.UnsetType | None = msgspec.UNSET
    agent: str | msgspec.UnsetType | None = msgspec.UNSET
    priority: str | msgspec.UnsetType | None = msgspec.UNSET
    sla: str | msgspec.UnsetType | None = msgspec.UNSET
    nature: str | msgspec.UnsetType | None = msgspec.UNSET
    language: str | msgspec.UnsetType | None = msgspec.UNSET
    status: str | msgspec.UnsetType = msgspec.UNSET
    tags: tuple[str, ...] | msgspec.UnsetType = msgspec.UNSET
    fields: dict[str, str] | msgspec.UnsetType = msgspec.UNSET
    skills: Any = msgspec.UNSET
    actions: tuple[_Action, ...] | msgspec.UnsetType = msgspec.UNSET


read_before = msgspec.json.Decoder(Before).decode


def between(rulebook: Rulebook, before: Before, after: Decision) -> tuple[Change, ...]:
    """The fields that the new decision has otherwise, in the order of FIELDS."""
    found = [(name, *_pair(name, before, after)) for name in _VALUES if _is_other(name, before, after)]
    if before.tags is not msgspec.UNSET and sorted(before.tags) != sorted(after.tags):
        found.append(("tags", _joined(before.tags), _joined(after.tags)))
    if before.fields is not msgspec.UNSET and before.fields != after.fields:
        found.append(("fields", _pairs(before.fields), _pairs(after.fields)))
    if before.skills is not msgspec.UNSET:
        wanted = msgspec.to_builtins(after.skills)
        if msgspec.to_builtins(before.skills) != _listed(wanted):
            found.append(("skills", _short(before.skills), _short(wanted)))
    if before.actions is not msgspec.UNSET:
        found += _other_actions(before.actions, after)
    if not found:
        return ()
    writers = _writers(rulebook, after)
    return tuple(Change(name, old, new, writers.get(name) or _nobody(name)) for name, old, new in found)


def _nobody(field: str) -> str:
    return "(assignment)" if field in ("agent", "level") else "(no rule)"


def notices_of(before: Before | None) -> int:
    """How many notices a stored decision asked for."""
    if before is None or before.actions is msgspec.UNSET:
        return 0
    return sum(action.kind == "notify" for action in before.actions)


def _is_other(name: str, before: Before, after: Decision) -> bool:
    was = getattr(before, name)
    return was is not msgspec.UNSET and was != getattr(after, name)


def _pair(name: str, before: Before, after: Decision) -> tuple[str, str]:
    return _short(getattr(before, name)), _short(getattr(after, name))


def _other_actions(before: Iterable[_Action], after: Decision) -> list[tuple[str, str, str]]:
    was, now = _sorted_actions(before), _sorted_actions(after.actions)
    if was == now:
        return []
    kinds = (*_TOLD_APART, "actions")
    return [
        (kind, _joined(was.get(kind, ())), _joined(now.get(kind, ())))
        for kind in kinds
        if was.get(kind) != now.get(kind)
    ]


def _sorted_actions(actions: Iterable[Any]) -> dict[str, list[str]]:
    """What is done, by kind, as text: which rule asked for it is told apart."""
    found: dict[str, list[str]] = {}
    for action in actions:
        said = _short(action.value) + (f" {_short(action.options)}" if action.options else "")
        if action.kind in _TOLD_APART:
            found.setdefault(action.kind, []).append(said)
        else:
            found.setdefault("actions", []).append(f"{action.kind} {said}")
    return found


def _writers(rulebook: Rulebook, after: Decision) -> dict[str, str]:
    """Field -> id of the rule that wrote it, "default" among them."""
    places = rulebook.positions
    matched = sorted(
        (rulebook.rules[places[each]] for each in after.matched), key=lambda rule: places[rule.id]
    )
    enriching = [rule for rule in matched if rule.stage == "enrich"]
    routing = next((rule for rule in matched if rule.stage == "route"), None)
    drafted = draft.of_new_ticket(rulebook, enriching, routing)
    found = {field: claims[0][0].id for field, claims in drafted.claims.items() if claims}
    found["rule"] = after.rule
    found["actions"] = next((each.rule for each in after.actions if each.kind not in _TOLD_APART), "")
    found["fields"] = next((rule for field, rule in found.items() if field.startswith("field.")), "")
    return found


def _listed(value: Any) -> Any:
    """JSON has no tuples."""
    if isinstance(value, Mapping):
        return {key: _listed(each) for key, each in value.items()}
    return [_listed(each) for each in value] if isinstance(value, list | tuple) else value


def _joined(values: Iterable[str]) -> str:
    return ", ".join(values) or "-"


def _pairs(fields: Mapping[str, str]) -> str:
    return _joined(f"{name}={value}" for name, value in sorted(fields.items()))


def _short(value: Any) -> str:
    """A value as a person reads it, cut at 80 characters."""
    if value is None:
        return "-"
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    return text if len(text) <= 80 else f"{text[:79]}…"
