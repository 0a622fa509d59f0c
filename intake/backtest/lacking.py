"""What old facts do not say: only the facts that the rules of that day asked for were looked up and kept.

A rule that asks for such a fact is neither matched nor unmatched unless its other conditions decide it.
"""

from collections.abc import Iterable

import msgspec

from routing.conditions import Condition, Group, Leaf
from routing.decision import next_view
from routing.facts import Facts
from routing.predicates import Kept
from routing.rulebook import Rulebook
from routing.rules import Rule
from routing.view import View

ON_DEMAND = ("customer.open_tickets", "customer.tickets", "team.waiting")
"""Facts that are looked up only when a rule asks for them; headers are, too."""

_OF_EARLIER_TICKETS = ("customer.open_tickets", "customer.tickets")


class Asked(msgspec.Struct, frozen=True):
    """What a rulebook had looked up. names: of facts; kept: (fact, list) of lists kept at the desk."""

    names: frozenset[str] = frozenset()
    kept: frozenset[tuple[str, str]] = frozenset()


class Unsure(msgspec.Struct, frozen=True):
    """A rule that may or may not have matched, and the facts that would tell."""

    rule: str
    facts: tuple[str, ...]


def asked_by(rulebook: Rulebook) -> Asked:
    """What was looked up for the decisions of a rulebook."""
    return Asked(rulebook.needs, rulebook.kept_uses())


class Lacking:
    """The rules of a new rulebook that ask for what the decisions of an older one do not hold."""

    def __init__(self, new: Rulebook, old: Asked) -> None:
        self._new, self._old = new, old
        asking = [(rule, names) for rule in new.rules if (names := self._names(rule.when))]
        self.enrich = [(rule, names) for rule, names in asking if rule.stage == "enrich"]
        self.route = [(rule, names) for rule, names in asking if rule.stage == "route"]
        self.react = frozenset(each.rule.id for each in new.react if self._names(each.rule.when))

    def _names(self, condition: Condition) -> tuple[str, ...]:
        """Facts of a condition that may be lacking, as they are told."""
        if isinstance(condition, Leaf):
            name = self._told(condition)
            return (name,) if name else ()
        return tuple(dict.fromkeys(name for each in condition.members for name in self._names(each)))

    def _told(self, leaf: Leaf) -> str:
        name = leaf.fact.name
        if isinstance(leaf.test, Kept):
            return "" if (name, leaf.test.list) in self._old.kept else f"{name} in {leaf.test.list}"
        if name == "text.quoted":
            return name
        is_on_demand = name in ON_DEMAND or name.startswith("header.")
        return name if is_on_demand and name not in self._old.names else ""

    def unsure(
        self, facts: Facts, matched: tuple[str, ...], winner: str, *, has_quoted: bool
    ) -> list[Unsure]:
        """The rules that nobody can tell of these facts: of the route rules only those before the one that won."""
        if not self.enrich and not self.route:
            return []
        known = _Known(self, facts, has_quoted=has_quoted)
        view = View.of(self._new, facts)
        found = [
            Unsure(rule.id, names) for rule, names in self.enrich if known.holds(rule.when, view) is None
        ]
        before = self._before(winner)
        if before:
            counted = set(matched)
            enriching = [rule for rule in self._new.enrich if rule.id in counted]
            view = next_view(self._new, view, enriching)
            found += [
                Unsure(rule.id, names) for rule, names in before if known.holds(rule.when, view) is None
            ]
        return found

    def _before(self, winner: str) -> list[tuple[Rule, tuple[str, ...]]]:
        """The route rules in question that come before the one that won."""
        end = self._new.positions.get(winner, len(self._new.rules))
        return [(rule, names) for rule, names in self.route if self._new.positions[rule.id] < end]

    def is_lacking(self, leaf: Leaf, facts: Facts, *, has_quoted: bool) -> bool:
        name = self._told(leaf)
        if name == "text.quoted":
            return not has_quoted and not facts.quoted
        if name in _OF_EARLIER_TICKETS and facts.customer.first_contact:
            return False  # who writes for the first time has no earlier tickets
        return bool(name)


class _Known:
    """Conditions over one message whose facts have gaps: true, false, or nobody knows (None)."""

    def __init__(self, lacking: Lacking, facts: Facts, *, has_quoted: bool) -> None:
        self._lacking, self._facts, self._has_quoted = lacking, facts, has_quoted

    def holds(self, condition: Condition, view: View) -> bool | None:
        if isinstance(condition, Group):
            return self._group(condition, view)
        if self._lacking.is_lacking(condition, self._facts, has_quoted=self._has_quoted):
            return None
        try:
            return condition.holds(view)
        except Exception:  # noqa: BLE001 - a condition that breaks is no match, as in a decision
            return False

    def _group(self, group: Group, view: View) -> bool | None:
        if group.mode == "all":
            return _all(self.holds(each, view) for each in group.members)
        found = _any(self.holds(each, view) for each in group.members)
        return found if group.mode == "any" or found is None else not found


def _all(answers: Iterable[bool | None]) -> bool | None:
    """False as soon as one is; None when the rest does not decide it."""
    is_unsure = False
    for answer in answers:
        if answer is False:
            return False
        is_unsure = is_unsure or answer is None
    return None if is_unsure else True


def _any(answers: Iterable[bool | None]) -> bool | None:
    is_unsure = False
    for answer in answers:
        if answer:
            return True
        is_unsure = is_unsure or answer is None
    return None if is_unsure else False
