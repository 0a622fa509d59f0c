"""Lists of Twilio's REST API: filtered, the newest first, in pages that do not shift when something new comes in.

Source: twilio.com/docs/usage/twilios-response, "Paging" (2026-11): PageSize 1-1000, default 50; a page after the first
needs the PageToken of next_page_uri.
"""

import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from channels.twilio.simulator.refusals import ApiError

DEFAULT_SIZE, MAX_SIZE = 50, 1000


def page(name: str, path: str, query: Mapping[str, str], rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Cut out the page that the query asks for. rows: JSON of everything that fits, the newest first."""
    size, number = _size(query), _whole(query, "Page", 0)
    if number and "PageToken" not in query:
        raise ApiError(20006)
    start = _start(rows, query.get("PageToken", ""))
    shown = rows[start : start + size]
    is_last = start + size >= len(rows)
    following = None if is_last else _uri(path, query, size, number + 1, f"PA{shown[-1]['sid']}")
    return {
        "end": number * size + max(0, len(shown) - 1),
        "first_page_uri": _uri(path, query, size, 0, ""),
        "next_page_uri": following,
        "page": number,
        "page_size": size,
        "previous_page_uri": _uri(path, query, size, number - 1, f"PB{shown[0]['sid']}")
        if number and shown
        else None,
        "start": number * size,
        "uri": f"{path}?{urllib.parse.urlencode(query)}" if query else path,
        name: list(shown),
    }


def _start(rows: Sequence[dict[str, Any]], token: str) -> int:
    """Find where the page begins: after the row that the token names (PA), or so that it ends before it (PB)."""
    if not token:
        return 0
    places = {each["sid"]: place for place, each in enumerate(rows)}
    if token[2:] not in places:
        raise ApiError(20006)
    return places[token[2:]] + 1 if token.startswith("PA") else 0


def _size(query: Mapping[str, str]) -> int:
    size = _whole(query, "PageSize", DEFAULT_SIZE)
    if not 1 <= size <= MAX_SIZE:
        raise ApiError(20007)
    return size


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    given = query.get(name, str(default))
    if not given.isdecimal():
        raise ApiError(21710, f"{name}={given}")
    return int(given)


def _uri(path: str, query: Mapping[str, str], size: int, number: int, token: str) -> str:
    kept = {key: value for key, value in query.items() if key not in ("Page", "PageSize", "PageToken")}
    asked = kept | {"PageSize": str(size), "Page": str(number)} | ({"PageToken": token} if token else {})
    return f"{path}?{urllib.parse.urlencode(asked)}"


# -- filters ----------------------------------------------------------------------------------------------------------


def is_between(query: Mapping[str, str], name: str, at: datetime | None) -> bool:
    """Whether an instant fits `name`, `name<` and `name>`: a day means all of it, an instant itself.

    Both bounds count as inside: `DateSent>=` and `DateSent<=` is how they are written in a URL.
    """
    asked = {mark: query[f"{name}{mark}"] for mark in ("", "<", ">") if f"{name}{mark}" in query}
    if not asked:
        return True
    if at is None:
        return False
    checks: dict[str, Callable[[datetime, datetime], bool]] = {
        "": lambda first, last: first <= at < last,
        "<": lambda first, last: at < last,
        ">": lambda first, _: at >= first,
    }
    return all(checks[mark](*_span(name, value)) for mark, value in asked.items())


def _span(name: str, value: str) -> tuple[datetime, datetime]:
    try:
        at = datetime.fromisoformat(value)
    except ValueError:
        raise ApiError(21710, f"{name}={value}") from None
    if len(value) == len("2026-11-10"):
        day = at.replace(tzinfo=UTC)
        return day, day + timedelta(days=1)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    return at, at + timedelta(seconds=1)
