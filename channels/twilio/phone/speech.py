"""What a caller said, held against words: the longest phrase that is in it wins; two that are as long mean nothing.

A number is a key only when it is what the few words end in ("two", "number two, please"): in many languages "one" is an
article, and "j'ai un problème" presses nothing.
"""

import unicodedata
from collections.abc import Iterable, Mapping

MAX_SAID = 500
NUMBER_MAX_WORDS = 3


def tokens(said: str) -> tuple[str, ...]:
    """Split into words without case, accents and signs: "Naciśnij, proszę" -> ("nacisnij", "prosze")."""
    plain = unicodedata.normalize("NFKD", said[:MAX_SAID].casefold().replace("ł", "l"))
    kept = (each for each in plain if not unicodedata.combining(each))
    return tuple("".join(each if each.isalnum() else " " for each in kept).split())


def chosen(said: str, phrases: Mapping[str, Iterable[str]]) -> str | None:
    """Give the key of the choice that was said. phrases: key -> its phrases; None = none of them, or more than one."""
    heard = tokens(said)
    best, names = 0, set[str]()
    for name, several in phrases.items():
        length = max((_length(heard, phrase) for phrase in several), default=0)
        if length > best:
            best, names = length, {name}
        elif length and length == best:
            names.add(name)
    return names.pop() if len(names) == 1 else None


def _length(heard: tuple[str, ...], phrase: str) -> int:
    """Count the words of a phrase that was said, 0 = it was not."""
    is_beginning = phrase.rstrip().endswith("*")
    wanted = tokens(phrase)
    size = len(wanted)
    for start in range(len(heard) - size + 1) if size else ():
        part = heard[start : start + size]
        if part == wanted:
            return size
        if is_beginning and part[:-1] == wanted[:-1] and part[-1].startswith(wanted[-1]):
            return size
    return 0


def number(said: str, numbers: Mapping[str, str], *, polite: Iterable[str] = ()) -> str | None:
    """Give the key that was said as a number. numbers: word -> key; polite: words that say nothing."""
    empty = {token for phrase in polite for token in tokens(phrase)}
    heard = [token for token in tokens(said) if token not in empty]
    if not heard or len(heard) > NUMBER_MAX_WORDS:
        return None
    known = {"".join(tokens(word)): key for word, key in numbers.items()}
    return known.get(heard[-1])
