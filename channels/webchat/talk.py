"""What is done with what a visitor says, whichever way it came: turns to the gate, marks and typing to the feed."""

import logging
from collections.abc import Callable, Sequence
from datetime import datetime

import msgspec

from channels import contract, hooks
from channels.webchat import identity, limits, protocol, session, wire, work
from channels.webchat.door import Visitor, unavailable
from channels.webchat.proofs import REQUIRED, Proofs
from channels.webchat.settings import Options

KIND = "webchat"
_encode = msgspec.json.Encoder().encode


class Talk:
    """Hears for one account. clock: aware UTC."""

    def __init__(
        self,
        account: str,
        options: Options,
        *,
        gate: contract.Gate,
        limiter: limits.Limits,
        proofs: Proofs,
        clock: Callable[[], datetime],
        log: logging.Logger,
        worker: work.Work | None = None,
    ) -> None:
        self._account, self._gate, self._limits, self._clock = account, gate, limiter, clock
        self.machine, self._proofs = session.Machine(account, options), proofs
        self._options, self._work = options, worker
        self._complaints = hooks.Complaints(log)
        self._log = log

    async def hear(self, visitor: Visitor, said: protocol.Visitor, feed: contract.Feed) -> Sequence[str]:
        """Do what was said; the answers, as they are sent. Never raises for what a page can send."""
        is_mark = isinstance(said, protocol.Typing | protocol.Got | protocol.Read)
        if is_mark and not await self._may_read(visitor):
            return (protocol.text_of(REQUIRED),)
        match said:
            case protocol.Typing():
                if self._limits.may_type(visitor.session):
                    feed.say(contract.Passing("typing"))
                return ()
            case protocol.Got(seq) | protocol.Read(seq):
                await feed.reached(seq, is_read=isinstance(said, protocol.Read))
                return ()
            case protocol.Ping():
                return (protocol.text_of(protocol.Pong()),)
            case protocol.Hello():
                failed = protocol.Failed(code="bad_message", text="A hello comes first, and once.")
                return (protocol.text_of(failed),)
            case _:
                return (await self._turn(visitor, said),)

    async def _may_read(self, visitor: Visitor) -> bool:
        """Whether marks and typing count; while nobody can say, they do not: they come again."""
        try:
            return await self._proofs.may_read_now(visitor)
        except contract.Unavailable:
            return False

    async def _turn(self, visitor: Visitor, said: protocol.Turned) -> str:
        try:
            self.check_work(visitor, said.id, getattr(said, "work", None))
            self.count(visitor)
            answer = await self.taken(visitor, said)
        except contract.Refused as refused:
            return refused.answer
        except work.Required as required:
            return protocol.text_of(required.asked)
        except limits.Refused as error:
            return protocol.text_of(too_much(error, said.id))
        except contract.Unavailable as error:
            self._complaints.say("line_put_off", self._account, error.reason)
            return protocol.text_of(unavailable(error, said.id))
        except Exception as error:  # noqa: BLE001 - whatever it was, the page hears that it has to try again
            self._log.error("turn_failed account=%s", self._account, exc_info=error)
            return protocol.text_of(unavailable(contract.Unavailable("a bug", retry_after_s=10), said.id))
        if isinstance(said, protocol.Identify):
            return await self._identified(visitor, said, answer)
        return answer

    def count(self, visitor: Visitor) -> None:
        """Count one turn of a visitor's, whatever it says: each is kept. Raises: limits.Refused."""
        is_proven = self._proofs.is_proven(visitor)
        self._limits.take_line(visitor.session, visitor.address, is_proven=is_proven)

    async def _identified(self, visitor: Visitor, said: protocol.Identify, answer: str) -> str:
        """Give the answer to a proof; one that another chat has used before is nobody's any more."""
        given = protocol.ack(answer)
        own = session.own_proof(visitor.session, said)
        if given.id != said.id:
            if await self._gate.known([own]):  # what it proved then holds for as long as it did
                return protocol.text_of(msgspec.structs.replace(given, id=said.id))
            failed = protocol.Failed(code="identity_refused", text="That proof was used before.", id=said.id)
            return protocol.text_of(failed)
        try:
            proof = identity.verified(
                said.jwt, self._options.identity, audience=self._account, now=self._clock()
            )
        except (
            identity.Refused
        ):  # the turn is one that was taken before: this is not what it was taken for, or is over
            failed = protocol.Failed(
                code="identity_refused", text="That does not prove who you are.", id=said.id
            )
            return protocol.text_of(failed)
        self._proofs.came(visitor, proof.expires_at)
        return answer

    def check_work(self, visitor: Visitor, about: str, done: str | None) -> None:
        """See whether a browser has worked out what it has to. done: None = for this nothing ever is. Raises: work.Required."""
        if self._work is None or done is None or self._proofs.is_proven(visitor):
            return
        try:
            self._work.check(visitor.session, visitor.address, about, done)
        except work.Required:
            self._complaints.say("chat_flooded", self._account, "browsers work before each line")
            raise

    async def taken(self, visitor: Visitor, said: protocol.Turned) -> str:
        """Return the answer to one turn. Raises: contract.Refused, contract.Unavailable."""
        if not isinstance(said, protocol.Identify):
            said = msgspec.structs.replace(said, work="")  # it is for us, and no part of what was said
        if isinstance(said, protocol.Line):
            page, locale = said.page or visitor.page, said.locale or visitor.locale
            said = msgspec.structs.replace(said, page=page, locale=locale)
        raw = self.raw(
            visitor,
            _encode(said),
            keys=session.keys_of(self._account, visitor.session, said),
            page=getattr(said, "page", visitor.page),
            link=getattr(said, "link", ""),
        )
        return await self._gate.turn(visitor.session, raw, self.machine.step)

    async def upload(self, visitor: Visitor, upload: dict[str, object], content: bytes) -> str:
        """Keep a file; what the page is answered. Raises: contract.Refused, contract.Unavailable, limits.Refused."""
        is_proven = self._proofs.is_proven(visitor)
        self._limits.take_upload(visitor.session, visitor.address, is_proven=is_proven)
        key = session.upload_key(visitor.session, str(upload["id"]))
        raw = self.raw(visitor, content, keys=(key,), upload=upload)
        return await self._gate.turn(visitor.session, raw, self.machine.step)

    def raw(
        self, visitor: Visitor, body: bytes, *, keys: tuple[str, ...], **envelope: object
    ) -> contract.RawMessage:
        """Return what is journalled."""
        said = {name: value for name, value in envelope.items() if value}
        return contract.RawMessage(
            kind=KIND,
            account=self._account,
            lane=visitor.session,
            body=body,
            received_at=self._clock(),
            keys=keys,
            envelope={"peers": visitor.peers, "locale": visitor.locale, **said},
        )


def too_much(error: limits.Refused, about: str = "") -> protocol.Failed:
    """Say that it is too much, and when there is room again."""
    return protocol.Failed(
        code="rate_limited",
        text="That is more than we can read: please wait.",
        id=about,
        retry_after_s=error.retry_after_s,
    )


def heard(thing: contract.Fed | contract.Passing, options: Options, locale: str) -> list[str]:
    """Return what a page is sent of a thing of its feed."""
    said = wire.said(thing, options, locale) if isinstance(thing, contract.Fed) else wire.passing(thing)
    return [protocol.text_of(each) for each in said]
