"""What a customer entered in a form of WhatsApp's (a flow), as lines that an agent can read; pure.

Source: twilio.com/docs/messaging/guides/webhook-request, "Rich messaging feature parameters" (checked 2026-11): FlowData is
WhatsApp's own JSON as a string, InteractiveData the same below "flowResponse". Flows made with Twilio's builder name a
field screen_0_Choose_one_1 and an answer 0_Buy_it_right_away: the numbers and underscores are not the customer's words.
"""

import re
from collections.abc import Iterator
from typing import Any

import msgspec

MAX_LINES = 50
MAX_CHARS = 500
_FIELD = re.compile(r"screen_\d{1,9}_(.+?)_\d{1,9}")
_ANSWER = re.compile(r"\d{1,9}_(.+)")
_decode = msgspec.json.Decoder().decode


def lines(form: dict[str, str]) -> list[str]:
    """Return a line for each field, in the order in which they stand there; [] = there was no form."""
    for name in ("FlowData", "InteractiveData"):
        written = form.get(name, "")
        if written:
            found = _entered(written)
            return [written[:MAX_CHARS]] if found is None else list(_told(found))[:MAX_LINES]
    return []


def _entered(written: str) -> dict[str, Any] | None:
    """Return field -> answer; None = it is no JSON object."""
    try:
        found = _decode(written)
    except (msgspec.DecodeError, RecursionError):
        return None
    inner = found.get("flowResponse", found) if isinstance(found, dict) else None
    return inner if isinstance(inner, dict) else None


def _told(entered: dict[str, Any]) -> Iterator[str]:
    for field, answer in entered.items():
        if field == "flow_token":  # names the flow that was sent, to whoever sent it
            continue
        answers = answer if isinstance(answer, list) else [answer]
        said = ", ".join(_plain(_ANSWER, each) for each in answers)
        yield f"{_plain(_FIELD, field)}: {said}"[:MAX_CHARS]


def _plain(made_up: re.Pattern[str], value: object) -> str:
    if not isinstance(value, str):
        return msgspec.json.encode(value).decode()
    found = made_up.fullmatch(value)
    return " ".join((found[1].replace("_", " ") if found else value).split())
