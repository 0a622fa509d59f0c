"""UIDs as servers write them: sequence sets, RFC 3501 §9 ("1:4,7")."""

from collections.abc import Iterable, Iterator, Sequence


def text_from(uids: Iterable[int]) -> str:
    """Write UIDs as a sequence set, runs as ranges."""
    return ",".join(str(first) if first == last else f"{first}:{last}" for first, last in _runs(uids))


def chunks(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    return (uids[start : start + size] for start in range(0, len(uids), size))


def _runs(uids: Iterable[int]) -> Iterator[tuple[int, int]]:
    first = last = 0
    for uid in sorted(set(uids)):
        if first and uid == last + 1:
            last = uid
            continue
        if first:
            yield first, last
        first = last = uid
    if first:
        yield first, last
