"""Tells what came through a mailing list from what was written to us (RFC 2369, RFC 2919).

A list is a robot that repeats what persons write. Where the list is the desk's own (support@ is a group whose mail is
sent on to the daemon), the post is a customer's mail and is treated as one; everywhere else nobody may be answered
automatically, and no post moves a clock.
"""

import re

from channels.email.auto_reply import answers, precedence_of
from channels.email.headers import Headers

_STRONG = frozenset(("list-id", "list-post", "x-mailing-list", "mailing-list"))
# Newsletters have these; so has what a person sends from a CRM, who then answers a mail.
_WEAK = frozenset(
    (
        "list-unsubscribe",
        "list-help",
        "x-campaign-id",
        "x-campaignid",
        "feedback-id",
        "x-mailgun-tag",
        "x-csa-complaints",
    )
)
FIELDS = _STRONG | _WEAK | {"precedence", "x-precedence"}  # without one of them no list sent a mail
_BULK = frozenset({"bulk", "junk"})
_LIST_ID = re.compile(r"<([^<>\s]{3,250})>")
_MAILTO = re.compile(r"(?i)mailto:[^@\s<>?]{1,64}@([^\s<>?]{1,250})")


def is_list(fields: Headers, recipients: tuple[str, ...]) -> bool:
    """Whether a list or a newsletter sent this. recipients: of the envelope, () = unknown."""
    precedence = precedence_of(fields)
    if precedence in _BULK:
        return True
    if fields.has_any(_STRONG) or precedence == "list":
        return not _is_own(fields, recipients)
    return fields.has_any(_WEAK) and not answers(fields)


def _is_own(fields: Headers, recipients: tuple[str, ...]) -> bool:
    """Whether the list belongs to the domain that the mail was delivered for, and no newsletter's mark is on it."""
    if "feedback-id" in fields or "list-unsubscribe-post" in fields:
        return False
    delivered = recipients or tuple(fields.first(name) for name in ("delivered-to", "x-original-to"))
    domains = {each.rpartition("@")[2].strip(" <>").lower() for each in delivered if "@" in each}
    identifier = _LIST_ID.search(fields.first("list-id"))
    host = identifier[1].lower() if identifier else ""
    posted = _MAILTO.search(fields.first("list-post"))
    return any(host.endswith(f".{domain}") or (posted and posted[1].lower() == domain) for domain in domains)
