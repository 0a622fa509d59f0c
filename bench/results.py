"""Figures beside their targets: kept in results.json, so that a run of one part leaves the others, and written as RESULTS.md."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import machine

FOLDER = Path(__file__).parent
_KEPT = FOLDER / "results.json"
_WRITTEN = FOLDER / "RESULTS.md"
PARTS = (
    "speed",
    "latency",
    "cost",
    "rules",
    "understanding",
    "backtest",
    "timers",
    "phone",
    "desk",
    "chat",
    "page cost",
    "chat soak",
    "torture",
    "chat cuts",
    "crossing answers",
    "hostile texts",
    "broken mail",
    "mailbox",
    "calls",
    "webhooks",
    "walks",
    "escalations",
    "clock jumps",
    "assignment",
    "zones",
)


class Results:
    """What is known so far. A target is met when figure / target is at least 1 (or at most 1, where less is better)."""

    def __init__(self) -> None:
        self._kept: dict[str, Any] = json.loads(_KEPT.read_text()) if _KEPT.exists() else {}

    def begin(self, part: str, *, is_quick: bool) -> None:
        """Forget the part's older figures."""
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        self._kept[part] = {"at": now, "quick": is_quick, "lines": [], "tables": [], "notes": []}
        self._kept["machine"] = machine.description()

    def line(
        self, part: str, what: str, figure: float, *, target: float, unit: str, less_is_better: bool = False
    ) -> None:
        """Add one promise with what was measured; prints it, too."""
        ratio = figure / target if target else 0.0
        is_met = ratio <= 1 if less_is_better else ratio >= 1
        sign = "≤" if less_is_better else "≥"
        words = [
            what,
            f"{sign} {_number(target)} {unit}",
            f"{_number(figure)} {unit}",
            _verdict(ratio, is_met=is_met),
        ]
        self._kept[part]["lines"].append(words)
        print("  " + " | ".join(words), flush=True)
        self.write()

    def table(self, part: str, title: str, head: list[str], rows: list[list[str]]) -> None:
        self._kept[part]["tables"].append({"title": title, "head": head, "rows": rows})
        self.write()

    def note(self, part: str, text: str) -> None:
        self._kept[part]["notes"].append(text)
        print("  " + text, flush=True)
        self.write()

    def write(self) -> None:
        _KEPT.write_text(json.dumps(self._kept, indent=1, ensure_ascii=False) + "\n")
        _WRITTEN.write_text(self._text())

    def _text(self) -> str:
        blocks = [
            "# Bench results\n\nWritten by `make bench`; one run on one machine, medians of its rounds. Ratios travel, absolute figures do not.\n"
        ]
        blocks.append(
            _grid(["Machine", ""], [[name, value] for name, value in self._kept.get("machine", {}).items()])
        )
        blocks += [_section(part, self._kept[part]) for part in PARTS if part in self._kept]
        return "\n".join(blocks)


def _section(part: str, kept: dict[str, Any]) -> str:
    hurried = ", quick run" if kept["quick"] else ""
    blocks = [f"## {part.capitalize()} ({kept['at']}{hurried})\n"]
    if kept["lines"]:
        blocks.append(_grid(["Promise", "Target", "Measured", "Verdict"], kept["lines"]))
    blocks += [f"### {table['title']}\n\n{_grid(table['head'], table['rows'])}" for table in kept["tables"]]
    blocks += [f"- {note}" for note in kept["notes"]]
    return "\n".join(blocks) + "\n"


def _grid(head: list[str], rows: list[list[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}".replace(",", " ")
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"


def _verdict(ratio: float, *, is_met: bool) -> str:
    return f"{'met' if is_met else '**missed**'}, {ratio:.2f} of the target"
