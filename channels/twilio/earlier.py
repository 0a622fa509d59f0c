"""Looks for what Twilio may have taken from us already: it knows no idempotency key, so we look before we ask again.

Source: twilio.com/docs/messaging/api/message-resource and /docs/voice/api/call-resource (list, newest first; DateCreated
has whole seconds), checked 2026-11.
"""

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from channels import contract
from channels.twilio.api import Api, ApiError

if TYPE_CHECKING:
    from twilio.rest import Client

MARGIN = timedelta(minutes=5)  # clocks differ, and Twilio's dates have whole seconds


async def look(
    api: Api,
    kind: Literal["messages", "calls"],
    asked: dict[str, Any],
    *,
    since: datetime,
    most: int,
) -> list[Any]:
    """Return what went to that number from that number since then, the oldest first. asked: the request's parameters.

    Raises: DeliveryFailed, of unknown outcome, when Twilio cannot be asked.
    """

    async def listed(twilio: "Client") -> list[Any]:
        resource: Any = getattr(twilio, kind)
        return list(await resource.list_async(to=asked["to"], from_=asked["from_"], limit=most))

    try:
        found = await api.call(listed)
    except ApiError as error:
        done = "sent" if kind == "messages" else "made"
        reason = f"it may have been {done}, and Twilio cannot be asked: {error}"
        raise contract.DeliveryFailed(reason, retryable=True, unknown=True) from error
    begun = since - MARGIN
    fitting = [each for each in reversed(found) if _made_at(each, begun) >= begun]
    return sorted(fitting, key=lambda each: _made_at(each, begun))


def _made_at(resource: Any, otherwise: datetime) -> datetime:
    """When it was made; a time that Twilio does not give (yet) excludes nothing."""
    made: datetime | None = (
        resource.date_created or getattr(resource, "date_sent", None) or getattr(resource, "start_time", None)
    )
    if made is None:
        return otherwise
    return made if made.tzinfo is not None else made.replace(tzinfo=UTC)
