"""Who wrote what: the writes of the rules that matched, resolved field by field.

Of several writers of one field the priority takes the highest, sla the strictest, tags, notices and notes add up; any
other field goes to route over enrich over default, and inside a stage to the first writer. Every write that lost is
kept with the one that won. Which rules matched says it all, so a draft is made once for each such set and kept.
"""

import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from routing.actions import Action
from routing.matcher import Index
from routing.rulebook import Rulebook
from routing.rules import Rule, Write
from routing.sla import PRIORITIES

ADDING = ("tags", "untag", "notify", "note")
PRIORITY_WHEN_NOBODY_SAYS = "normal"
_SEEN = ("team", "agent", "priority", "nature", "status")
_EFFECTS = (
    "notify", "note", "hand_off", "webhook", "rating", "incident", "promise", "snooze", "ignore", "spam", "block", "close",
)  # fmt: skip
_MOST_DRAFTS = 1_000

Claim = tuple[Rule, Write]
_Key = tuple[Rule, tuple[Rule, ...], Rule | None]


class Ignored(msgspec.Struct, frozen=True):
    """A write that lost. by: the rule that had the field already, or why nothing can be done with it."""

    rule: str
    field: str
    value: Any
    by: str


class Draft(msgspec.Struct, frozen=True, eq=False):
    """What some rules ask for together. claims: field -> its writers, the winner first; of what adds up all in order.

    tags: what a new ticket gets. fields: the desk's own, None = empty on purpose; filled: those only default filled.
    effects: what is to be done besides a reply. seen: `ticket.X` -> values, as the next stage may ask for them.
    """

    claims: dict[str, tuple[Claim, ...]]
    default: Rule | None
    tags: tuple[str, ...]
    fields: dict[str, str | None]
    filled: dict[str, str | None]
    effects: tuple[Action, ...]
    seen: dict[str, tuple[str, ...]]
    lost: tuple[Ignored, ...]

    def value(self, field: str) -> Any:
        """What the winner wrote; None = nobody did, or `none` was written."""
        claims = self.claims.get(field)
        return claims[0][1].value if claims else None

    def wrote(self, field: str) -> Rule | None:
        """The winner; None = nobody wrote the field."""
        claims = self.claims.get(field)
        return claims[0][0] if claims else None


_kept: weakref.WeakKeyDictionary[Index, dict[_Key, Draft]] = weakref.WeakKeyDictionary()


def of_new_ticket(rulebook: Rulebook, enriching: Sequence[Rule], routing: Rule | None) -> Draft:
    """The draft of the enrich rules that matched and the route rule that won; kept as long as the rulebook is."""
    drafts = _kept.get(rulebook.index)
    if drafts is None:
        drafts = _kept.setdefault(rulebook.index, {})
    key = (rulebook.default, tuple(enriching), routing)
    draft = drafts.get(key)
    if draft is None:
        if len(drafts) >= _MOST_DRAFTS:
            drafts.clear()
        draft = drafts[key] = resolve(rulebook, enriching, routing, default=rulebook.default)
    return draft


def resolve(
    rulebook: Rulebook,
    enriching: Sequence[Rule],
    routing: Rule | None,
    *,
    default: Rule | None,
    priority: str = PRIORITY_WHEN_NOBODY_SAYS,
) -> Draft:
    """The draft, worked out. default: None = nothing fills what nobody wrote. priority: when none of them says it."""
    ordered = [*enriching, *([routing] if routing else [])]
    claims = _claims(ordered, routing=routing, default=default)
    _order_by_strength(claims, ordered, rulebook=rulebook, priority=priority)
    frozen = {field: tuple(found) for field, found in claims.items()}
    tags = _tags(frozen, enriching, routing, default)
    written = {field: found for field, found in frozen.items() if found[0][0] is not default}
    return Draft(
        claims=frozen,
        default=default,
        tags=tags,
        fields=_fields(written),
        filled=_fields({field: found for field, found in frozen.items() if field not in written}),
        effects=tuple(action for kind in _EFFECTS for action in _effect(kind, frozen)),
        seen=_seen(written, tags),
        lost=tuple(_lost(frozen)),
    )


def _claims(ordered: list[Rule], *, routing: Rule | None, default: Rule | None) -> dict[str, list[Claim]]:
    """Field -> writers: route over enrich, inside a stage the first; of what adds up in the order of the stages."""
    claims: dict[str, list[Claim]] = {}
    for rule in ordered:
        for write in rule.then:
            found = claims.setdefault(write.field, [])
            if rule is routing and write.field not in ADDING:
                found.insert(0, (rule, write))
            else:
                found.append((rule, write))
    for write in default.then if default else ():
        if default and write.field not in claims:
            claims[write.field] = [(default, write)]
    return claims


def _order_by_strength(
    claims: dict[str, list[Claim]], ordered: list[Rule], *, rulebook: Rulebook, priority: str
) -> None:
    """priority: the highest first; sla: the strictest at that priority first; ties in file order."""
    position = {rule.id: number for number, rule in enumerate(ordered)}
    if "priority" in claims:
        claims["priority"].sort(
            key=lambda claim: (-PRIORITIES.index(claim[1].value), position.get(claim[0].id, -1))
        )
        priority = claims["priority"][0][1].value or priority
    if "sla" in claims:
        claims["sla"].sort(
            key=lambda claim: (
                _laxity(rulebook, claim[1].value, priority),
                position.get(claim[0].id, -1),
            )
        )


def _laxity(rulebook: Rulebook, policy: str | None, priority: str) -> tuple[bool, float]:
    """The smaller, the stricter; no policy comes last."""
    return (True, 0.0) if policy is None else (False, rulebook.policies[policy].strictness(priority))


def _tags(
    claims: dict[str, tuple[Claim, ...]],
    enriching: Sequence[Rule],
    routing: Rule | None,
    default: Rule | None,
) -> tuple[str, ...]:
    """What enrich set and did not take back, then route; default's tags when nobody wrote any."""
    if "tags" in claims and claims["tags"][0][0] is default:
        return tuple(dict.fromkeys(claims["tags"][0][1].value or ()))
    gone = set(_written("untag", enriching))
    tags = [tag for tag in _written("tags", enriching) if tag not in gone]
    if routing is not None:
        gone = set(_written("untag", [routing]))
        tags = [*(tag for tag in tags if tag not in gone), *_written("tags", [routing])]
    return tuple(dict.fromkeys(tags))


def _written(field: str, rules: Iterable[Rule]) -> list[str]:
    return [
        each for rule in rules for write in rule.then if write.field == field for each in write.value or ()
    ]


def _fields(claims: dict[str, tuple[Claim, ...]]) -> dict[str, str | None]:
    """The desk's own fields that were written, by their bare names."""
    return {
        field.removeprefix("field."): found[0][1].value
        for field, found in claims.items()
        if field.startswith("field.")
    }


def _effect(kind: str, claims: dict[str, tuple[Claim, ...]]) -> list[Action]:
    """Notices and notes of all rules, each once; of any other effect the winner's."""
    found = claims.get(kind, ())
    if kind in ADDING:
        said: dict[str, Action] = {}
        for rule, write in found:
            for each in write.value or ():
                said.setdefault(each, Action(kind, each, rule.id, write.options))
        return list(said.values())
    if not found or found[0][1].value in (None, False):
        return []
    rule, write = found[0]
    return [Action(kind, write.value, rule.id, write.options)]


def _seen(written: dict[str, tuple[Claim, ...]], tags: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """What rules wrote, as the next stage sees it; what only default would fill is not yet there."""
    seen = {"tags": tags if "tags" in written or "untag" in written else ()}
    for field in _SEEN:
        if field in written and (value := written[field][0][1].value) is not None:
            seen[field] = (value,)
    if "level" in written and (levels := written["level"][0][1].value):
        seen["level"] = tuple(levels)
    for name, value in _fields(written).items():
        seen[f"field.{name}"] = () if value is None else (value,)
    return seen


def _lost(claims: dict[str, tuple[Claim, ...]]) -> Iterable[Ignored]:
    """Each write that another one of the same field kept from counting."""
    for field, ((winner, won), *others) in claims.items():
        if field not in ADDING:
            for rule, write in others:
                if write.value != won.value:
                    yield Ignored(rule.id, field, write.value, winner.id)
