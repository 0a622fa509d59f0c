"""Runs the daemon with one seeded fault in how escalations fire, so that the torture run can be seen to find it.

`python -m tests.torture.escalation_mutants claim-anything run -c config/intake.yaml`.
"""

import sys
from collections.abc import Callable
from typing import Any

from sqlalchemy import bindparam

from intake import cli, dispatch, failpoints, firing, steps
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from intake.timers import Timers

_t = schema.timers.c


def claim_anything() -> None:
    """Fire a timer whatever has become of it since it was seen to be due."""
    firing._CLAIM = Statement(
        schema.timers.update()
        .where(_t.id == bindparam("timer_id"))
        .values(state="fired", fired_at=bindparam("now"))
        .returning(_t.id, _t.kind, _t.policy, _t.step, _t.target, _t.due_at)
    )


def effects_in_another_transaction() -> None:
    """Note that a timer has fired, commit, and only then do what it stands for."""
    honest = Timers._fire

    async def hasty(self: Timers, timer_id: int, ticket_id: int) -> None:
        is_mine = await self._store.write(
            lambda tx: tx.update(
                schema.timers, {"id": timer_id, "state": "pending"}, state="fired", fired_at=tx.now
            )
        )
        failpoints.reach("timers.in_transaction")
        if is_mine:
            await self._store.write(lambda tx: tx.update(schema.timers, {"id": timer_id}, state="pending"))
            await honest(self, timer_id, ticket_id)

    Timers._fire = hasty  # type: ignore[method-assign]


def timers_after_the_ticket() -> None:
    """Write a new ticket's timers when the ticket has been committed."""
    honest, done = steps.begin, dispatch.Dispatcher._done
    later: list[tuple[Any, ...]] = []

    def put_off(tx: Tx, *of_ticket: Any) -> None:
        later.append(of_ticket)

    def done_and_more(self: dispatch.Dispatcher, number: int) -> None:
        while later:
            of_ticket = later.pop()
            self._tasks.create_task(self._store.write(lambda tx, each=of_ticket: honest(tx, *each)))  # type: ignore[misc]
        done(self, number)

    steps.begin = put_off  # type: ignore[assignment]
    dispatch.Dispatcher._done = done_and_more  # type: ignore[method-assign]


MUTANTS: dict[str, Callable[[], None]] = {
    "claim-anything": claim_anything,
    "effects-in-another-transaction": effects_in_another_transaction,
    "timers-after-the-ticket": timers_after_the_ticket,
}


def main() -> int:
    MUTANTS[sys.argv[1]]()
    return cli.main(sys.argv[2:])


if __name__ == "__main__":
    sys.exit(main())
