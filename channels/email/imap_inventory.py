"""Counts everything that a folder holds and holds it against the journal: what is missing is fetched, and told.

The folder is read by place, not by SEARCH, from the newest to the oldest: mails that are deleted meanwhile move others
down, into what is still to be read, so none is overlooked.
"""

from collections import Counter
from collections.abc import Iterator

import msgspec

from channels import contract
from channels.email.imap_answers import Described
from channels.email.imap_books import Books
from channels.email.imap_message import Place
from channels.email.imap_position import Failure, Position
from channels.email.imap_wire import Client

LISTED_AT_ONCE = 1_000
MAX_COUNTED = 200_000  # the newest ones; keys take 100 bytes each
RECENT = 200  # what is looked at again after each new mail
MAX_NAMED = 20


class Count(msgspec.Struct):
    """keys: of the mails that the journal has to hold, with their UIDs. left: the others, by reason."""

    keys: dict[str, int] = {}
    left: Counter[str] = msgspec.field(default_factory=Counter)


def count(client: Client, books: Books, *, place: Place, position: Position, exists: int, most: int) -> Count:
    """Sort the newest `most` mails at or below the position."""
    found = Count()
    for mails in windows(client, exists, most):
        read = [mail for mail in mails if mail.uid <= position.uid]
        compared = {place.key(mail) for mail in read if mail.uid <= position.compared_to}
        journalled = books.known(compared) if compared and place.uidvalidity else frozenset()
        for mail in read:
            _sort(found, mail, place.key(mail), position=position, journalled=journalled, place=place)
    return found


def inventory(place: Place, position: Position, counted: Count | None) -> contract.Inventory:
    """Make what intake is told. counted: None = only what is excused is told."""
    left = counted.left if counted is not None else Counter[str]()
    excused = [contract.Excused(reason, number) for reason, number in sorted(left.items())]
    return contract.Inventory(
        account=place.account,
        place=place.folder,
        generation=str(place.uidvalidity) if place.uidvalidity else "",
        keys=None if counted is None else tuple(counted.keys),
        excused=(*excused, *_failures(position)),
    )


def windows(client: Client, exists: int, most: int) -> Iterator[list[Described]]:
    """Describe the newest `most` mails, in portions, each once."""
    lowest = 1 << 32
    last, end = exists, max(0, exists - most)
    while last > end:
        first = max(end + 1, last - LISTED_AT_ONCE + 1)
        listed = client.describe_places(f"{first}:{last}")
        yield [mail for uid, mail in listed.items() if uid < lowest]  # one that moved down is seen twice
        lowest = min([lowest, *listed])
        last = first - 1


def _sort(
    found: Count, mail: Described, key: str, *, position: Position, journalled: frozenset[str], place: Place
) -> None:
    if mail.uid in position.failures:
        return  # told one by one
    if position.is_skipped(mail.uid, mail.date):
        found.left["skipped"] += 1
    elif not place.uidvalidity or (mail.uid <= position.compared_to and key not in journalled):
        found.left["compared"] += 1
    else:
        found.keys[key] = mail.uid


def _failures(position: Position) -> Iterator[contract.Excused]:
    by_reason: dict[str, list[tuple[int, Failure]]] = {}
    for uid, failure in sorted(position.failures.items()):
        by_reason.setdefault(failure.reason, []).append((uid, failure))
    for reason, failures in by_reason.items():
        is_alarming = reason != "retrying"
        for uid, failure in failures[:MAX_NAMED]:
            yield contract.Excused(reason, 1, f"UID {uid}: {failure.detail}", is_alarming)
        if len(failures) > MAX_NAMED:
            yield contract.Excused(reason, len(failures) - MAX_NAMED, "", is_alarming)
