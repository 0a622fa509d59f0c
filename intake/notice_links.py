"""Signed links in notices: whoever got one may say "I look at it", or "I take it", without a password.

`https://help.example.com/n/ack/k7m4q2p.marek.<notice>.<until>.<signature>`: the link itself is the authority, so it is
bound to what it is for, the ticket, the agent and the notice, ends by itself, and is refused without a look at the
store. Opening it does nothing: mail scanners and browsers that look ahead open links. The button on the page does.
"""

import re
from typing import Literal

import msgspec

from intake import addresses, refs
from intake.keys import Keys

Purpose = Literal["ack", "take"]
PURPOSES: tuple[Purpose, ...] = ("ack", "take")
PATH = "/n"
DAY_S = 86_400

_AGENT = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}"  # as names are written in the rules
_TOKEN = re.compile(
    rf"([0-9a-z]{{7}})\.({_AGENT})\.([0-9a-z]{{1,13}})\.([0-9a-z]{{1,8}})\.([a-z0-9]{{27,29}})", re.ASCII
)
_SHOWN = re.compile(rf"{PATH}/(?:ack|take)/[0-9a-z]{{7}}\.", re.IGNORECASE)
_NUMBER_LIMIT = 2**63


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """What a link lets somebody do. notice: the outbox id of the notice it stands in; until_s: seconds since 1970."""

    purpose: Purpose
    ref: str
    agent: str
    notice: int
    until_s: int


def url(keys: Keys, public_url: str, link: Link) -> str:
    return f"{public_url}{path(keys, link)}"


def path(keys: Keys, link: Link) -> str:
    return f"{PATH}/{link.purpose}/{_token(keys, link)}"


def read(keys: Keys, purpose: Purpose, token: str) -> Link | None:
    """Return what a token says; None = it is not ours, or for something else. Whether it has ended is another question."""
    found = _TOKEN.fullmatch(token)
    ref = refs.normalized(found[1]) if found is not None else None
    if found is None or ref is None or int(found[3], 36) >= _NUMBER_LIMIT:
        return None
    link = Link(purpose=purpose, ref=ref, agent=found[2], notice=int(found[3], 36), until_s=int(found[4], 36))
    # As it was written, letter by letter: a ref or a number may be spelt in several ways, a link in one.
    said = _said(link)
    is_spelt_so = token[: found.start(5)] == said
    return link if keys.verify(_signed_for(purpose), found[5], said) and is_spelt_so else None


def for_purpose(link: Link, purpose: Purpose) -> Link:
    """Return the link that does the other thing: whoever holds one may do both."""
    return msgspec.structs.replace(link, purpose=purpose)


def shows_link(text: str) -> bool:
    """Whether a text shows a link that only its agent may know."""
    return _SHOWN.search(text) is not None


def _token(keys: Keys, link: Link) -> str:
    said = _said(link)
    return said + keys.sign(_signed_for(link.purpose), said)


def _said(link: Link) -> str:
    return (
        f"{link.ref.lower()}.{link.agent}.{addresses.base36(link.notice)}.{addresses.base36(link.until_s)}."
    )


def _signed_for(purpose: Purpose) -> str:
    return f"notice {purpose}"
