"""Asks those APIs of Twilio's that the older one does not have: objects by GET, JSON by POST.

Lists there are pages with `meta.next_page_url` (twilio.com/docs/usage/twilios-response, checked 2026-11).
"""

import urllib.parse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from channels.twilio.api import Api, ApiError
from channels.twilio.listing import Row, body_of

if TYPE_CHECKING:
    from twilio.rest import Client

MESSAGING = "https://messaging.twilio.com"
MAX_PAGES = 50


async def rows(api: Api, path: str, name: str, wanted: Mapping[str, str] | None = None) -> list[Row]:
    """Return all rows of a list of messaging.twilio.com. Raises: ApiError."""
    found: list[Row] = []
    asked: dict[str, object] | None = {**(wanted or {}), "PageSize": "100"}
    url = MESSAGING + path
    for _ in range(MAX_PAGES):
        answer = await _ask(api, "GET", url, params=asked)
        listed = answer.get(name)
        if not isinstance(listed, list):
            raise ApiError(f"Twilio's list has no {name}", is_unknown=True)
        found += [row for row in listed if isinstance(row, dict)]
        following = (answer.get("meta") or {}).get("next_page_url")
        if not following:
            return found
        parts = urllib.parse.urlsplit(str(following))
        url, asked = f"{MESSAGING}{parts.path}?{parts.query}", None
    return found


async def one(api: Api, url: str) -> Row:
    """Return an object, of any host of Twilio's. Raises: ApiError."""
    return await _ask(api, "GET", url)


async def post_json(api: Api, path: str, values: Mapping[str, Any]) -> Row:
    """Change an object of messaging.twilio.com. Raises: ApiError."""
    headers = {"Content-Type": "application/json", "Accept": "application/json"}
    return await _ask(api, "POST", MESSAGING + path, data=dict(values), headers=headers)


async def post_form(api: Api, url: str, values: Mapping[str, str]) -> Row:
    """Change a resource of the older API. Raises: ApiError."""
    return await _ask(api, "POST", url, data=dict(values))


async def _ask(api: Api, method: str, url: str, **parts: Any) -> Row:
    async def ask(twilio: "Client") -> Any:
        return await twilio.request_async(method, url.replace("{}", twilio.account_sid), **parts)

    return body_of(await api.call(ask))
