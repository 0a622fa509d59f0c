"""Takes mails out of a folder: size first, then bytes, then the journal, and only then what is done afterwards.

A mail is looked for by its place (see imap_message) before its bytes are asked for. Small ones come in batches that are
bounded by bytes, a big one comes alone. What cannot be fetched is tried again over time and never holds up the next.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec

from channels import contract
from channels.email import imap_message, imap_uids
from channels.email.imap_answers import Described
from channels.email.imap_books import Outcome
from channels.email.imap_login import is_busy, said
from channels.email.imap_message import Place
from channels.email.imap_position import Failure, Position
from channels.email.imap_watch import Watch
from channels.email.imap_wire import Aborted, Client, Refused

LISTED_AT_ONCE = 500
BATCH_MAILS = 50
BATCH_BYTES = 4 * 1024 * 1024
BUSY_IN_A_ROW = 3  # so many mails refused one after the other: it is the server, not the mails
MAX_TRIES = 5


class ServerBusy(Exception):
    """The server refuses one mail after the other. The connection stands; nothing is lost by waiting."""


class Batch(msgspec.Struct):
    """Mails that are fetched with one command."""

    mails: list[Described]
    size_bytes: int = 0


class Taker:
    """One folder on one connection. `position` is read and moved by it; `touched` are UIDs to act on afterwards."""

    def __init__(
        self,
        client: Client,
        watch: Watch,
        *,
        place: Place,
        position: Position,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._client = client
        self._watch = watch
        self._books = watch.books
        self._place = place
        self._options = watch.options
        self._clock = clock
        self._refused_in_a_row = 0
        self._ours = frozenset(each.lower() for each in watch.options.addresses)
        self.position = position
        self.touched: set[int] = set()
        # Being fetched: who is to blame when the connection breaks.
        self.under_way: tuple[int, ...] = ()
        self.taken = 0
        self.is_unsaved = False

    def take(self, uids: Sequence[int], *, after_batch: Callable[[], None] = lambda: None) -> None:
        """Take every mail of these, oldest first; they are accounted for when it returns.

        Raises: Unavailable (the store is down), ServerBusy, Aborted: what was taken until then stays taken.
        """
        self._refused_in_a_row = 0
        for chunk in imap_uids.chunks(uids, LISTED_AT_ONCE):
            listed = self._client.describe(chunk)
            self._look_for_missing(chunk, listed)
            wanted = self._wanted([listed[uid] for uid in chunk if uid in listed])
            for batch in _batches(wanted, self._watch.alone):
                self._take_batch(batch)
                after_batch()
            self._advance(chunk[-1])

    def retry(self) -> None:
        """Try mails again that failed and whose time has come; what was given up comes with each reconciliation."""
        self._refused_in_a_row = 0
        now = self._clock()
        due = [uid for uid, failure in sorted(self.position.failures.items()) if failure.next_at <= now]
        for chunk in imap_uids.chunks(due, LISTED_AT_ONCE):
            listed = self._client.describe(chunk)
            for uid in chunk:
                if uid not in listed:
                    self._forgive(uid)  # somebody has deleted it
                elif self._wanted([listed[uid]], is_retry=True):
                    self._take_batch(Batch([listed[uid]], listed[uid].size_bytes))

    def fail(self, uids: Iterable[int], reason: str) -> None:
        """Count a failed try against mails; after the last one they are given up, loudly."""
        for uid in uids:
            before = self.position.failures.get(uid)
            tries = (before.tries if before else 0) + 1
            is_over = tries >= MAX_TRIES
            retry_s = self._watch.pace.retry_s
            wait_s = self._options.reconcile_s if is_over else retry_s[min(tries, len(retry_s)) - 1]
            next_at = self._clock() + wait_s
            state = "unfetchable" if is_over else "retrying"
            failure = Failure(reason=state, detail=reason, tries=tries, next_at=next_at)  # type: ignore[arg-type]
            self._note(uid, failure, is_loud=is_over and tries == MAX_TRIES)

    def _note(self, uid: int, failure: Failure, *, is_loud: bool) -> None:
        self.position.failures[uid] = failure
        self.is_unsaved = True
        self._watch.warn(
            "mail_given_up" if is_loud else "mail_not_fetched",
            level=logging.ERROR if is_loud else logging.WARNING,
            uid=uid,
            reason=f"{failure.reason}: {failure.detail}",
            tries=failure.tries,
        )

    def _forgive(self, uid: int) -> None:
        if self.position.failures.pop(uid, None) is not None:
            self.is_unsaved = True

    def _advance(self, uid: int) -> None:
        if uid > self.position.uid:
            self._move(self.position, uid)
            self.is_unsaved = True

    def _move(self, position: Position, uid: int) -> None:
        """What is only kept needs nothing done; said at once, another setting later does not reach back to it."""
        position.uid = max(position.uid, uid)
        if self._options.afterwards == "keep":
            position.acted = position.uid

    def _look_for_missing(self, chunk: Sequence[int], listed: dict[int, Described]) -> None:
        """Tell a mail that was deleted meanwhile from one that the server lists and does not describe."""
        missing = [uid for uid in chunk if uid not in listed]
        if missing:
            still_there = set(self._client.uids_after(missing[0] - 1, up_to=missing[-1]))
            self.fail(still_there.intersection(missing), "the server lists it and tells nothing of it")

    def _wanted(self, listed: list[Described], *, is_retry: bool = False) -> list[Described]:
        """Leave out what is skipped, journalled by its place, waiting for another try, or too big."""
        failures = self.position.failures
        fresh = [
            mail
            for mail in listed
            if not self.position.is_skipped(mail.uid, mail.date) and (is_retry or mail.uid not in failures)
        ]
        keys = {self._place.key(mail): mail.uid for mail in fresh} if self._place.uidvalidity else {}
        journalled = {keys[key] for key in self._books.known(keys)}
        for uid in journalled:
            self.touched.add(uid)
            self._forgive(uid)
        wanted = [mail for mail in fresh if mail.uid not in journalled]
        for mail in wanted:
            if mail.size_bytes > self._options.max_size_bytes:
                self._leave(mail)
        return [mail for mail in wanted if mail.size_bytes <= self._options.max_size_bytes]

    def _leave(self, mail: Described) -> None:
        detail = f"{mail.size_bytes} bytes are more than max_size_bytes ({self._options.max_size_bytes})"
        known = self.position.failures.get(mail.uid)
        next_at = self._clock() + self._options.reconcile_s
        failure = Failure(reason="too_big", detail=detail, size_bytes=mail.size_bytes, next_at=next_at)
        if known is None or known.reason != "too_big":
            self._note(mail.uid, failure, is_loud=True)
        else:
            self.position.failures[mail.uid] = failure

    def _take_batch(self, batch: Batch) -> None:
        bodies = self._bodies(batch)
        raws: list[contract.RawMessage] = []
        for mail in batch.mails:
            body = bodies.pop(mail.uid, None)
            if body is not None:
                raws += self._raw(mail, body)
        self._submit(raws, last_uid=batch.mails[-1].uid)

    def _bodies(self, batch: Batch) -> dict[int, bytes]:
        """Fetch; when the server refuses the batch, one by one."""
        uids = [mail.uid for mail in batch.mails]
        self.under_way = tuple(uids)
        try:
            found = self._client.bodies(uids, max_bytes=self._options.max_size_bytes)
        except Aborted:
            raise
        except Refused as error:
            if len(uids) > 1:
                singles = (self._bodies(Batch([mail], mail.size_bytes)) for mail in batch.mails)
                return {uid: body for single in singles for uid, body in single.items()}
            self._refused(uids[0], said(error))
            return {}
        self.under_way = ()
        self._refused_in_a_row = 0
        self._look_for_absent([mail for mail in batch.mails if mail.uid not in found])
        return found

    def _refused(self, uid: int, reason: str) -> None:
        self.under_way = ()
        self.fail([uid], reason)
        self._refused_in_a_row += 1
        if self._refused_in_a_row >= BUSY_IN_A_ROW or (is_busy(reason) and self._refused_in_a_row > 1):
            self._refused_in_a_row = 0
            raise ServerBusy(reason)

    def _look_for_absent(self, absent: list[Described]) -> None:
        if absent:
            there = self._client.describe([mail.uid for mail in absent])
            self.fail(there, "the server answers without its bytes")

    def _raw(self, mail: Described, body: bytes) -> list[contract.RawMessage]:
        """Make the raw message; [] when its content is in the journal and it only got another number."""
        content = imap_message.content_key(self._place, mail, body)
        is_compared = mail.uid <= self.position.compared_to or not self._place.uidvalidity
        if is_compared and self._books.known([content]):
            self.touched.add(mail.uid)
            self._forgive(mail.uid)
            return []
        return [
            imap_message.raw_message(
                self._place, mail, body, content=content, ours=self._ours, delimiter=self._options.delimiter
            )
        ]

    def _submit(self, raws: list[contract.RawMessage], *, last_uid: int) -> None:
        """Commit all, the last with the cursor. The position moves only when everything before it is committed."""
        others = raws[:-1]
        outcomes = self._books.submit(others) if others else []
        for raw, outcome in zip(others, outcomes, strict=True):
            self._settle(raw, outcome)
        if raws:
            self._submit_last(raws[-1], last_uid)
        self._advance(last_uid)

    def _submit_last(self, raw: contract.RawMessage, last_uid: int) -> None:
        after = self.position.copy()
        after.failures.pop(int(raw.envelope["uid"]), None)
        self._move(after, last_uid)
        outcome = self._books.submit_last(raw, self._place.folder, after)
        if isinstance(outcome, contract.Receipt):
            self.position.failures.pop(int(raw.envelope["uid"]), None)
            self._move(self.position, last_uid)
            self.is_unsaved = False  # the cursor has said it all
        self._settle(raw, outcome)

    def _refuse(self, uid: int, reason: str) -> None:
        """Leave a mail that intake does not want; it is asked again with each reconciliation."""
        next_at = self._clock() + self._options.reconcile_s
        self._note(uid, Failure(reason="refused", detail=reason, next_at=next_at), is_loud=True)

    def _settle(self, raw: contract.RawMessage, outcome: Outcome) -> None:
        uid = int(raw.envelope["uid"])
        if isinstance(outcome, contract.Receipt):
            self.taken += 1
            self.touched.add(uid)
            self._forgive(uid)
        elif isinstance(outcome, contract.Unavailable) or not isinstance(outcome, Exception):
            raise outcome
        elif isinstance(outcome, contract.Rejected):
            self._refuse(uid, outcome.reason)
        else:
            self._watch.log.error(
                "mail_not_taken account=%s uid=%s", self._place.account, uid, exc_info=outcome
            )
            self.fail([uid], f"it could not be stored: {type(outcome).__name__}")


def _batches(mails: list[Described], alone: set[int]) -> Iterator[Batch]:
    batch = Batch([])
    for mail in mails:
        is_alone = mail.uid in alone or mail.size_bytes > BATCH_BYTES
        is_full = len(batch.mails) >= BATCH_MAILS or batch.size_bytes + mail.size_bytes > BATCH_BYTES
        if batch.mails and (is_full or is_alone):
            yield batch
            batch = Batch([])
        batch.mails.append(mail)
        batch.size_bytes += mail.size_bytes
        if is_alone:
            yield batch
            batch = Batch([])
    if batch.mails:
        yield batch
