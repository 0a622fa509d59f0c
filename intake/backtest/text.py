"""A backtest for the terminal."""

from collections.abc import Iterator, Sequence
from typing import Any

from intake import terminal
from intake.backtest.report import grouped, share, signed

_MOST_MOVES = 20
_MOST_EXAMPLES = 10
_LEAST_COLUMNS = 60


def lines(told: dict[str, Any], *, width: int) -> Iterator[str]:
    """Lay it out, at most so many columns wide."""
    decisions = told["decisions"]
    yield f"{grouped(decisions)} decisions on {grouped(told['tickets'])} tickets, {told['first_at'] or '-'} to {told['last_at'] or '-'}"
    for name in ("same", "changed", "unknown", "unreadable"):
        if told[name] or name in ("same", "changed"):
            yield f"  {grouped(told[name]):>9} {name:<10} {share(told[name], decisions):>8}"
    width = max(width, _LEAST_COLUMNS)
    yield from _section("What changes", _changes(told), ("field", "decisions"), width, "field")
    yield from _section(
        "From what to what", _moves(told), ("field", "before", "after", "count"), width, "after"
    )
    yield from _section("Because of", _counted(told["by_rule"], "rule"), ("rule", "decisions"), width, "rule")
    yield from _section(
        "Tickets by team",
        _differing(told["teams"], "team"),
        ("team", "before", "after", "more"),
        width,
        "team",
    )
    breaches = _differing(told["sla"]["breaches"], "target")
    yield from _section("Missed targets", breaches, ("target", "before", "after", "more"), width, "target")
    yield from _sla(told)
    yield from _left_out(told)
    yield from _section(
        "Examples", _examples(told), ("ref", "field", "before", "after", "rule"), width, "after"
    )
    unknown = _counted(told["unknown_facts"], "fact")
    yield from _section("Not known of old tickets", unknown, ("fact", "decisions"), width, "fact")
    yield ""
    yield from told["not_covered"]


def _section(
    title: str, rows: Sequence[dict[str, str]], columns: Sequence[str], width: int, stretch: str
) -> Iterator[str]:
    if rows:
        yield ""
        yield title
        yield from terminal.table(rows, columns, width=width, stretch=stretch)


def _changes(told: dict[str, Any]) -> list[dict[str, str]]:
    return [{"field": name, "decisions": grouped(number)} for name, number in told["changes"].items()]


def _counted(counts: dict[str, int], name: str) -> list[dict[str, str]]:
    return [{name: key, "decisions": grouped(number)} for key, number in list(counts.items())[:_MOST_MOVES]]


def _moves(told: dict[str, Any]) -> list[dict[str, str]]:
    return [{**each, "count": grouped(each["count"])} for each in told["moves"][:_MOST_MOVES]]


def _differing(rows: Sequence[dict[str, Any]], name: str) -> list[dict[str, str]]:
    return [
        {
            name: row[name],
            "before": grouped(row["before"]),
            "after": grouped(row["after"]),
            "more": signed(row["after"] - row["before"]),
        }
        for row in rows
    ]


def _sla(told: dict[str, Any]) -> Iterator[str]:
    sla, notices = told["sla"], told["notices"]
    yield ""
    yield (
        f"{grouped(sla['newly_missed'])} tickets would miss a target they kept, "
        f"{grouped(sla['newly_kept'])} would keep one they missed"
        + (f"; {grouped(sla['not_followed'])} could not be followed" if sla["not_followed"] else "")
    )
    if notices["tickets"]:
        yield (
            f"notices on the {grouped(notices['tickets'])} tickets lived again: "
            f"{grouped(notices['before'])} before, {grouped(notices['after'])} after"
        )


def _left_out(told: dict[str, Any]) -> Iterator[str]:
    if told["left_out"]:
        rules = ", ".join(f"{rule} ({grouped(number)})" for rule, number in told["left_out"].items())
        yield f"tickets were lived without react rules that ask for what was not kept: {rules}"


def _examples(told: dict[str, Any]) -> list[dict[str, str]]:
    return [
        {
            "ref": example["ref"],
            **{name: change[name] or "-" for name in ("field", "before", "after", "rule")},
        }
        for example in told["examples"][:_MOST_EXAMPLES]
        for change in example["changes"]
    ]
