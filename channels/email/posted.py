"""What all roads of email.webhook share: a post becomes a raw message, and an answer."""

from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from channels import contract
from channels.email import accept, addresses, headers, identity, ses

if TYPE_CHECKING:
    from aiohttp import web

    from channels import hooks

KIND = "email.webhook"


def wrap(
    body: bytes, envelope: dict[str, Any], *own_keys: str, account: str, received_at: datetime
) -> contract.RawMessage:
    """Wrap what came. own_keys: by which Amazon knows it.

    A mail with neither these nor Message-ID nor Date is known by its bytes: a post is repeated when in doubt.
    """
    content_key = None if envelope.get("form") == ses.FORM else identity.content_key(body)
    if content_key is None and not own_keys:
        content_key = f"webhook:{sha256(body).hexdigest()}"
    return contract.RawMessage(
        kind=KIND,
        account=account,
        lane=_lane(body, envelope),
        keys=own_keys if content_key is None else (content_key, *own_keys),
        body=body,
        received_at=received_at,
        envelope=envelope,
    )


def _lane(body: bytes, envelope: dict[str, Any]) -> str:
    """Name what keeps order: the envelope's sender, else who From says."""
    if "sender" in envelope:
        return accept.lane(body, envelope)
    sender = addresses.parse(headers.scan(body).structured("from"))
    return sender[0].address.lower() if sender else "webhook"


def forged(reason: str) -> "hooks.Refused":
    """Make the refusal of what is not signed. reason: for the operator; the other side hears always the same."""
    from channels import hooks

    return hooks.Refused(403, "not signed as it has to be", reason=reason)


def stored(receipt: contract.Receipt) -> "web.Response":
    from aiohttp import web

    return web.Response(text=f"stored as {receipt.id}\n")


def noted() -> "web.Response":
    """Make the answer to what is understood and leaves nothing to store."""
    from aiohttp import web

    return web.Response(text="noted\n")
