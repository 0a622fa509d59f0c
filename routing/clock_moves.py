"""What moves the clocks of a ticket, event by event. Which clock runs when is told in sla.py, which is the way in here."""

from datetime import datetime

import msgspec

from routing.calendar import Calendar
from routing.clock import (
    begin_promise,
    meet,
    pause,
    rearm,
    reopen,
    resume,
    retarget,
    start_target,
    stop,
    take_back,
)
from routing.targets import OPEN_STATUSES, UPDATE_STATUSES, Change, Clock, Past, Policy

FROM_THE_START = ("first_response", "resolution")


class _Moves:
    """One change at work on the clocks of a ticket."""

    def __init__(self, policy: Policy, clocks: dict[str, Clock], change: Change, calendar: Calendar) -> None:
        self.policy, self.clocks, self.change, self.calendar = policy, clocks, change, calendar
        self.at = change.at
        self.is_open = change.after in OPEN_STATUSES

    def create(self) -> None:
        for name in FROM_THE_START:
            self._begin(name, self.at)

    def take_message(self) -> None:
        """Somebody waits from now on, if nobody did already and an answer was given before."""
        clock = self.clocks.get("next_response")
        if clock is not None and clock.state in ("idle", "met") and self.is_open:
            self._begin("next_response", self.at, run=clock.run + (clock.state == "met"))

    def take_answer(self) -> None:
        for name in ("first_response", "next_response"):
            self._meet(name)
        promise = self.clocks.get("promise")
        if promise is not None and promise.running_since != self.at:  # the words that make it do not keep it
            self._meet("promise")
        if self._is_missing("next_response"):
            self._idle(self._next_run("next_response"))
        self._begin("update", self.at, run=self._next_run("update"))

    def take_answer_back(self) -> None:
        """An answer that came back was not given."""
        if self.change.past is None or self.change.taken_back is None:
            raise ValueError("an undelivered answer needs its instant and the words that stand")
        self._untake_first_response(self.change.past, self.change.taken_back)
        self._untake_update(self.change.past, self.change.taken_back)
        if not self.is_open:  # solved ended the others
            return
        self._untake_next_response(self.change.past, self.change.taken_back)
        promise = self.clocks.get("promise")
        if promise is not None and promise.met_at == self.change.taken_back:
            self.clocks["promise"] = take_back(promise)

    def change_priority(self) -> None:
        for name in self.clocks:
            self._retarget(name)

    def change_policy(self) -> None:
        """Running targets take the new length, used time counts; what only the new policy has counts from its words."""
        for name, clock in self.clocks.items():
            self.clocks[name] = rearm(
                clock,
                policy=self.policy,
                priority=self.change.priority,
                at=self.at,
                calendar=self.calendar,
                old=self.change.calendar_before or self.calendar,
            )
        self._begin_missing(self.change.past or Past(created_at=self.at))

    def promise(self) -> None:
        if self.change.promise is not None and self.is_open:  # a ticket that is done owes nothing
            run = self._next_run("promise")
            self.clocks["promise"] = begin_promise(self.change.promise, at=self.at, run=run)
        else:
            self._stop("promise")

    def keep_promise(self) -> None:
        self._meet("promise")

    def drop(self) -> None:
        for name in self.clocks:
            self._stop(name)

    def follow_status(self) -> None:
        """What the status asks for, whatever brought it about; asked twice it changes nothing."""
        was_open = self.change.before in OPEN_STATUSES
        if not self.is_open:
            self._close()
            if was_open:
                self._meet("promise")
        elif not was_open:
            for name in FROM_THE_START:
                clock = self.clocks.get(name)
                if clock is not None and name in self.policy.targets:
                    self.clocks[name] = reopen(clock, at=self.at, calendar=self.calendar)
        self._stand_still("resolution", self.is_open and self.change.after in self.policy.pause)
        self._stand_still("update", self.change.after not in UPDATE_STATUSES)

    # -- parts of the above -----------------------------------------------------------------------------------

    def _begin(self, target: str, at: datetime, *, run: int = 0) -> None:
        if target in self.policy.targets:
            self.clocks[target] = start_target(
                target,
                policy=self.policy,
                priority=self.change.priority,
                at=at,
                calendar=self.calendar,
                run=run,
            )

    def _retarget(self, target: str) -> None:
        self.clocks[target] = retarget(
            self.clocks[target],
            policy=self.policy,
            priority=self.change.priority,
            at=self.at,
            calendar=self.calendar,
        )

    def _idle(self, run: int = 0) -> None:
        if "next_response" in self.policy.targets:
            self.clocks["next_response"] = Clock("next_response", "idle", 0.0, run=run)

    def _meet(self, target: str, *, at: datetime | None = None) -> None:
        clock = self.clocks.get(target)
        if clock is not None:
            self.clocks[target] = meet(clock, at=at or self.at, calendar=self.calendar)

    def _stop(self, target: str) -> None:
        clock = self.clocks.get(target)
        if clock is not None:
            self.clocks[target] = stop(clock, at=self.at, calendar=self.calendar)

    def _close(self) -> None:
        """Resolution, and what was waited for, end well; a first_response that nobody gave is not owed any more."""
        for name in ("resolution", "next_response"):
            self._meet(name)
        self._stop("first_response")

    def _stand_still(self, target: str, is_still: bool) -> None:  # noqa: FBT001
        clock = self.clocks.get(target)
        if clock is not None:
            move = pause if is_still else resume
            self.clocks[target] = move(clock, at=self.at, calendar=self.calendar)

    def _begin_missing(self, past: Past) -> None:
        """The targets of a new policy that the ticket has no clock for, or one that a policy between had stopped.

        A ticket that is done owes nothing of it until it is reopened.
        """
        missing = {name for name in self.policy.targets if self._is_missing(name)}
        if "resolution" in missing and self.is_open:
            self._begin("resolution", past.created_at)
            self._stand_still_since(past, "resolution", self.change.after in self.policy.pause)
        if "first_response" in missing and not past.answers and self.is_open:
            self._begin("first_response", past.created_at)
        if not past.answers:
            return
        if "next_response" in missing:
            waiting_since = past.waiting_since if self.is_open else None
            self._wait_since(waiting_since, run=self._next_run("next_response"))
        if "update" in missing:
            self._begin("update", past.answers[-1], run=self._next_run("update"))
            self._stand_still_since(past, "update", self.change.after not in UPDATE_STATUSES)

    def _stand_still_since(self, past: Past, target: str, is_still: bool) -> None:  # noqa: FBT001
        """The time in the status of now is not counted where the target stands still in it."""
        clock = self.clocks.get(target)
        if clock is None or not is_still or clock.running_since is None:
            return
        since = max(clock.running_since, past.status_since or past.created_at)
        self.clocks[target] = pause(clock, at=since, calendar=self.calendar)

    def _is_missing(self, target: str) -> bool:
        clock = self.clocks.get(target)
        return clock is None or clock.state == "stopped"

    def _next_run(self, target: str) -> int:
        clock = self.clocks.get(target)
        return 0 if clock is None else clock.run + 1

    def _wait_since(self, at: datetime | None, *, run: int = 0) -> None:
        """Somebody waits since an instant, None = nobody does."""
        if at is None:
            self._idle(run)
        else:
            self._begin("next_response", at, run=run)

    def _untake_first_response(self, past: Past, taken_back: datetime) -> None:
        clock = self.clocks.get("first_response")
        if clock is None or clock.met_at != taken_back:
            return
        self.clocks["first_response"] = take_back(clock)
        if past.answers:
            self._meet("first_response", at=past.answers[0])
        elif self.is_open:
            self._retarget("first_response")
        else:  # solved without an answer that stands: it goes on when the ticket is reopened
            self.clocks["first_response"] = msgspec.structs.replace(clock, state="stopped", met_at=None)

    def _untake_next_response(self, past: Past, taken_back: datetime) -> None:
        clock = self.clocks.get("next_response")
        if clock is None:
            return
        if not past.answers:
            self._unwait(clock)
        elif clock.met_at == taken_back:
            self.clocks["next_response"] = take_back(clock)
            later = [answer for answer in past.answers if answer > taken_back]
            if later:
                self._meet("next_response", at=later[0])
        elif clock.state == "running" and past.waiting_since not in (
            None,
            clock.started_at,
            clock.running_since,
        ):
            self._wait_since(past.waiting_since, run=clock.run)

    def _unwait(self, clock: Clock) -> None:
        """No answer stands: next_response does not run before the first."""
        stopped = stop(clock, at=self.at, calendar=self.calendar)
        self.clocks["next_response"] = msgspec.structs.replace(stopped, state="stopped", due_at=None)

    def _untake_update(self, past: Past, taken_back: datetime) -> None:
        clock = self.clocks.get("update")
        if clock is None or taken_back not in (clock.started_at, clock.running_since):
            return
        if past.answers:
            self._begin("update", past.answers[-1], run=clock.run)
        else:
            self._stop("update")


_DO = {
    "created": _Moves.create,
    "customer_message": _Moves.take_message,
    "answered": _Moves.take_answer,
    "answer_undelivered": _Moves.take_answer_back,
    "status": lambda moves: None,
    "priority": _Moves.change_priority,
    "policy": _Moves.change_policy,
    "promised": _Moves.promise,
    "promise_kept": _Moves.keep_promise,
    "dropped": _Moves.drop,
}


def clocks_after(
    policy: Policy, clocks: dict[str, Clock], change: Change, *, calendar: Calendar
) -> dict[str, Clock]:
    """Target -> clock after an event: first the event itself, then its change of status. Raises: as sla.after."""
    moves = _Moves(policy, dict(clocks), change, calendar)
    _DO[change.event](moves)
    if change.event != "dropped":
        moves.follow_status()
    return moves.clocks
