"""State machines under way (calls, chats): one turn is one transaction, and what it answered is kept with its bytes.

    who is it            the raw message, as its channel reads it; before the transaction, for it is pure
    one at a time        the session's lock: its turns come one after the other
    asked again          a key that is known: the answer that was given then, and nothing else happens
    comes late           a key that asking the provider brought before: the turn is taken, under a key of its own
    step                 the channel's pure function on the state, the message and the view (intake.views)
    what stays           the raw message in the journal, the state, who is held (intake.holds), the lines that were said
                         (intake.session_lines), where the account's sessions have a feed

An agent whom another session claims in the same moment is taken out of the view, and the step is run again: that is a
new transaction, so that locks are always asked for in one order.
"""

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels.contract import Identity, RawMessage, Step, Turn, Unavailable, View
from channels.turns import STATE_MAX_BYTES
from intake import aliases, chat_links, holds, journal, session_lines
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
_HAS_FEED = select(schema.feeds.c.session).where(schema.feeds.c.session == _s.name).exists()
_OLD = select(_s.name).where(_s.updated_at < bindparam("before"), ~_HAS_FEED).limit(bindparam("most"))
_FORGET = Statement(schema.sessions.delete().where(_s.name.in_(_OLD)))


class TurnFailed(Exception):
    """A step decided what cannot be: a bug of ours, for the operator to read."""


class _Taken(Exception):
    """Another session was quicker. agents: who is taken."""

    def __init__(self, agents: frozenset[str]) -> None:
        super().__init__(", ".join(sorted(agents)))
        self.agents = agents


class _Joins(Exception):
    """The session turns out to be another's: it shows that one's lines."""

    def __init__(self, session: str) -> None:
        super().__init__(session)
        self.session = session


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
            session,
            raw,
            step,
            keys=self._hashed(raw.keys),
            hashed=self._hashed,
            linked=self._linked(raw),
        )
        caller = None if self._views.is_fed(raw.account) else self._caller(raw)
        busy: frozenset[str] = frozenset()
        try:
            blob = await self._journal.prepared(raw.body)
            for _ in range(TRIES):
                run = partial(taking.run, views=self._views, caller=caller, blob=blob, busy=busy)
                try:
                    kept = await self._store.write(run, is_urgent=True)
                except _Taken as taken:
                    busy |= taken.agents
                    continue
                except _Joins as joined:
                    taking = msgspec.structs.replace(taking, joins=joined.session)
                    continue
                if kept.id is not None:
                    self._journal.remember(kept.id, kept.raw)
                return kept.reply
        except StoreError as error:
            raise Unavailable(error.sentence, full=error.is_full) from error
        except OSError as error:
            raise Unavailable(f"the turn's file could not be written: {error.strerror}", full=True) from error
        raise TurnFailed(f"session {session} wants agents that others hold: {', '.join(sorted(busy))}")

    def _linked(self, raw: RawMessage) -> str:
        """Return the session that a link of ours in the message opens, "" = there is none, or it is not good."""
        link = raw.envelope.get("link")
        if not isinstance(link, str):
            return ""
        return chat_links.session_of(self._keys, raw.account, link, now_us=self._store.now_us()) or ""

    def _hashed(self, keys: Iterable[str]) -> list[str]:
        return [self._keys.fingerprint(key) for key in keys]

    def seal(self, purpose: str, *parts: str) -> str:
        """Sign what a channel gives out and gets back; see contract.Gate.seal."""
        return self._keys.sign(purpose, *parts)

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
    """One turn on its way. keys: the keyed hashes of raw.keys; hashed: makes those of others.

    linked: the session that a link opens; joins: the one whose lines are shown from now on; "" = none.
    is_elsewhere: a link opens another session than the one that this is and stays.
    """

    session: str
    raw: RawMessage
    step: Step
    keys: list[str]
    hashed: Callable[[Iterable[str]], list[str]]
    linked: str = ""
    joins: str = ""
    is_elsewhere: bool = False

    @property
    def late_keys(self) -> list[str]:
        """The keys that it has when it comes late."""
        return self.hashed(map(_late, self.raw.keys))

    def run(
        self,
        tx: Tx,
        *,
        views: Views,
        caller: Identity | None,
        blob: blobs.PreparedBlob,
        busy: frozenset[str],
    ) -> _Kept:
        """Take the turn. busy: agents whom other sessions have just claimed. Raises: _Taken, _Joins."""
        own = mine = target = self.session
        if views.is_fed(self.raw.account):
            mine = aliases.resolved(tx, own)
            target = self.joins or self.linked or mine
        # Sorts before every lane, which the journal locks next.
        for each in sorted({own, mine, target}):
            tx.lock("sender", f"!session:{each}")
        if (self.joins or self.linked) and not aliases.join(tx, own, target):
            is_elsewhere = bool(self.linked) and aliases.is_elsewhere(tx, own, target)
            taking = msgspec.structs.replace(
                self, session=mine, linked="", joins="", is_elsewhere=is_elsewhere
            )
        else:
            taking = msgspec.structs.replace(self, session=target)
        return taking.take(tx, views=views, caller=caller, blob=blob, busy=busy)

    def take(
        self,
        tx: Tx,
        *,
        views: Views,
        caller: Identity | None,
        blob: blobs.PreparedBlob,
        busy: frozenset[str],
    ) -> _Kept:
        """Take it as the session's whose lines it shows. Raises: _Taken, _Joins."""
        is_known, reply = _answered(tx, self.keys)
        if is_known and reply is None:
            _, reply = _answered(tx, self.late_keys)
        if reply is not None:
            return _Kept(reply, self.raw)
        row, account = tx.one(_STATE, name=self.session), self.raw.account
        begun = session_lines.begin(tx, self.session, account) if views.is_fed(account) else None
        names = () if begun is None else (self.session, *self.raw.envelope.get("peers", ()))
        view = views.build(
            tx, account, session=self.session, caller=caller, busy=busy, feed=begun, names=names
        )
        view = msgspec.structs.replace(
            view,
            is_linked=bool(self.linked),
            is_elsewhere=self.is_elsewhere,
            is_alias=self.session != self.raw.lane,
        )
        turn = self.step(None if row is None else bytes(row[0]), self.raw, view)
        if turn.person and begun is not None and not begun.last_seq and not self.joins:
            other = aliases.of_person(tx, account, turn.person, but=self.session)
            if other is not None:
                raise _Joins(other)
        raw = _told(self.raw, self.session, turn, begun=begun)
        keys = self.late_keys if is_known else self.keys
        receipt = journal.keep(tx, raw, blob, keys, is_looked_for=False)
        tx.signal(SIGNAL, [(receipt.id, raw.lane)])
        if begun is None:
            self._hold(tx, turn)
        self._save(tx, turn)
        if begun is not None:
            session_lines.add(tx, self.session, account, begun, turn.lines)
        return _Kept(turn.reply, raw, receipt.id)

    def _hold(self, tx: Tx, turn: Turn) -> None:
        """Keep the agents who ring for this session from the others. Raises: _Taken."""
        holds.let_go(tx, self.session, but=turn.holds)
        if turn.holds:
            taken = holds.claim(tx, self.session, turn.holds, hold_s=turn.hold_s)
            if taken:
                raise _Taken(taken)

    def _save(self, tx: Tx, turn: Turn) -> None:
        if turn.state is None:
            tx.run(_END, name=self.session)
            return
        if len(turn.state) > STATE_MAX_BYTES:
            raise TurnFailed(
                f"the state of session {self.session} has {len(turn.state)} bytes, at most {STATE_MAX_BYTES} are kept"
            )
        tx.run(_SAVE, name=self.session, account=self.raw.account, state=turn.state, updated_at=tx.now)


def _told(raw: RawMessage, session: str, turn: Turn, *, begun: session_lines.Begun | None) -> RawMessage:
    """Return the message with what its parse will tell on, what was answered, and the number of its line."""
    happened = msgspec.to_builtins(turn.happened)
    told: dict[str, Any] = {"session": session, "happened": happened, "reply": turn.reply}
    if begun is not None and turn.lines and turn.lines[0].author == "customer":
        told["line"] = begun.last_seq + 1
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
    """Delete sessions that nothing was heard of for a day, some at a time; how many. Those with a feed stay as long as it."""
    return tx.run(_FORGET, before=tx.now - KEPT_US, most=FORGOTTEN_AT_ONCE)
