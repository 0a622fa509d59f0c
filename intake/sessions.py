"""State machines under way (calls, chats): one turn is one transaction, and what it answered is kept with its bytes.

    who is it            the raw message, as its channel reads it; before the transaction, for it is pure
    one at a time        the session's lock: its turns come one after the other
    asked again          a key that is known: the answer that was given then, and nothing else happens
    comes late           a key that asking the provider brought before: the turn is taken, under a key of its own
    step                 the channel's pure function on the state, the message and the view (intake.views)
    what stays           the raw message in the journal, the state, who is held (intake.holds)

An agent whom another session claims in the same moment is taken out of the view, and the step is run again: that is a
new transaction, so that locks are always asked for in one order.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Identity, RawMessage, Step, Turn, Unavailable, View
from channels.turns import STATE_MAX_BYTES
from intake import holds, journal
from intake.journal import Journal
from intake.keys import Keys
from intake.store import blobs, schema
from intake.store.engine import Store, StoreError, Tx
from intake.store.statements import Statement, upsert
from intake.views import Views

TRIES = 8
KEPT_US = 24 * 3_600 * 1_000_000  # nobody speaks for longer
FORGOTTEN_AT_ONCE = 1_000
SIGNAL = "turns"  # rows whose next turn waits for what the rules make of them

_s = schema.sessions.c
_STATE = Statement(select(_s.state).where(_s.name == bindparam("name")))
_SAVE = Statement(
    upsert(schema.sessions)
    .values({name: bindparam(name) for name in ("name", "account", "state", "updated_at")})
    .on_conflict_do_update(
        index_elements=[_s.name], set_={"state": bindparam("state"), "updated_at": bindparam("updated_at")}
    )
)
_END = Statement(schema.sessions.delete().where(_s.name == bindparam("name")))
_OLD = select(_s.name).where(_s.updated_at < bindparam("before")).limit(bindparam("most"))
_FORGET = Statement(schema.sessions.delete().where(_s.name.in_(_OLD)))


class TurnFailed(Exception):
    """A step decided what cannot be: a bug of ours, for the operator to read."""


class _Taken(Exception):
    """Another session was quicker. agents: who is taken."""

    def __init__(self, agents: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(agents)))
        self.agents = agents


class Sessions:
    """Takes turns. caller: who a raw message is from, as its channel reads it; pure, None = they hide it."""

    def __init__(
        self,
        store: Store,
        keys: Keys,
        *,
        journal: Journal,
        views: Views,
        folder: Path,
        caller: Callable[[RawMessage], Identity | None],
    ) -> None:
        self._store = store
        self._keys = keys
        self._journal = journal
        self._views = views
        self._folder = folder
        self._caller = caller

    async def turn(self, session: str, raw: RawMessage, step: Step) -> str:
        """Take one turn; see contract.Gate.turn. Raises: Unavailable, TurnFailed, what the step raises."""
        self._journal.check_room()
        taking = _Taking(
            session, raw, step, keys=self._hashed(raw.keys), late_keys=self._hashed(map(_late, raw.keys))
        )
        caller = self._caller(raw)
        busy: frozenset[str] = frozenset()
        try:
            blob = blobs.prepare(raw.body, self._folder)
            for _ in range(TRIES):
                run = partial(taking.run, views=self._views, caller=caller, blob=blob, busy=busy)
                try:
                    kept = await self._store.write(run, is_urgent=True)
                except _Taken as taken:
                    busy |= taken.agents
                    continue
                if kept.id is not None:
                    self._journal.remember(kept.id, kept.raw)
                return kept.reply
        except StoreError as error:
            raise Unavailable(error.sentence, full=error.is_full) from error
        except OSError as error:
            raise Unavailable(f"the turn's file could not be written: {error.strerror}", full=True) from error
        raise TurnFailed(f"session {session} wants agents that others hold: {', '.join(sorted(busy))}")

    def _hashed(self, keys: Iterable[str]) -> list[str]:
        return [self._keys.fingerprint(key) for key in keys]

    async def view(self, account: str, session: str | None = None) -> View:
        """Return the desk as it is now; see contract.Gate.view. Raises: Unavailable."""
        try:
            return await self._store.read(lambda tx: self._views.build(tx, account, session=session))
        except StoreError as error:
            raise Unavailable(error.sentence) from error


class _Kept(msgspec.Struct, frozen=True):
    """reply: the answer. id, raw: of the journal row that the turn wrote, None = it was taken before."""

    reply: str
    raw: RawMessage
    id: int | None = None


class _Taking(msgspec.Struct, frozen=True):
    """One turn on its way. keys: the keyed hashes of raw.keys; late_keys: of those that it has when it comes late."""

    session: str
    raw: RawMessage
    step: Step
    keys: list[str]
    late_keys: list[str]

    def run(
        self,
        tx: Tx,
        *,
        views: Views,
        caller: Identity | None,
        blob: blobs.PreparedBlob,
        busy: frozenset[str],
    ) -> _Kept:
        """Take the turn. busy: agents whom other sessions have just claimed. Raises: _Taken."""
        # Sorts before every lane, which the journal locks next.
        tx.lock("sender", f"!session:{self.session}")
        is_known, reply = _answered(tx, self.keys)
        if is_known and reply is None:
            _, reply = _answered(tx, self.late_keys)
        if reply is not None:
            return _Kept(reply, self.raw)
        row = tx.one(_STATE, name=self.session)
        view = views.build(tx, self.raw.account, session=self.session, caller=caller, busy=busy)
        turn = self.step(None if row is None else bytes(row[0]), self.raw, view)
        raw = _told(self.raw, self.session, turn)
        receipt = journal.keep(tx, raw, blob, self.late_keys if is_known else self.keys)
        tx.signal(SIGNAL, [(receipt.id, raw.lane)])
        self._save(tx, turn)
        return _Kept(turn.reply, raw, receipt.id)

    def _save(self, tx: Tx, turn: Turn) -> None:
        holds.let_go(tx, self.session, but=turn.holds)
        if turn.holds:
            taken = holds.claim(tx, self.session, turn.holds, hold_s=turn.hold_s)
            if taken:
                raise _Taken(taken)
        if turn.state is None:
            tx.run(_END, name=self.session)
            return
        if len(turn.state) > STATE_MAX_BYTES:
            raise TurnFailed(
                f"the state of session {self.session} has {len(turn.state)} bytes, at most {STATE_MAX_BYTES} are kept"
            )
        tx.run(_SAVE, name=self.session, account=self.raw.account, state=turn.state, updated_at=tx.now)


def _told(raw: RawMessage, session: str, turn: Turn) -> RawMessage:
    """Return the message with what its parse will tell on, and what was answered."""
    happened = msgspec.to_builtins(turn.happened)
    told = {"session": session, "happened": happened, "reply": turn.reply}
    return msgspec.structs.replace(raw, envelope=raw.envelope | told)


def _answered(tx: Tx, keys: Sequence[str]) -> tuple[bool, str | None]:
    """Return whether one of these is known, and what it was answered; None = nobody asked, it was brought."""
    known = [each for each in (journal.envelope_of(tx, key) for key in keys) if each is not None]
    replies = (each.get("reply") for each in known)
    return bool(known), next((each for each in replies if isinstance(each, str)), None)


def _late(key: str) -> str:
    """Name a turn whose message was brought by asking the provider: what it tells then was not told by that one."""
    return f"{key}:late"


def forget_old(tx: Tx) -> int:
    """Delete sessions that nothing was heard of for a day, some at a time; how many."""
    return tx.run(_FORGET, before=tx.now - KEPT_US, most=FORGOTTEN_AT_ONCE)
