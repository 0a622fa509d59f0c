"""Signing in: a name, a password, and a code where one is asked. What is wrong is never said, and takes as long.

Tries are counted before a password is looked at, by one conditional statement each: of a name from one network or one
known browser, and, from unknown browsers, of a name in all and of a network in all. A name that nobody has is counted and
answered like every other; a network gets its try back from whoever comes in, so that a house of any size signs in at nine.
The limit on a name in all cannot be used to keep its owner out: a browser that they signed in with before holds a signed
cookie, and has tries of its own (OWASP, "Slow Down Online Guessing Attacks with Device Cookies"). NIST SP 800-63B-4
§3.2.2 allows 100 failures in a row; OWASP ASVS 5.0 rows 6.1.1, 6.3.1, 6.3.8 (2026-11).
"""

import logging
from typing import Literal

import msgspec
from sqlalchemy import bindparam, delete, update

from intake import counters, credentials, events, passwords, second_factor, web_sessions
from intake.counters import Take
from intake.credentials import Credential
from intake.keys import Keys
from intake.model import Context
from intake.passwords import Hasher
from intake.second_factor import SETTING_UP
from intake.store import schema
from intake.store.engine import Store, Tx
from intake.store.statements import Statement
from intake.web_sessions import Session, Stage, Times

WINDOW_US = 15 * 60 * 1_000_000
DAY_US = 24 * 3_600 * 1_000_000
PER_PAIR = 10  # tries of a name from one network or browser, in a window
PER_NAME = 100  # of a name from unknown browsers, in a day
PER_CLIENT = 60  # of a network, in a window
CODES_PER_NAME = 10  # codes of a second factor, in a window
_COUNTERS = ("sign in pair", "sign in name", "sign in client", "second factor", "own password", SETTING_UP)
_DEVICE_PURPOSE = "browser"

SecondFactor = Literal["everybody", "admins", "nobody"]
Result = Literal["refused", "too_many", "code", "enrolment", "in"]

log = logging.getLogger("intake.signing_in")

_n = schema.counters.c
_CLEAR = Statement(
    delete(schema.counters).where(_n.name == bindparam("of_name"), _n.key == bindparam("of_key"))
)
_c = schema.credentials.c
_SEEN = Statement(
    update(schema.credentials).where(_c.name == bindparam("of_name")).values(signed_in_at=bindparam("now"))
)
_w = schema.web_sessions.c
_USED = Statement(
    update(schema.web_sessions)
    .where(_w.token == bindparam("of_token"), _w.ended_at.is_(None))
    .values(ended_at=bindparam("now"), ended_by="system")
)


class Outcome(msgspec.Struct, frozen=True):
    """What came of a try. token: of the session that began, "" = none did."""

    result: Result
    token: str = ""


class Try(msgspec.Struct, frozen=True, kw_only=True):
    """Who tries. client: by network; device: what the browser's cookie says, "" = nothing; browser: what it calls itself."""

    client: str
    device: str = ""
    browser: str = ""


class SigningIn:
    """Takes names, passwords and codes. second_factor: of whom one is asked."""

    def __init__(self, store: Store, *, times: Times, hasher: Hasher, asked: SecondFactor) -> None:
        self._store, self._times, self._hasher, self._asked = store, times, hasher, asked

    async def with_password(self, context: Context, name: str, password: str, by: Try) -> Outcome:
        """Look at a name and a password."""
        keys = context.keys
        is_known = is_device_of(keys, by.device, name)
        if not await self._store.write(lambda tx: _take_try(tx, keys, name, by, is_known=is_known)):
            log.warning("sign_in_throttled client=%s", by.client)
            return Outcome("too_many")
        known = await self._store.read(lambda tx: credentials.find(tx, name))
        usable = known if known is not None and _may_sign_in(context, known) else None
        is_right = await self._hasher.is_right(usable.password if usable else None, password)
        if usable is None or not is_right:
            log.warning("sign_in_refused client=%s", by.client)
            return Outcome("refused")
        token = web_sessions.new_token()
        stage = await self._store.write(
            lambda tx: self._begin_as_known(tx, context, usable, token, by, is_known=is_known)
        )
        if stage is None:
            return Outcome("refused")
        if usable.password and passwords.is_outdated(usable.password):
            await self._renew_hash(usable, password)
        results: dict[str, Result] = {"full": "in", "second_factor": "code", "enrolment": "enrolment"}
        return Outcome(results[stage], token)

    async def with_code(self, context: Context, session: Session, code: str, by: Try) -> Outcome:
        """Look at a code of the second factor; a session of its own begins, and the half one ends."""
        keys, token = context.keys, web_sessions.new_token()

        def take(tx: Tx) -> Result:
            allowed = counters.take(tx, _COUNTERS[3], session.name, limit=CODES_PER_NAME, window_us=WINDOW_US)
            if not allowed:
                return "too_many"
            known = credentials.find(tx, session.name)
            still = web_sessions.find(tx, session.token)
            if known is None or still is None or not second_factor.take(tx, keys, session.name, code):
                return "refused"
            tx.run(_CLEAR, of_name=_COUNTERS[3], of_key=session.name)
            tx.run(_USED, of_token=session.token, now=tx.now)
            self._begin(tx, keys, known, token, "full", by)
            return "in"

        result = await self._store.write(take)
        if result != "in":
            log.warning("code_refused agent=%s client=%s", session.name, by.client)
        return Outcome(result, token if result == "in" else "")

    async def is_theirs(self, name: str, password: str) -> bool | None:
        """Whether somebody who is signed in types their password; None = too many tries (OWASP ASVS 5.0 row 7.5.1).

        Counted by the name alone: a stolen session comes from any network and says that it is any browser.
        """
        allowed = await self._store.write(
            lambda tx: counters.take(tx, _COUNTERS[4], name, limit=PER_PAIR, window_us=WINDOW_US)
        )
        if not allowed:
            return None
        known = await self._store.read(lambda tx: credentials.find(tx, name))
        is_right = await self._hasher.is_right(known.password if known else None, password)
        if is_right:
            await self._store.write(lambda tx: tx.run(_CLEAR, of_name=_COUNTERS[4], of_key=name))
        return is_right

    async def anew(self, context: Context, session: Session, by: Try, *, stage: Stage) -> str:
        """Begin another session in place of one whose owner has shown once more who they are; its token.

        Whoever else has what the cookie held is out with that (OWASP ASVS 5.0 row 7.2.4).
        """
        keys, token = context.keys, web_sessions.new_token()

        def renew(tx: Tx) -> None:
            if tx.run(_USED, of_token=session.token, now=tx.now):
                web_sessions.start(
                    tx, keys, token=token, name=session.name, stage=stage, times=self._times,
                    browser=by.browser, client=by.client,
                )  # fmt: skip
                tx.signal(web_sessions.SIGNAL, [session.name])

        await self._store.write(renew)
        return token

    def is_asked_of(self, role: str) -> bool:
        """Whether a second factor is asked of a role."""
        return self._asked == "everybody" or (self._asked == "admins" and role in ("admin", "auditor"))

    def _stage(self, known: Credential) -> Stage:
        if known.has_second_factor:
            return "second_factor"
        return "enrolment" if self.is_asked_of(known.role) else "full"

    def _begin_as_known(
        self, tx: Tx, context: Context, usable: Credential, token: str, by: Try, *, is_known: bool
    ) -> Stage | None:
        """Begin a session of somebody whose password was right; None = it is theirs no more, by this very moment."""
        now = credentials.find(tx, usable.name)
        if now is None or now.password != usable.password or not _may_sign_in(context, now):
            return None
        stage = self._stage(now)
        self._begin(tx, context.keys, now, token, stage, by)
        if not is_known:
            counters.give_back(tx, _COUNTERS[2], by.client)
        return stage

    def _begin(self, tx: Tx, keys: Keys, known: Credential, token: str, stage: Stage, by: Try) -> None:
        web_sessions.start(
            tx,
            keys,
            token=token,
            name=known.name,
            stage=stage,
            times=self._times,
            browser=by.browser,
            client=by.client,
        )
        for who in (_who(by, is_known=False), _who(by, is_known=True)):
            tx.run(_CLEAR, of_name=_COUNTERS[0], of_key=_pair(keys, known.name, who))
        if stage == "second_factor":
            return
        tx.run(_SEEN, of_name=known.name, now=tx.now)
        events.record(tx, "signed_in", actor=f"agent:{known.name}", agent=known.name, client=by.client)

    async def _renew_hash(self, known: Credential, password: str) -> None:
        """Make the hash anew, with the parameters of today."""
        renewed = await self._hasher.hashed(password)
        await self._store.write(
            lambda tx: tx.update(
                schema.credentials, {"name": known.name, "password": known.password}, password=renewed
            )
        )


def device(keys: Keys, name: str) -> str:
    """Return what a browser is given that somebody signed in with; it lets nobody in."""
    return f"{name}.{keys.sign(_DEVICE_PURPOSE, name)}"


def is_device_of(keys: Keys, given: str, name: str) -> bool:
    owner, _, mac = given.rpartition(".")
    return owner == name and keys.verify(_DEVICE_PURPOSE, mac, name)


def forget(tx: Tx) -> int:
    """Remove what counts no more, some at a time; how many went."""
    return sum(counters.forget(tx, name, window_us=DAY_US) for name in _COUNTERS)


def _take_try(tx: Tx, keys: Keys, name: str, by: Try, *, is_known: bool) -> bool:
    """Use one try; false = there are none left."""
    wanted = [
        Take(
            name=_COUNTERS[0],
            key=_pair(keys, name, _who(by, is_known=is_known)),
            limit=PER_PAIR,
            window_us=WINDOW_US,
        )
    ]
    if not is_known:
        wanted += [
            Take(name=_COUNTERS[1], key=keys.fingerprint(f"name:{name}"), limit=PER_NAME, window_us=DAY_US),
            Take(name=_COUNTERS[2], key=by.client, limit=PER_CLIENT, window_us=WINDOW_US),
        ]
    return counters.take_all(tx, wanted) is None


def _who(by: Try, *, is_known: bool) -> str:
    return f"device:{by.device}" if is_known else f"client:{by.client}"


def _pair(keys: Keys, name: str, who: str) -> str:
    return keys.fingerprint(f"sign in:{len(name)}:{name}:{who}")


def _may_sign_in(context: Context, known: Credential) -> bool:
    if known.disabled_at is not None or known.password is None:
        return False
    return known.role in ("admin", "auditor") or known.name in context.rulebook.agents
