"""Eight writers at the same moment."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from intake.desk import DeskError

WRITERS = 8


def at_once(calls: Iterable[Callable[[], Any]]) -> list[Any]:
    """Run the calls on eight threads; their results, or the DeskError each ended with."""

    def caught(call: Callable[[], Any]) -> Any:
        try:
            return call()
        except DeskError as error:
            return error

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(caught, calls))
