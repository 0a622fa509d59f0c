"""Links to files of answers, for a provider that fetches what it is to send: /files/<row>.<number>.<until>.<signature>.

Whoever has the link has the file until it ends, and nothing else: it names one file of one outbox row. It lives a day
longer than the outbox tries to send.
"""

import re

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import OutboundFile, OutboundMessage
from intake import addresses
from intake.keys import Keys
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

PATH = "/files"
PURPOSE = "file"
LIVES_S = 4 * 86_400

_TOKEN = re.compile(r"([0-9a-z]{1,13})\.(\d{1,2})\.([0-9a-z]{1,9})\.([a-z0-9]{27,29})")
_decode = msgspec.json.Decoder(OutboundMessage).decode
_PAYLOAD = Statement(select(schema.outbox.c.payload).where(schema.outbox.c.id == bindparam("id")))


class Link(msgspec.Struct, frozen=True):
    """One file of an outbox row, by its place. until: Unix seconds."""

    outbox_id: int
    number: int
    until: int


def urls(keys: Keys, public_url: str, outbox_id: int, *, count: int, now_us: int) -> list[str]:
    """Return the links to the files of a row, in order. now_us: microseconds UTC."""
    until = addresses.base36(now_us // 1_000_000 + LIVES_S)
    row = addresses.base36(outbox_id)
    return [
        f"{public_url}{PATH}/{row}.{number}.{until}.{keys.sign(PURPOSE, row, str(number), until)}"
        for number in range(count)
    ]


def signed(keys: Keys, token: str, *, now_us: int) -> Link | None:
    """Return what a link of ours stands for; None = we did not make it, or it has ended. Looks at no store."""
    found = _TOKEN.fullmatch(token)
    if found is None or not keys.verify(PURPOSE, found[4], found[1], found[2], found[3]):
        return None
    link = Link(int(found[1], 36), int(found[2]), int(found[3], 36))
    return link if now_us // 1_000_000 < link.until else None


def file_of(tx: Tx, link: Link) -> OutboundFile | None:
    """Return the file, without its bytes; None = the row is gone."""
    row = tx.one(_PAYLOAD, id=link.outbox_id)
    files = _decode(row[0]).attachments if row is not None else ()
    return files[link.number] if link.number < len(files) else None
