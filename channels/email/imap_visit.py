"""What is done on one connection once the folder is open: take, act, count, wait for news, and again."""

import time
from collections.abc import Sequence

from channels.email import imap_inventory, imap_start
from channels.email.imap_afterwards import Afterwards
from channels.email.imap_login import said
from channels.email.imap_message import Place
from channels.email.imap_taking import Taker
from channels.email.imap_watch import Watch
from channels.email.imap_wire import Aborted, Client, Refused, Selected

SEARCHED_AT_ONCE = 400_000  # UIDs that one answer to SEARCH may have to name


class Stopped(Exception):
    """The daemon stops: what was taken is committed, the rest waits on the server."""


class Visit:
    """replace_at: the epoch second by which the login expires, None = never."""

    def __init__(
        self, client: Client, taker: Taker, *, watch: Watch, exists: int, replace_at: float | None
    ) -> None:
        self._client = client
        self._taker = taker
        self._watch = watch
        self._exists = exists
        self._replace_at = replace_at
        self._place = Place(watch.account, watch.folder, taker.position.uidvalidity)
        self._afterwards = Afterwards(client, watch)
        self._is_renumbered = False

    def play(self) -> None:
        """Go on until told to stop, the login is about to expire or the folder is numbered anew. Raises: Stopped."""
        self._finish_the_last()
        self._round()
        while not (self._is_renumbered or self._is_expiring()):
            if not self._client.has_news:
                self._wait()
                self._client.refresh()
                self._tell_alerts()
            self._round()

    def _is_expiring(self) -> bool:
        return self._replace_at is not None and time.time() >= self._replace_at

    def _wait(self) -> None:
        """IDLE or sleep until there may be new mail."""
        self._stop_if_asked()
        if not (self._client.has_capability("IDLE") and self._has_idled()):
            self._watch.pause(self._watch.options.poll_s)
        self._stop_if_asked()

    def _has_idled(self) -> bool:
        """Idle; false where the server promises IDLE and refuses it."""
        if self._watch.is_idle_refused:
            return False
        try:
            self._client.wait(self._watch.options.idle_s, wake=self._watch.wake)
        except Aborted:
            raise
        except Refused as error:
            self._watch.is_idle_refused = True
            self._watch.warn("mailbox_idle_refused", reason=said(error))
            return False
        self._watch.drain()
        return True

    def _stop_if_asked(self) -> None:
        if self._watch.is_stopping:
            raise Stopped

    def _tell_alerts(self) -> None:
        for text in self._client.alerts():
            self._watch.warn("mailbox_alert", text=text)

    def _round(self) -> None:
        """Look once: new mails, those that failed before, what is done afterwards, and the count when it is due."""
        self._stop_if_asked()
        self._client.look()
        taken_before = self._taker.taken
        for uids in self._new_uids():
            self._taker.take(uids, after_batch=self._after_batch)
        self._taker.retry()
        self._act()
        if self._watch.is_count_due():
            self._reconcile()
        elif self._taker.taken > taken_before:
            self._look_again_at_the_last()
        if self._taker.is_unsaved:
            imap_start.save(self._watch, self._taker.position)
            self._taker.is_unsaved = False
        self._watch.progressed()

    def _new_uids(self) -> list[list[int]]:
        """Give the UIDs above the position, in portions that fit into an answer."""
        after = self._taker.position.uid
        if self._exists <= SEARCHED_AT_ONCE:
            return [self._client.uids_after(after)]
        last = self._client.highest_uid()
        starts = range(after, last, SEARCHED_AT_ONCE)
        return [self._client.uids_after(start, up_to=start + SEARCHED_AT_ONCE) for start in starts]

    def _after_batch(self) -> None:
        self._act()
        self._watch.progressed()
        self._stop_if_asked()

    def _act(self) -> None:
        taker = self._taker
        touched = taker.touched - taker.position.failures.keys()
        if touched and not self._afterwards.act(touched):
            return
        taker.touched.clear()
        if taker.position.acted != taker.position.uid:
            taker.position.acted = taker.position.uid
            taker.is_unsaved = True

    def _finish_the_last(self) -> None:
        """Do what a crash may have left undone between the journal and the server."""
        position = self._taker.position
        if self._watch.options.afterwards != "keep" and position.acted < position.uid:
            uids = self._client.uids_after(position.acted, up_to=position.uid)
            self._taker.take(uids, after_batch=self._stop_if_asked)
            self._act()

    def _look_again_at_the_last(self) -> None:
        """Find mails that became visible below the position: deliveries that ran at the same time."""
        selected = self._reopened()
        if selected is None or not self._place.uidvalidity:
            return
        counted = self._count(selected, most=imap_inventory.RECENT)
        if set(counted.keys) - self._watch.books.known(counted.keys):
            self._reconcile()

    def _reconcile(self) -> None:
        """Count everything; fetch what is missing, and count again so that an alarm resolves itself."""
        selected = self._reopened()
        missing = self._tell_count(selected) if selected is not None else ()
        if missing:
            self._taker.take(missing, after_batch=self._after_batch)
            self._act()
            selected = self._reopened()
            if selected is not None:
                self._tell_count(selected)
        self._watch.counted()

    def _tell_count(self, selected: Selected) -> Sequence[int]:
        """Tell intake what is there; the UIDs that it misses."""
        counted = self._count(selected, most=imap_inventory.MAX_COUNTED)
        position = self._taker.position
        told = imap_inventory.inventory(self._place, position, counted)
        missing = self._watch.books.reconcile(told, position)
        self._taker.is_unsaved = False
        return sorted(counted.keys[key] for key in missing)

    def _count(self, selected: Selected, *, most: int) -> imap_inventory.Count:
        return imap_inventory.count(
            self._client,
            self._watch.books,
            place=self._place,
            position=self._taker.position,
            exists=selected.exists,
            most=most,
        )

    def _reopened(self) -> Selected | None:
        """Open the folder again for a fresh count; None when it was numbered anew meanwhile."""
        selected = imap_start.open_folder(self._client, self._watch)
        self._exists = selected.exists
        self._is_renumbered = selected.uidvalidity != self._place.uidvalidity
        return None if self._is_renumbered else selected
