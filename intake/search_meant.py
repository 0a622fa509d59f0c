"""A query read again with the words that may have been meant, when it finds next to nothing as it was typed."""

from collections.abc import Iterable

import msgspec

from intake import search_match, search_spelling
from intake.search_query import Piece, Query, Word
from intake.store.engine import Tx

WORDS_MAX = 4  # of a query, for which others are looked up


def read(tx: Tx, query: Query) -> Query | None:
    """Return the query with the similar words beside its own; None = there are none. Addresses and numbers are as they are."""
    if query.address is not None or query.digits is not None:
        return None
    left, pieces = WORDS_MAX, []
    for piece in query.pieces:
        word = _word(piece)
        near = search_spelling.similar(tx, word) if word is not None and left else ()
        left -= word is not None and left > 0
        pieces.append(Piece((*piece.spellings, *((Word(each),) for each in near))))
    meant = tuple(pieces)
    return None if meant == query.pieces else msgspec.structs.replace(query, pieces=meant)


def _word(piece: Piece) -> str | None:
    """Return the one word that a piece is; None = it is written in several, or is a number."""
    if len(piece.spellings) != 1 or len(piece.spellings[0]) != 1:
        return None
    return piece.spellings[0][0].text


def words_in(tx: Tx, typed: Query, meant: Query, message_ids: Iterable[int]) -> list[str]:
    """Return the words that were not typed and that one of the messages has: of others nobody is told that they exist."""
    ids = list(message_ids)
    known = {word.text for word in typed.words}
    added = dict.fromkeys(word.text for word in meant.words if word.text not in known)
    return [each for each in added if search_match.having(tx, _query(each), ids)]


def _query(word: str) -> Query:
    return Query(text=word, pieces=(Piece(((Word(word),),)),))
