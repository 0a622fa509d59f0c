"""One watched folder: connect, catch up, wait for news, and do it again for ever, in a thread of its own.

News comes by IDLE, which ends itself long before a server would end it and is followed by a look whatever it said: some
servers let an IDLE hang silently. Without IDLE the folder is looked at every `poll_s`. A connection that broke is made
again, ever more slowly, with jitter, and never given up.
"""

import contextlib
import random
import threading

from channels import contract
from channels.email import imap_start
from channels.email.imap_login import Login, Trouble, is_busy, said
from channels.email.imap_message import Place
from channels.email.imap_taking import ServerBusy, Taker
from channels.email.imap_visit import Stopped, Visit
from channels.email.imap_watch import Kind, Watch
from channels.email.imap_wire import Aborted, Client, Refused

_LONGEST_DOUBLING = 20


class Mailbox:
    """Runs in its own thread; others use `start`, `join` and the watch."""

    def __init__(self, watch: Watch, *, login: Login) -> None:
        self.watch = watch
        self._login = login
        self._client: Client | None = None
        self._taker: Taker | None = None
        name = f"imap {watch.account} {watch.folder}"
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def join(self, timeout_s: float) -> None:
        """Wait for the end; after timeout_s the connection is broken under the thread."""
        self._thread.join(timeout_s)
        if self._thread.is_alive():
            if (client := self._client) is not None:
                client.interrupt()
            self._thread.join(timeout_s)
        if not self._thread.is_alive():
            self.watch.close()

    def _run(self) -> None:
        while not self.watch.is_stopping:
            wait_s = self._session_or_wait()
            if wait_s > 0:
                self.watch.pause(wait_s)

    def _session_or_wait(self) -> float:
        """Play one connection to its end; how long to wait before the next, in seconds."""
        try:
            self._session()
        except Stopped:
            return 0
        except Trouble as trouble:
            return self._troubled(trouble.reason, trouble.hint, kind=trouble.kind)
        except ServerBusy as error:
            return self._troubled(f"the server refuses mails: {said(error)}", kind="busy")
        except contract.Unavailable as error:
            return self._troubled(f"mail cannot be stored: {error.reason}", kind="store")
        except (*Aborted, *Refused) as error:
            kind: Kind = "busy" if is_busy(said(error)) else "network"
            return self._troubled(f"the connection ended: {said(error)}", kind=kind)
        except Exception as error:
            self.watch.log.exception(
                "mailbox_broke account=%s mailbox=%s", self.watch.account, self.watch.folder
            )
            return self._troubled(f"a fault of ours: {type(error).__name__}")
        return 0

    def _troubled(self, reason: str, hint: str = "", *, kind: Kind = "network") -> float:
        """Say what is wrong; how long to wait."""
        watch, pace = self.watch, self.watch.pace
        if watch.is_stopping:
            return 0
        first_s, most_s = pace.bounds(kind)
        longest_s = min(first_s * 2.0 ** min(watch.troubles, _LONGEST_DOUBLING), most_s)
        wait_s = longest_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
        watch.troubles += 1
        watch.problem = f"{watch.folder}: {reason}{'; ' + hint if hint else ''}"
        watch.warn("mailbox_unreachable", reason=reason, hint=hint, again_in_s=round(wait_s, 1))
        return wait_s

    def _session(self) -> None:
        client, replace_at = self._login.connect(self._hold)
        try:
            selected = imap_start.open_folder(client, self.watch)
            position = imap_start.position_for(client, self.watch, selected)
            self._taker = Taker(
                client,
                self.watch,
                place=Place(self.watch.account, self.watch.folder, position.uidvalidity),
                position=position,
            )
            self._say_connected(client)
            visit = Visit(
                client, self._taker, watch=self.watch, exists=selected.exists, replace_at=replace_at
            )
            visit.play()
        except Aborted as error:
            self._blame(error)
            raise
        finally:
            self._save_failures()
            self._client = self._taker = None
            client.leave()

    def _hold(self, client: Client) -> None:
        self._client = client

    def _say_connected(self, client: Client) -> None:
        watch = self.watch
        watch.log.info("mailbox_connected account=%s mailbox=%s", watch.account, watch.folder)
        for text in client.alerts():
            watch.warn("mailbox_alert", text=text)
        if self._login.tokens is not None and self._login.tokens.is_rotated_unkept:
            hint = (
                "the provider gave a new refresh token: set refresh_token_file, so that it outlives a restart"
            )
            watch.warn("oauth2_token_replaced", hint=hint)

    def _blame(self, error: BaseException) -> None:
        """A connection that broke while mails were fetched: one of them may be the reason."""
        taker = self._taker
        if taker is None or self.watch.is_stopping:
            return
        if len(taker.under_way) == 1:
            taker.fail(taker.under_way, f"the connection broke while it was fetched: {said(error)}")
            self.watch.troubles = 0  # the others shall not wait for it
        self.watch.alone.update(taker.under_way)

    def _save_failures(self) -> None:
        """Keep what is known of failed mails; when the store is down they are tried once more, no harm."""
        if self._taker is not None and self._taker.is_unsaved:
            with contextlib.suppress(contract.Unavailable):
                imap_start.save(self.watch, self._taker.position)
