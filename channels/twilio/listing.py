"""Reads lists of Twilio's REST API to their end, page by page, as plain JSON objects.

Twilio lists the newest first. A page names the next one by a token, so what comes in meanwhile moves nothing; a row that
stands on two pages all the same is given once. Pages are smaller where a whole one would be more than is read: a message
of 4 096 characters is up to 48 kB of JSON. `Name>` and `Name<` of a date are "on or after" and "on or before".
Source: twilio.com/docs/usage/twilios-response (paging), /docs/messaging/api/message-resource (checked 2026-11).
"""

import email.utils
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import msgspec

from channels.twilio.api import AnswerTooLongError, Api, ApiError
from channels.twilio.settings import API_URL

if TYPE_CHECKING:
    from twilio.rest import Client

PAGE_SIZE = 1_000
TRIES = 3  # of a page that Twilio fails at: else no long list would ever come to its end
MAX_PAGES = 10_000  # a list that goes on for ever is one that names its own pages again

Row = dict[str, Any]


class Page(msgspec.Struct, frozen=True):
    """rows: as Twilio says them. at: Twilio's own clock, aware UTC, None = it did not say."""

    rows: tuple[Row, ...]
    at: datetime | None = None


async def pages(
    api: Api, path: str, name: str, wanted: Mapping[str, str], *, page_size: int | None = None
) -> AsyncIterator[Page]:
    """Give the pages of a list, the newest rows first. path: below the account ("Messages"). Raises: ApiError."""
    first, size = f"/2010-04-01/Accounts/{{}}/{path}.json", page_size or PAGE_SIZE
    uri, asked = first, _asked(wanted, size)
    seen: set[str] = set()
    for _ in range(MAX_PAGES):
        try:
            answer, at = await _get(api, uri, asked)
        except AnswerTooLongError:
            if size == 1:
                raise
            size = max(1, size // 10)
            uri, asked = first, _asked(wanted, size)
            continue
        rows = tuple(row for row in _rows(answer, name) if row["sid"] not in seen)
        seen.update(row["sid"] for row in rows)
        yield Page(rows, at)
        following = answer.get("next_page_uri")
        if not following:
            return
        uri, asked = _own_path(following), None
    raise ApiError(f"Twilio's list of {name} does not end")


def _asked(wanted: Mapping[str, str], size: int) -> dict[str, object] | None:
    return {**wanted, "PageSize": size}


async def everything(api: Api, path: str, name: str, wanted: Mapping[str, str]) -> list[Row]:
    """Return all rows of a short list. Raises: ApiError."""
    return [row async for page in pages(api, path, name, wanted) for row in page.rows]


def instant(text: object) -> datetime | None:
    """Read a date of a resource ("Tue, 10 Nov 2026 09:00:00 +0000", RFC 2822); None = there is none, or no date."""
    if not isinstance(text, str):
        return None
    try:
        at = email.utils.parsedate_to_datetime(text)
    except ValueError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def written(at: datetime) -> str:
    """Write an instant as filters take it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


async def _get(api: Api, path: str, params: dict[str, object] | None) -> tuple[Row, datetime | None]:
    """Return a page and Twilio's clock; a page that Twilio fails at is asked for again at once. Raises: ApiError."""

    async def ask(twilio: "Client") -> Any:
        uri = API_URL + path.replace("{}", twilio.account_sid)
        return await twilio.request_async("GET", uri, params=params)

    left = TRIES
    while True:
        left -= 1
        try:
            answer = await api.call(ask)
            return body_of(answer), instant((answer.headers or {}).get("Date"))
        except ApiError as error:
            if not left or error.status < 500:
                raise


def body_of(answer: Any) -> Row:
    """Return the object that Twilio answered. Raises: ApiError when it refused, or that is none."""
    try:
        body = msgspec.json.decode(answer.text)
    except msgspec.DecodeError:
        body = None
    if answer.status_code >= 400:
        raise refusal(answer.status_code, body)
    if not isinstance(body, dict):
        raise ApiError("Twilio's answer is not one", is_unknown=True)
    return body


def refusal(status: int, body: object) -> ApiError:
    said = body if isinstance(body, dict) else {}
    code = said.get("code")
    message = " ".join(str(said.get("message") or f"HTTP {status}").split())[:500]
    known = code if isinstance(code, int) else 0
    return ApiError(message, status=status, code=known, is_unknown=status >= 500)


def _rows(answer: Row, name: str) -> list[Row]:
    """Return what a page holds. Raises: ApiError when it is no page of such a list: an empty one would be a lie."""
    found = answer.get(name)
    if not isinstance(found, list) or any(
        not isinstance(row, dict) or not isinstance(row.get("sid"), str) for row in found
    ):
        raise ApiError(f"Twilio's list has no {name}", is_unknown=True)
    return found


def _own_path(uri: object) -> str:
    """Return the next page's address, on the host that was asked. Raises: ApiError when it leads elsewhere."""
    if not isinstance(uri, str):
        raise ApiError("Twilio's next page has no address", is_unknown=True)
    path = uri.removeprefix(API_URL)
    if not path.startswith("/") or path.startswith("//"):
        raise ApiError("Twilio's next page is on another host", is_unknown=True)
    return path
