"""A backtest as one page: everything in the file, nothing asked of any server."""

from importlib import resources
from typing import Any

import jinja2

from intake.backtest import report

_MOST_BARS = 20
_MOST_EXAMPLES = 100
_MOST_ROWS = 50
_WIDTH = 640  # of the drawing, in its own units


def html(told: dict[str, Any]) -> str:
    """The whole page."""
    environment = jinja2.Environment(
        autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=jinja2.StrictUndefined
    )
    environment.filters |= {"grouped": report.grouped, "signed": report.signed}
    environment.globals |= {"share": report.share}
    template = environment.from_string(resources.files(__package__).joinpath("page.html").read_text("utf-8"))
    return template.render(
        told=told,
        outcomes=_outcomes(told),
        days=_days(told["days"]),
        teams=_pairs(told["teams"], "team"),
        breaches=_pairs(told["sla"]["breaches"], "target"),
        moves=told["moves"][:_MOST_ROWS],
        by_rule=list(told["by_rule"].items())[:_MOST_ROWS],
        unknown_rules=list(told["unknown_rules"].items())[:_MOST_ROWS],
        examples=told["examples"][:_MOST_EXAMPLES],
        width=_WIDTH,
    )


def _outcomes(told: dict[str, Any]) -> list[dict[str, Any]]:
    """The parts of the bar at the top: name, number, where it begins and how wide it is."""
    whole = max(1, told["decisions"])
    found, begin = [], 0.0
    for name in ("changed", "unknown", "unreadable", "same"):
        part = told[name] / whole * _WIDTH
        if told[name]:
            found.append({"name": name, "number": told[name], "x": round(begin, 1), "width": round(part, 1)})
        begin += part
    return found


def _pairs(rows: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Before and after as lengths of bars, on one scale."""
    largest = max((max(row["before"], row["after"]) for row in rows), default=0) or 1
    return [
        {
            "name": row[name],
            "before": row["before"],
            "after": row["after"],
            "before_width": round(row["before"] / largest * _WIDTH, 1),
            "after_width": round(row["after"] / largest * _WIDTH, 1),
        }
        for row in rows[:_MOST_BARS]
    ]


def _days(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Columns of decisions by day, the changed ones at the foot; weeks when there are more than sixty days."""
    if len(rows) > 60:
        rows = _bundled(rows, -(-len(rows) // 60))
    largest = max((row["decisions"] for row in rows), default=0) or 1
    step = _WIDTH / max(1, len(rows))
    return [
        {
            **row,
            "x": round(place * step, 1),
            "width": round(max(1.0, min(step * 0.8, 40)), 1),
            "height": round(row["decisions"] / largest * 120, 1),
            "changed_height": round(row["changed"] / largest * 120, 1),
        }
        for place, row in enumerate(rows)
    ]


def _bundled(rows: list[dict[str, Any]], size: int) -> list[dict[str, Any]]:
    """Several days in one column, named by the first."""
    return [
        {
            "day": rows[first]["day"],
            "decisions": sum(row["decisions"] for row in rows[first : first + size]),
            "changed": sum(row["changed"] for row in rows[first : first + size]),
        }
        for first in range(0, len(rows), size)
    ]
