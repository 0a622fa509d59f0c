"""What a backtest found, added up: small whatever the number of tickets, and two halves make a whole."""

from collections.abc import Iterable

import msgspec

from intake.backtest.changes import Change

EXAMPLES_OF_A_MOVE = 3
MOST_EXAMPLES = 300
MOST_MOVES = 500
_OTHERS = "(others)"
_VALUES = "(values)"


class Example(msgspec.Struct, frozen=True):
    """A ticket whose decision would be another. at: RFC 3339."""

    ref: str
    at: str
    changes: tuple[Change, ...]


class Unknown(msgspec.Struct, frozen=True):
    """A ticket of which nobody can tell. rule: the new rule that asks; facts: what was not kept."""

    ref: str
    rule: str
    facts: tuple[str, ...]


class Move(msgspec.Struct, frozen=True, order=True):
    field: str
    before: str
    after: str


class Summary(msgspec.Struct, kw_only=True):
    """decisions = same + changed + unknown + unreadable. fields: field -> decisions in which it changes.

    moves: JSON of [field, before, after] -> how often. unknown_facts, unknown_rules: how many tickets each leaves open.
    teams_*: tickets by team. breaches_*: targets missed, by target, of `followed` tickets; missed_more, missed_less:
    tickets that would miss a target they had kept, or keep one they had missed. notices_*: to people, asked for by
    rules and ladders, on the `lived` tickets, the ones that could go otherwise. not_followed: tickets whose life could not be told. days: day -> [decisions, changed].
    rulebooks: hash -> decisions. left_out: react rule -> tickets lived without it, because it asks for what was not kept.
    """

    decisions: int = 0
    tickets: int = 0
    same: int = 0
    changed: int = 0
    unknown: int = 0
    unreadable: int = 0
    fields: dict[str, int] = {}
    moves: dict[str, int] = {}
    rules: dict[str, int] = {}
    unknown_facts: dict[str, int] = {}
    unknown_rules: dict[str, int] = {}
    teams_before: dict[str, int] = {}
    teams_after: dict[str, int] = {}
    breaches_before: dict[str, int] = {}
    breaches_after: dict[str, int] = {}
    missed_more: int = 0
    missed_less: int = 0
    followed: int = 0
    lived: int = 0
    not_followed: int = 0
    notices_before: int = 0
    notices_after: int = 0
    left_out: dict[str, int] = {}
    days: dict[str, list[int]] = {}
    rulebooks: dict[str, int] = {}
    examples: list[Example] = []
    unknown_examples: list[Unknown] = []
    first_at: str = ""
    last_at: str = ""

    def add_change(self, ref: str, at: str, changes: tuple[Change, ...]) -> None:
        """Count one decision that would be another."""
        self.changed += 1
        named = {each.rule for each in changes if not each.rule.startswith("(")}
        for rule in named or {each.rule for each in changes}:
            self.rules[rule] = self.rules.get(rule, 0) + 1
        is_new = False
        for change in changes:
            self.fields[change.field] = self.fields.get(change.field, 0) + 1
            is_new = self._count_move(change) <= EXAMPLES_OF_A_MOVE or is_new
        if is_new and len(self.examples) < MOST_EXAMPLES:
            self.examples.append(Example(ref, at, changes))

    def _count_move(self, change: Change) -> int:
        return self._count_moves(move_key(change), 1)

    def _count_moves(self, key: str, number: int) -> int:
        if key not in self.moves and len(self.moves) >= MOST_MOVES:
            field, *_ = msgspec.json.decode(key)
            key = msgspec.json.encode([field, _OTHERS, _OTHERS]).decode()
        self.moves[key] = self.moves.get(key, 0) + number
        return self.moves[key]

    def add_unknown(self, ref: str, found: Iterable[tuple[str, tuple[str, ...]]]) -> None:
        """Count one decision of which nobody can tell, with the rules that nobody can tell of."""
        self.unknown += 1
        rules = list(found)
        for name in {name for _, names in rules for name in names}:
            self.unknown_facts[name] = self.unknown_facts.get(name, 0) + 1
        for rule, names in rules:
            self.unknown_rules[rule] = self.unknown_rules.get(rule, 0) + 1
            if self.unknown_rules[rule] <= EXAMPLES_OF_A_MOVE:
                self.unknown_examples.append(Unknown(ref, rule, names))

    def merge(self, other: "Summary") -> None:
        """Add what another look at other tickets found."""
        for name in _NUMBERS:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in _COUNTERS:
            own = getattr(self, name)
            for key, number in getattr(other, name).items():
                own[key] = own.get(key, 0) + number
        for key, number in other.moves.items():
            self._count_moves(key, number)
        for day, (decisions, changed) in other.days.items():
            mine = self.days.setdefault(day, [0, 0])
            mine[0] += decisions
            mine[1] += changed
        self._merge_examples(other)
        self.first_at = min(filter(None, (self.first_at, other.first_at)), default="")
        self.last_at = max(self.last_at, other.last_at)

    def _merge_examples(self, other: "Summary") -> None:
        """Keep examples of every move, and not three hundred of one."""
        shown: dict[str, int] = {}
        for example in self.examples:
            for change in example.changes:
                shown[move_key(change)] = shown.get(move_key(change), 0) + 1
        for example in other.examples:
            keys = [move_key(change) for change in example.changes]
            if len(self.examples) < MOST_EXAMPLES and any(
                shown.get(key, 0) < EXAMPLES_OF_A_MOVE for key in keys
            ):
                self.examples.append(example)
                for key in keys:
                    shown[key] = shown.get(key, 0) + 1
        known = {each.rule for each in self.unknown_examples}
        self.unknown_examples += [each for each in other.unknown_examples if each.rule not in known]

    def sorted_moves(self) -> list[tuple[Move, int]]:
        """The moves, the most frequent first."""
        found = [(Move(*msgspec.json.decode(key)), number) for key, number in self.moves.items()]
        return sorted(found, key=lambda each: (-each[1], each[0]))


_COUNTERS = (
    "fields", "rules", "unknown_facts", "unknown_rules", "teams_before", "teams_after", "breaches_before",
    "breaches_after", "rulebooks", "left_out",
)  # fmt: skip
_NUMBERS = (
    "decisions", "tickets", "same", "changed", "unknown", "unreadable", "missed_more", "missed_less", "followed", "lived",
    "not_followed", "notices_before", "notices_after",
)  # fmt: skip


def move_key(change: Change) -> str:
    """What is counted together: a change from one value to another; of the desk's own fields, whatever their values."""
    if change.field == "fields":
        return msgspec.json.encode([change.field, _VALUES, _VALUES]).decode()
    return msgspec.json.encode([change.field, change.before, change.after]).decode()
