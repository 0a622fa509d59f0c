"""What a backtest tells: one value for JSON, for the terminal and for the page."""

from datetime import datetime
from typing import Any

import msgspec

from intake import instants
from intake.backtest.changes import FIELDS
from intake.backtest.summary import Summary
from routing.rulebook import Rulebook
from routing.sla import TARGETS

NOT_COVERED = (
    "Which ticket a message joined is as it was; messages that were ignored have no decision and are not looked at.",
    "Who was away and how much each agent had to do is as it was at each decision, not as the new rules would have made it.",
    "Tickets are lived again where decision, clocks, ladders, people or react rules differ, with what people did, when they did it.",
    "What they did is: answers, statuses, priorities, assignments, acknowledgements. Rules act anew, up to now.",
    "Promises, merges, and what customers would have answered to other replies are not lived again.",
)


def told(
    summary: Summary, new: Rulebook, *, file: str, since: datetime | None, until: datetime
) -> dict[str, Any]:
    """The whole result as JSON values. file: where the new rules are."""
    return {
        "rules": file,
        "rulebook": new.hash,
        "since": None if since is None else instants.rfc3339(since),
        "until": instants.rfc3339(until),
        "first_at": summary.first_at or None,
        "last_at": summary.last_at or None,
        "rulebooks": summary.rulebooks,
        "decisions": summary.decisions,
        "tickets": summary.tickets,
        "same": summary.same,
        "changed": summary.changed,
        "unknown": summary.unknown,
        "unreadable": summary.unreadable,
        "changes": {field: summary.fields[field] for field in FIELDS if field in summary.fields},
        "moves": [
            {"field": move.field, "before": move.before, "after": move.after, "count": number}
            for move, number in summary.sorted_moves()
        ],
        "by_rule": _ranked(summary.rules),
        "teams": _pairs(summary.teams_before, summary.teams_after, "team"),
        "sla": {
            "breaches": _breaches(summary),
            "tickets": summary.followed,
            "newly_missed": summary.missed_more,
            "newly_kept": summary.missed_less,
            "not_followed": summary.not_followed,
        },
        "notices": {
            "before": summary.notices_before,
            "after": summary.notices_after,
            "tickets": summary.lived,
        },
        "unknown_facts": _ranked(summary.unknown_facts),
        "unknown_rules": _ranked(summary.unknown_rules),
        "left_out": _ranked(summary.left_out),
        "days": [
            {"day": day, "decisions": decisions, "changed": changed}
            for day, (decisions, changed) in sorted(summary.days.items())
        ],
        "examples": msgspec.to_builtins(summary.examples),
        "unknown_examples": msgspec.to_builtins(summary.unknown_examples),
        "not_covered": list(NOT_COVERED),
    }  # fmt: skip


def _ranked(counts: dict[str, int]) -> dict[str, int]:
    return dict(sorted(counts.items(), key=lambda each: (-each[1], each[0])))


def _pairs(before: dict[str, int], after: dict[str, int], name: str) -> list[dict[str, Any]]:
    """Rows of before and after, the largest first."""
    names = sorted({*before, *after}, key=lambda each: (-max(before.get(each, 0), after.get(each, 0)), each))
    return [{name: each, "before": before.get(each, 0), "after": after.get(each, 0)} for each in names]


def _breaches(summary: Summary) -> list[dict[str, Any]]:
    found = _pairs(summary.breaches_before, summary.breaches_after, "target")
    return sorted(found, key=lambda row: TARGETS.index(row["target"]))


def share(part: int, whole: int) -> str:
    """A part in percent: "12 %", "0.4 %"; "0 %" only when there is nothing."""
    if not part or not whole:
        return "0 %"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.1f} %" if percent >= 0.1 else "< 0.1 %"


def signed(number: int) -> str:
    return f"{number:+,}".replace(",", " ").replace("-", "−") if number else "0"


def grouped(number: int) -> str:
    return f"{number:,}".replace(",", " ")
