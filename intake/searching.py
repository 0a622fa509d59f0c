"""Finds tickets for somebody: by ref, by whom they are of, by the words in their messages, the newest first.

A ticket is found once, by its newest message that has all the words; then, where too few were found, tickets that have
the words in several messages; then, where next to nothing was, those that have words spelt nearly so. What is looked through at once is bounded: behind that the result says how far back it
has seen (`searched_back_to`), and its cursor goes on there. Who may see what is part of each query.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from sqlalchemy import BigInteger, bindparam, select

from intake import desk_rows, instants, search_hits, search_known, search_match, search_meant, search_query
from intake.desk_scope import scope_of
from intake.search_match import LAST_ID
from intake.search_query import Query
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement, values_of
from intake.web.access import Who

PAGE, PAGE_MAX = 25, 100
LOOKED_THROUGH = 10_000  # messages with the words, of one search
SPREAD_OVER = 3_000  # messages of each word, where words stand in several messages
_CHECKED, _NEWER_MAX = 50, 5_000  # tickets looked up at once, and their newer messages

# The stages of a search, in the order in which they come: their names are in it too.
CUSTOMERS, WORDS, WORDS_BEGUN, WORDS_SIMILAR = "customers", "words", "words_begun", "words_similar"
_CURSOR = re.compile(rf"({CUSTOMERS}|{WORDS}|{WORDS_BEGUN}|{WORDS_SIMILAR})-(\d{{1,19}})")
FEW = 3  # tickets: where fewer are found, words may be misspelt
_encode = msgspec.json.Encoder().encode
_t, _m = schema.tickets.c, schema.messages.c


_OF_MESSAGES = Statement(
    select(_m.id, _t.id, _t.customer_id)
    .join(schema.tickets, _t.id == _m.ticket_id)
    .where(_m.id.in_(values_of("ids", BigInteger())), *search_known.filters)
)
_NEWER = Statement(
    select(_m.id, _m.ticket_id)
    .where(_m.ticket_id.in_(values_of("ids", BigInteger())), _m.id >= bindparam("since"))
    .limit(bindparam("most"))
)
_TICKETS_OF = Statement(select(_m.ticket_id).where(_m.id.in_(values_of("ids", BigInteger()))).distinct())
_SAID_AT = Statement(select(_m.at).where(_m.id == bindparam("id")))


class _Search(msgspec.Struct, frozen=True):
    """One search under way. customers: who the address or number is; given: search_known.parameters.

    shown: what was searched for before it; its tickets are not found again. None = nothing was.
    """

    query: Query
    customers: tuple[int, ...]
    given: dict[str, Any]
    shown: Query | None = None


class _Found(msgspec.Struct, frozen=True):
    """Tickets with the message that has the words. next: where to go on, None = that was all. seen_to: a message's id."""

    hits: dict[int, int]
    next: int | None = None
    seen_to: int | None = None


def find(tx: Tx, who: Who, typed: str, *, cursor: str | None = None, limit: int = PAGE) -> dict[str, Any]:
    """Give a page of what was typed: `text`, `tickets` (see desk_rows) each with its `hit` (see search_hits), `next`.

    hit.where is also "ref", "customer" (found by address or number) and "messages" (the words stand in several).
    also_searched: words that were not typed and that tickets of this page have, the typed ones being misspelt or rare.
    next: the cursor of the next page, None = that was all. searched_back_to: RFC 3339, None = everything was looked
    through.
    """
    query, scope, limit = search_query.read(typed), scope_of(who), min(max(limit, 1), PAGE_MAX)
    search = _Search(query, tuple(search_known.customers(tx, query)), search_known.parameters(query, scope))
    stage, place = _place(cursor)
    of_ref = search_known.by_ref(tx, query, search.given)
    told = {each: search_hits.plain("ref") for each in of_ref} if cursor is None else {}
    if stage == CUSTOMERS:
        theirs = search_known.of_customers(tx, search.customers, search.given, before=place, most=limit + 1)
        told |= {each: search_hits.plain("customer") for each in theirs[:limit] if each not in of_ref}
        if len(theirs) > limit:
            return _page(tx, query, told, following=f"{CUSTOMERS}-{theirs[limit - 1]}")
        stage, place = WORDS, LAST_ID
    for name, part in _stages(search):
        if name < stage:
            continue
        found = _by_words(tx, part, before=place, most=limit - len(told), known={*told, *of_ref})
        told |= _told(tx, query, found)
        if found.next is not None:
            return _page(tx, query, told, following=f"{name}-{found.next}", seen_to=found.seen_to)
        place = LAST_ID
    if cursor is None and len(told) < limit:
        told |= _spread(tx, search, known=set(told), most=limit - len(told))
    if stage == WORDS_SIMILAR or (cursor is None and len(told) < FEW):
        return _similar(tx, search, told, before=place, most=limit - len(told))
    return _page(tx, query, told, following=None)


def _similar(
    tx: Tx, search: _Search, told: dict[int, dict[str, Any]], *, before: int, most: int
) -> dict[str, Any]:
    """Add what is found when words were misspelt. before: as the cursor says; then what was told before is looked up."""
    meant = search_meant.read(tx, search.query)
    if meant is None:
        return _page(tx, search.query, told, following=None)
    part = msgspec.structs.replace(search, query=meant, shown=search.query)
    known = set(_spread(tx, search, known=set(), most=FEW)) | set(told)
    found = _by_words(tx, part, before=before, most=most, known=known)
    also = search_meant.words_in(tx, search.query, meant, found.hits.values())
    following = None if found.next is None else f"{WORDS_SIMILAR}-{found.next}"
    told = told | _told(tx, meant, found)
    return _page(tx, search.query, told, following=following, seen_to=found.seen_to, also=also)


def _stages(search: _Search) -> Iterator[tuple[str, _Search]]:
    """Give the searches by words, one after the other: by whole words, then by words that are typed to a part.

    All words that begin so are put together before the newest message is known: of a word that many messages have it is
    seldom needed, because the whole word fills the page.
    """
    whole = search.query.whole
    yield WORDS, msgspec.structs.replace(search, query=whole)
    if whole.pieces != search.query.pieces:
        yield WORDS_BEGUN, msgspec.structs.replace(search, shown=whole)


def _place(cursor: str | None) -> tuple[str, int]:
    """Read where to go on; what is no cursor of ours begins at the beginning."""
    found = _CURSOR.fullmatch(cursor or "")
    return (CUSTOMERS, LAST_ID) if found is None else (found[1], min(int(found[2]), LAST_ID))


def _page(
    tx: Tx,
    query: Query,
    told: dict[int, dict[str, Any]],
    *,
    following: str | None,
    seen_to: int | None = None,
    also: Sequence[str] = (),
) -> dict[str, Any]:
    rows = desk_rows.with_ids(tx, list(told))
    at = None if seen_to is None else tx.one(_SAID_AT, id=seen_to)
    return {
        "text": query.text,
        "tickets": [row | {"hit": told[ticket_id]} for ticket_id, row in rows],
        "next": following,
        "also_searched": list(also),
        "searched_back_to": None if at is None else instants.rfc3339_from_us(at[0]),
    }


def _by_words(tx: Tx, search: _Search, *, before: int, most: int, known: set[int]) -> _Found:
    """Find tickets by their newest message that has all the words. known: those that are shown already."""
    if not search.query.pieces:
        return _Found({})
    hits: dict[int, int] = {}
    looked = 0
    for chunk in search_match.hits(tx, search.query, before=before):
        for ticket_id, message_id in _new(tx, search, chunk, before=before):
            if ticket_id in known or ticket_id in hits:
                continue
            if len(hits) == most:
                return _Found(hits, next=message_id + 1)
            hits[ticket_id] = message_id
        looked += len(chunk)
        if looked >= LOOKED_THROUGH:
            return _Found(hits, next=chunk[-1], seen_to=chunk[-1])
    return _Found(hits)


def _new(tx: Tx, search: _Search, chunk: Sequence[int], *, before: int) -> Iterator[tuple[int, int]]:
    """Give the tickets of some messages, each with its newest one, that may be seen and that no page has shown before."""
    rows = tx.all(_OF_MESSAGES, ids=_encode(chunk).decode(), **search.given)
    newest: dict[int, int] = {}
    for message_id, ticket_id, customer_id in sorted(rows, reverse=True):
        if customer_id not in search.customers:
            newest.setdefault(ticket_id, message_id)
    left = list(newest)
    for some in (left[place : place + _CHECKED] for place in range(0, len(left), _CHECKED)):
        shown: set[int] = set()
        if before != LAST_ID:
            shown |= _having(tx, search.query, some, since=before)
        if search.shown is not None:
            shown |= _having(tx, search.shown, some)
        yield from ((each, newest[each]) for each in some if each not in shown)


def _having(tx: Tx, query: Query, ticket_ids: Sequence[int], *, since: int = -1) -> set[int]:
    """Return the tickets of which a message has the words: a page before this one has shown them. since: its lowest id."""
    asked = _encode(ticket_ids).decode()
    of_message: dict[int, int] = dict(tx.all(_NEWER, ids=asked, since=since, most=_NEWER_MAX))
    return {of_message[each] for each in search_match.having(tx, query, list(of_message))}


def _told(tx: Tx, query: Query, found: _Found) -> dict[int, dict[str, Any]]:
    described = search_hits.of_messages(tx, query, found.hits.values())
    return {ticket_id: described[message_id] for ticket_id, message_id in found.hits.items()}


def _spread(tx: Tx, search: _Search, *, known: set[int], most: int) -> dict[int, dict[str, Any]]:
    """Find tickets that have every word, each in some message of theirs."""
    pieces = search.query.pieces
    if len(pieces) < 2:
        return {}
    apart = [msgspec.structs.replace(search.query, pieces=(piece,)) for piece in pieces]
    if not all(next(search_match.hits(tx, each), None) for each in apart):
        return {}  # a word that nobody has written
    common = set.intersection(*(_tickets_with(tx, each) for each in apart))
    allowed = search_known.allowed(tx, common - known, search.given)
    return {each: search_hits.plain("messages") for each in allowed[:most]}


def _tickets_with(tx: Tx, query: Query) -> set[int]:
    found: Iterator[list[int]] = search_match.hits(tx, query)
    ids: list[int] = []
    for chunk in found:
        ids += chunk
        if len(ids) >= SPREAD_OVER:
            break
    return {row[0] for row in tx.all(_TICKETS_OF, ids=_encode(ids).decode())}
