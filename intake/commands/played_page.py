"""The transcript of a played scenario: a line for everything that anybody said, pressed or did, with its second."""

from collections.abc import Iterator
from typing import Any

from channels.twilio.simulator.studio import Line
from intake.logs import escaped
from intake.playing import Play

_MARKS = {
    "hears": "«",
    "says": "»",
    "presses": "»",
    "writes": "»",
    "is written": "«",
    "leaves a message": "»",
}
_WIDTH = 12


def objects(play: Play) -> Iterator[dict[str, Any]]:
    """Give each line as JSON values."""
    for each in play.stage.studio.lines:
        yield {
            "at_s": each.at_s,
            "who": each.who,
            "kind": each.kind,
            "text": each.text,
            "call": each.call or None,
        }


def lines(play: Play) -> Iterator[str]:
    """Give the transcript, then what came of it."""
    studio = play.stage.studio
    yield play.scenario.name
    width = min(_WIDTH * 2, max((len(each.who) for each in studio.lines), default=_WIDTH))
    for each in studio.lines:
        yield f"  {_clock(each.at_s):>7}  {escaped(each.who):<{width}}  {_said(each)}"
    slow = max((each.took_ms for each in studio.webhooks.exchanges), default=0.0)
    yield f"  {len(studio.webhooks.exchanges)} webhooks, the slowest answer took {slow:.0f} ms"
    for ticket in play.tickets:
        yield f"  ticket {_ticket(ticket)}"
    for failure in play.failures:
        yield f"  not as expected: {escaped(failure)}"
    if not play.failures:
        yield "  as expected"


def _ticket(ticket: dict[str, Any]) -> str:
    """`7KQ2M4X  new, team support, agent anna: Call from +48600100200`."""
    parts = [
        str(ticket["status"]),
        *(f"{name} {ticket[name]}" for name in ("team", "agent") if ticket.get(name)),
    ]
    return f"{ticket['ref']}  {', '.join(parts)}: {escaped(str(ticket['subject']))}"


def _said(line: Line) -> str:
    mark = _MARKS.get(line.kind)
    if mark is None:
        return f"({escaped(' '.join(filter(None, (line.kind, line.text))))})"
    kind = "" if line.kind in ("hears", "is written", "writes") else f"{line.kind}: "
    return f"{mark} {kind}{escaped(line.text)}"


def _clock(seconds: float) -> str:
    return f"{int(seconds // 60)}:{seconds % 60:04.1f}"
