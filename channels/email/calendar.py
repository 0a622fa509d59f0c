"""Says in a few lines what an invitation is about: what, when, where, who (RFC 5545 iCalendar, RFC 5546 methods)."""

import re

from channels.email import charsets

MAX_BYTES = 200_000
MAX_LINES = 2_000
MAX_EVENTS = 5
MAX_ATTENDEES = 10
MAX_DESCRIPTION_CHARS = 2_000

_FOLD = re.compile(r"\r?\n[ \t]")
_LINE = re.compile(r"([A-Za-z0-9-]{1,60})((?:;[^:\"]*(?:\"[^\"]*\"[^:\"]*)*)?):(.*)", re.DOTALL)
_TIME = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)\d\d(Z)?)?")
_ZONE = re.compile(r"(?i);TZID=\"?([^;\":]{1,80})")
_COMMON_NAME = re.compile(r"(?i);CN=(\"[^\"]{0,200}\"|[^;:]{0,200})")
_ESCAPE = re.compile(r"\\([nN;,\\])")
_METHODS = {
    "REQUEST": "Invitation",
    "CANCEL": "Cancelled",
    "REPLY": "Answer to an invitation",
    "COUNTER": "Another time is proposed",
    "PUBLISH": "Event",
}
_KINDS = frozenset({"VEVENT", "VTODO", "VJOURNAL"})


def text_from_calendar(content: bytes, charset: str = "") -> str:
    """Lines for each event; "" when there is none. Times stand as the sender gives them, with their zone."""
    text, _ = charsets.text_from_bytes(content[:MAX_BYTES], charset)
    method = ""
    events: list[list[tuple[str, str, str]]] = []
    depth = 0  # of what lies inside an event: alarms
    for line in _FOLD.sub("", text).splitlines()[:MAX_LINES]:
        found = _LINE.match(line)
        if found is None:
            continue
        name, parameters, value = found[1].upper(), found[2], found[3].strip()
        if name == "METHOD":
            method = value.upper()
        elif name == "BEGIN" and value.upper() in _KINDS:
            events.append([])
            depth = 0
        elif name in ("BEGIN", "END"):
            depth += 1 if name == "BEGIN" else -1
        elif events and depth == 0:
            events[-1].append((name, parameters, value))
    return "\n\n".join(_lines(event, method) for event in events[:MAX_EVENTS] if event)


def _lines(event: list[tuple[str, str, str]], method: str) -> str:
    first: dict[str, tuple[str, str]] = {}
    for name, parameters, value in event:
        first.setdefault(name, (parameters, value))
    heading = _METHODS.get(method, "Event")
    if first.get("STATUS", ("", ""))[1].upper() == "CANCELLED":
        heading = "Cancelled"
    lines = [f"{heading}: {_value(first, 'SUMMARY') or '(no subject)'}"]
    if "DTSTART" in first:
        lines.append(f"When: {_when(first)}")
    if place := _value(first, "LOCATION"):
        lines.append(f"Where: {place}")
    people = [_person(parameters, value) for name, parameters, value in event if name == "ATTENDEE"]
    if "ORGANIZER" in first:
        lines.append(f"Organiser: {_person(*first['ORGANIZER'])}")
    if people:
        more = f" and {len(people) - MAX_ATTENDEES} more" if len(people) > MAX_ATTENDEES else ""
        lines.append(f"Who: {', '.join(people[:MAX_ATTENDEES])}{more}")
    if description := _value(first, "DESCRIPTION"):
        lines += ["", description[:MAX_DESCRIPTION_CHARS]]
    return "\n".join(lines)


def _value(first: dict[str, tuple[str, str]], name: str) -> str:
    value = first.get(name, ("", ""))[1]
    return _ESCAPE.sub(lambda found: "\n" if found[1] in "nN" else found[1], value).strip()


def _when(first: dict[str, tuple[str, str]]) -> str:
    parameters, value = first["DTSTART"]
    begin, zone = _time(value), _zone(parameters, value)
    end = _time(first["DTEND"][1]) if "DTEND" in first else ""
    if end and end[:10] == begin[:10]:
        end = end[11:]
    repeated = ", repeated" if "RRULE" in first else ""
    return f"{begin}{' – ' + end if end else ''}{' ' + zone if zone else ''}{repeated}"


def _time(value: str) -> str:
    found = _TIME.match(value)
    if found is None:
        return value[:40]
    date = f"{found[1]}-{found[2]}-{found[3]}"
    return f"{date} {found[4]}:{found[5]}" if found[4] else date


def _zone(parameters: str, value: str) -> str:
    if value.endswith("Z"):
        return "UTC"
    found = _ZONE.search(parameters)
    return found[1] if found else ""


def _person(parameters: str, value: str) -> str:
    address = re.sub(r"(?i)^mailto:", "", value)[:200]
    found = _COMMON_NAME.search(parameters)
    name = found[1].strip('" ') if found else ""
    return f"{name} <{address}>" if name and name != address else address
