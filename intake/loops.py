"""Machine never talks to machine: who is never answered automatically, and how mail of ours is known when it comes back.

Everything that leaves carries `X-Intaked-Mark: <a|p>.<outbox id>.<signature>`, a: a machine wrote it. It outlives relays
that strip Auto-Submitted or rewrite the Message-ID. A mark of ours with our own From is our own mail, sent back to us by
somebody's forwarding; a mark of another intaked says whether that one answered by itself.
"""

import re
from collections.abc import Iterable, Mapping

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Message, OutboundMessage
from intake import addresses, events, journal
from intake.keys import Keys
from intake.model import Account, Context, Received
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

MARK = "X-Intaked-Mark"
_MARK = MARK.lower()
_WRITTEN = re.compile(r"([ap])\.([0-9]{1,19})\.([a-z0-9]{27,29})")

# What no person wrote. A list is none of these: what it passes on is somebody's.
MACHINES = frozenset(("auto_reply", "bounce", "feedback_report", "delivery_receipt"))
# What stands on the ticket that it is about, whatever that one's status: it asks for nothing.
ASIDE = MACHINES | {"reaction"}

_o = schema.outbox.c
_SENT = Statement(select(_o.ticket_id, _o.customer_id, _o.payload).where(_o.id == bindparam("id")))
_decode = msgspec.json.Decoder(OutboundMessage).decode

# Local parts as they are without + details, dots, dashes and underscores (RFC 2142, RFC 3834 §2 and what senders use).
_ROBOTS = frozenset(
    {
        *(
            "mailerdaemon",
            "maildaemon",
            "postmaster",
            "mdaemon",
            "daemon",
            "nobody",
            "root",
            "wwwdata",
            "cron",
        ),
        *("bounce", "bounces", "bounced", "listserv", "majordomo", "mailman", "sympa"),
        *("autoreply", "autoresponder", "autoresponse", "autorespond", "outofoffice", "vacation"),
        # "do not answer", as it is said elsewhere
        *(
            "nieodpowiadaj",
            "nieodpisuj",
            "nichtantworten",
            "keineantwort",
            "bittenichtantworten",
            "nepasrepondre",
        ),
        *("nereponsespas", "noresponder", "noresponda", "naoresponda", "naoresponder", "nonrispondere"),
        *(
            "nietbeantwoorden",
            "geenantwoord",
            "svarainte",
            "svarejikke",
            "ikkesvar",
            "alavastaa",
            "neodpovidat",
        ),
        *(
            "neodpovidejte",
            "neodpovedat",
            "nevalaszoljon",
            "nurespunde",
            "yanitlama",
            "cevaplama",
            "meapantate",
        ),
    }
)
_ROBOT = re.compile(
    r"(?:no|not|do ?not|dont|never)[._-]*re(?:ply|spond|spuesta|plies|sponse)|mailer[._-]*daemon|"
    r"(?:^|[._-])(?:postmaster|bounces?)(?:[._=-]|$)"
)
# Lists and their owners (RFC 2369, RFC 3834 §2), and senders that note the recipient in their own name (VERP).
_LISTED = re.compile(
    r"owner-.+|.+-(?:owner|request|bounces?|errors|subscribe|unsubscribe)|.*\b(?:bounces?|return)[+=-].+"
)
_SEPARATORS = str.maketrans("", "", "._-")


def mark(keys: Keys, outbox_id: int, *, is_automatic: bool) -> str:
    number = str(outbox_id)
    letter = "a" if is_automatic else "p"
    return f"{letter}.{number}.{keys.sign('mark', letter, number)}"


def marked_outbox_id(keys: Keys, headers: Mapping[str, tuple[str, ...]]) -> int | None:
    """Return the outbox row whose mark the headers carry; None when it is not signed by us."""
    for value in headers.get(_MARK, ()):
        found = _WRITTEN.fullmatch(value.strip())
        if found and keys.verify("mark", found[3], found[1], found[2]):
            return int(found[2])
    return None


def is_marked_automatic(headers: Mapping[str, tuple[str, ...]]) -> bool:
    """Whether an intaked, this one or another, says that a machine wrote this."""
    return any(value.strip().startswith("a.") for value in headers.get(_MARK, ()))


def is_robot(address: str) -> bool:
    """Whether an address reads like one behind which nobody writes."""
    local = address.lower().rpartition("@")[0] or address.lower()
    if not local or _LISTED.fullmatch(local):
        return True
    plain = local.partition("+")[0]
    return plain.translate(_SEPARATORS) in _ROBOTS or _ROBOT.search(plain) is not None


def is_ours(accounts: Iterable[Account], address: str) -> bool:
    """Whether mail to an address would come back to us, with or without a detail behind it."""
    lowered = address.lower()
    local, _, domain = lowered.rpartition("@")
    for account in accounts:
        plain = f"{addresses.divided(account, local)[0]}@{domain}"
        if {plain, lowered, f"@{domain}"} & set(account.addresses):
            return True
    return False


def note_echo(tx: Tx, context: Context, received: Received, message: Message) -> bool:
    """Close the journal row of our own mail that somebody's forwarding has sent back; false when it is not such.

    Its ticket is told; it becomes no message, moves nothing and is not answered.
    """
    found = _echoed(tx, context, message)
    if found is None:
        return False
    outbox_id, ticket_id, customer_id = found
    events.record(
        tx,
        "own_mail_came_back",
        ticket_id=ticket_id,
        customer_id=customer_id,
        outbox=str(outbox_id),
        journal=received.id,
    )
    problem = "our own mail came back: somebody forwards mail of ours to us"
    journal.close(tx, received.id, "ignored", customer_id=customer_id, problem=problem)
    return True


def _echoed(tx: Tx, context: Context, message: Message) -> tuple[int, int | None, int | None] | None:
    """Return the outbox row that a mail is a copy of, with its ticket and customer; by its mark, else its Message-ID."""
    named = addresses.outbox_id_from_message_id(message.message_id or "")
    if (_MARK not in message.headers and named is None) or message.from_ is None:
        return None
    if not is_ours(context.accounts.values(), message.from_.address):
        return None
    marked = marked_outbox_id(context.keys, message.headers)
    if marked is not None:
        row = tx.one(_SENT, id=marked)
        return (marked, None, None) if row is None else (marked, row[0], row[1])
    row = tx.one(_SENT, id=named) if named is not None else None
    if named is None or row is None or _decode(row[2]).message_id != message.message_id:
        return None
    return named, row[0], row[1]
