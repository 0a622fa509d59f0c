"""Each stored ticket before the new rules: decided anew, compared, and lived again where it could go otherwise."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from intake import instants
from intake.backtest import changes, lives, stored
from intake.backtest.changes import Before
from intake.backtest.lacking import Asked, Lacking, asked_by
from intake.backtest.stored import Past, Span, StoredTicket
from intake.backtest.summary import Summary
from intake.store.engine import Store
from routing import rulebook as rules
from routing.decision import Decision, decide
from routing.problems import ConfigError
from routing.rulebook import Rulebook

_MOST_RULEBOOKS = 8  # older ones held ready


class _Older(msgspec.Struct, frozen=True):
    """What a rulebook of stored decisions had looked up. is_same_course: see lives.course."""

    lacking: Lacking
    is_same_course: bool


class _Verdict(msgspec.Struct, frozen=True):
    """One decision. after: the new one, None = nobody can tell. is_same: nothing would be otherwise."""

    past: Past
    before: Before | None
    after: Decision | None
    is_same: bool


class Judge:
    """One new rulebook. until: the instant up to which tickets live."""

    def __init__(self, store: Store, new: Rulebook, *, since_us: int, until: datetime) -> None:
        self._store, self._new = store, new
        self._since_us, self._until = since_us, until
        self._course = lives.course(new)
        self._older: dict[str, _Older] = {}

    def look(self, span: Span) -> Summary:
        """Judge the tickets of a span."""
        found = self._store.read_now(lambda tx: stored.tickets(tx, span, since_us=self._since_us))
        summary = Summary()
        judged = [
            (ticket, [self._decide(ticket, past, summary) for past in ticket.decisions]) for ticket in found
        ]
        self._follow(judged, summary)
        return summary

    # -- decisions ------------------------------------------------------------------------------------------------

    def _decide(self, ticket: StoredTicket, past: Past, summary: Summary) -> _Verdict:
        at = instants.rfc3339(past.at)
        day = summary.days.setdefault(at[:10], [0, 0])
        day[0] += 1
        summary.decisions += 1
        summary.first_at = min(summary.first_at or at, at)
        summary.last_at = max(summary.last_at, at)
        summary.rulebooks[past.rulebook] = summary.rulebooks.get(past.rulebook, 0) + 1
        verdict = self._compared(ticket, past, summary)
        if verdict.after is not None and not verdict.is_same:
            day[1] += 1
        return verdict

    def _compared(self, ticket: StoredTicket, past: Past, summary: Summary) -> _Verdict:
        before = _read(past)
        if past.facts is None or before is None:
            summary.unreadable += 1
            return _Verdict(past, before, None, is_same=False)
        after = decide(self._new, past.facts)
        unsure = self._of(past.rulebook).lacking.unsure(
            past.facts, after.matched, after.rule, has_quoted=past.has_quoted
        )
        if unsure:
            summary.add_unknown(ticket.ref, [(each.rule, each.facts) for each in unsure])
            return _Verdict(past, before, None, is_same=False)
        found = changes.between(self._new, before, after)
        if found:
            summary.add_change(ticket.ref, instants.rfc3339(past.at), found)
        else:
            summary.same += 1
        return _Verdict(past, before, after, is_same=not found)

    def _of(self, digest: str) -> _Older:
        """The older rulebook of a hash, read when first met."""
        found = self._older.get(digest)
        if found is None:
            if len(self._older) >= _MOST_RULEBOOKS:
                self._older.pop(next(iter(self._older)))
            found = self._older[digest] = self._read_older(digest)
        return found

    def _read_older(self, digest: str) -> _Older:
        if digest == self._new.hash:
            return _Older(Lacking(self._new, asked_by(self._new)), is_same_course=True)
        text = self._store.read_now(lambda tx: stored.source(tx, digest))
        try:
            book = rules.from_text(text) if text is not None else None
        except ConfigError:
            book = None
        if book is None:
            return _Older(Lacking(self._new, Asked()), is_same_course=False)
        return _Older(Lacking(self._new, asked_by(book)), lives.course(book) == self._course)

    # -- lives ----------------------------------------------------------------------------------------------------

    def _follow(self, judged: Sequence[tuple[StoredTicket, list[_Verdict]]], summary: Summary) -> None:
        """Count loads and missed targets; only tickets that could go otherwise are lived again."""
        living = []
        for ticket, verdicts in judged:
            last = verdicts[-1]
            summary.tickets += 1
            self._count_team(last, summary)
            was = lives.as_they_were(ticket.clocks, until=self._until)
            if last.after is None:
                summary.not_followed += 1
            elif all(each.is_same and self._of(each.past.rulebook).is_same_course for each in verdicts):
                _count_breaches(summary, was, was)
            else:
                living.append((ticket, verdicts, was))
        if not living:
            return
        opening = {ticket.id: verdicts[0].past.message_id for ticket, verdicts, _ in living}
        histories = self._store.read_now(lambda tx: stored.histories(tx, list(opening), opening=opening))
        for ticket, verdicts, was in living:
            self._live(ticket, verdicts[-1], histories[ticket.id], was, summary)

    def _count_team(self, last: _Verdict, summary: Summary) -> None:
        """A ticket of which nobody can tell stays where it was."""
        team = last.before.team if last.before and isinstance(last.before.team, str) else "-"
        summary.teams_before[team] = summary.teams_before.get(team, 0) + 1
        now = last.after.team if last.after is not None else team
        if last.after is not None and any(action.kind == "ignore" for action in last.after.actions):
            now = "(ignored)"
        summary.teams_after[now] = summary.teams_after.get(now, 0) + 1

    def _live(
        self,
        ticket: StoredTicket,
        verdict: _Verdict,
        history: stored.History,
        was: frozenset[str],
        summary: Summary,
    ) -> None:
        assert verdict.after is not None and verdict.past.facts is not None  # noqa: S101, PT018 - asked for above
        older = self._of(verdict.past.rulebook)
        facts = msgspec.structs.replace(verdict.past.facts, at=ticket.created_at)
        book = lives.without(self._new, older.lacking.react)
        after = lives.lived(book, facts, verdict.after, history.said, until=self._until)
        if not after.is_whole:
            summary.not_followed += 1
            return
        _count_breaches(summary, was, after.breached)
        summary.lived += 1
        for rule in older.lacking.react:
            summary.left_out[rule] = summary.left_out.get(rule, 0) + 1
        summary.notices_before += history.notices + changes.notices_of(verdict.before)
        summary.notices_after += after.notices


def _count_breaches(summary: Summary, was: frozenset[str], would: frozenset[str]) -> None:
    summary.followed += 1
    for counted, targets in ((summary.breaches_before, was), (summary.breaches_after, would)):
        for target in targets:
            counted[target] = counted.get(target, 0) + 1
    summary.missed_more += bool(would - was)
    summary.missed_less += bool(was - would)


def _read(past: Past) -> Before | None:
    try:
        return changes.read_before(past.decision)
    except (msgspec.DecodeError, msgspec.ValidationError):
        return None
