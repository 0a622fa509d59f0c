"""Runs the daemon with one seeded fault, so that the torture run can be seen to find it.

`python -m tests.torture.mutants ack-before-commit run -c config/intake.yaml`. A test that no broken daemon can fail proves nothing.
"""

import asyncio
import secrets
import sys
from collections.abc import Callable

from channels.contract import RawMessage, Receipt
from intake import cli, journal, keys


def acknowledge_before_commit() -> None:
    """Answer 250 while the row is still on its way to the disk."""
    submit = journal.Journal.submit
    under_way: set[asyncio.Task[Receipt]] = set()

    async def hasty(self: journal.Journal, raw: RawMessage) -> Receipt:
        task = asyncio.create_task(submit(self, raw))
        under_way.add(task)
        task.add_done_callback(under_way.discard)
        return Receipt(0, 0, duplicate=False)

    journal.Journal.submit = hasty  # type: ignore[method-assign]


def keys_not_unique() -> None:
    """Give every message a key of its own, so that one sent again is not known."""

    def random_key(self: keys.Keys, value: str) -> str:
        return secrets.token_hex(16)

    keys.Keys.fingerprint = random_key  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "ack-before-commit": acknowledge_before_commit,
    "keys-not-unique": keys_not_unique,
}


def main() -> int:
    MUTANTS[sys.argv[1]]()
    return cli.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
