"""Links back into a chat: the page where somebody chatted, with `#chat=<session>.<until>.<signature>` behind it.

Whoever has the link has read the mailbox that it went to, and has the chat until it ends. It stands in the fragment, which no
browser sends to the site's server or names to another page; the page hands it to us (`resume`). It names a session by the hash
that its own token has with us, so that it is worth nothing without the signature.
"""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from intake import addresses
from intake.keys import Keys

PURPOSE = "chat back"
LIVES_S = 30 * 86_400
PAGE_MAX = 1_500

_TOKEN = re.compile(r"([0-9a-f]{64})\.([0-9a-z]{1,9})\.([a-z0-9]{27,29})")
_SESSION = re.compile(r"chat:([a-z][a-z0-9_-]{0,63}):([0-9a-f]{64})")


def token(keys: Keys, session: str, *, now_us: int) -> str:
    """Return what stands behind #chat=."""
    until = addresses.base36(now_us // 1_000_000 + LIVES_S)
    digest = session.rpartition(":")[2]
    return f"{digest}.{until}.{keys.sign(PURPOSE, session, until)}"


def session_of(keys: Keys, account: str, text: str, *, now_us: int) -> str | None:
    """Return the session of an account that a token of ours opens; None = we did not make it, or it has ended."""
    found = _TOKEN.fullmatch(text)
    if found is None:
        return None
    session = f"chat:{account}:{found[1]}"
    if not keys.verify(PURPOSE, found[3], session, found[2]):
        return None
    return session if now_us // 1_000_000 < int(found[2], 36) else None


def link(keys: Keys, session: str, page: str, *, origins: Iterable[str], now_us: int) -> str:
    """Return the whole link; "" = the page is none of the account's sites, or is not known."""
    if not is_ours(page, origins) or _SESSION.fullmatch(session) is None:
        return ""
    parts = urlsplit(page)
    plain = f"{parts.scheme}://{parts.netloc}{parts.path}"  # what a page's query holds is nobody's to mail
    return f"{plain}#chat={token(keys, session, now_us=now_us)}"


def is_ours(page: str, origins: Iterable[str]) -> bool:
    """Whether a page's URL is one of a site that the account is on: else a visitor could have us send any link."""
    if not page or len(page) > PAGE_MAX or re.search(r"[\s<>\"\\]", page):
        return False
    try:
        parts = urlsplit(page)
        port = f":{parts.port}" if parts.port is not None else ""
    except ValueError:
        return False
    if parts.username is not None or parts.password is not None:
        return False
    return f"{parts.scheme}://{parts.hostname}{port}" in set(origins)
