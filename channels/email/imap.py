"""Takes mail out of mailboxes by IMAP (RFC 3501, 2177, 6851, 7628) and sends by the account's relay.

Guarantee: a mail is marked, moved or deleted only after its bytes are committed and fsynced; each mail is taken exactly
once, whether a person has read it or not and however long we were away. Mails are told apart by UIDVALIDITY, UID and
INTERNALDATE, and by content when a server numbers them anew. Everything in the folder is counted against the journal.
Limits: one connection and thread for each folder; memory for 4 MB of small mails, or for one big one; a mail beyond
max_size_bytes stays on the server and is reported. Not watched: other people's deletions and flags.
Level: solid (a real Dovecot, pymap and a server that misbehaves; not Google's and Microsoft's own).
"""

import asyncio
import logging
from pathlib import Path

from channels import contract
from channels.email import imap_options, message, send
from channels.email.imap_books import Books
from channels.email.imap_login import Login, Trouble
from channels.email.imap_mailbox import Mailbox
from channels.email.imap_watch import Pace, Watch

MEDIUM = "email"
Options = imap_options.Options
parse = message.parse
parse_costly = message.parse_costly

STOP_S = 5.0


class Channel:
    """One account: its folders, and a way out."""

    def __init__(
        self,
        account: str,
        options: Options,
        *,
        log: logging.Logger | None = None,
        pace: Pace = Pace(),  # noqa: B008 - a frozen value
    ) -> None:
        self._account = account
        self._options = options
        self._pace = pace
        self._log = log or logging.getLogger("channels.email.imap")
        self._sender = send.Sender(options.outgoing)
        self._login = Login(options)
        self._mailboxes: list[Mailbox] = []

    async def run(self, gate: contract.Gate) -> None:
        """Watch the folders until cancelled; then finish what is being stored."""
        loop = asyncio.get_running_loop()
        books = Books(self._account, gate, loop=loop)
        watches = [
            Watch(folder, self._options, books=books, pace=self._pace, log=self._log)
            for folder in self._options.folders
        ]
        self._mailboxes = [Mailbox(watch, login=self._login) for watch in watches]
        for mailbox in self._mailboxes:
            mailbox.start()
        try:
            await loop.create_future()
        finally:
            for watch in watches:
                watch.stop()
            await asyncio.gather(*(asyncio.to_thread(each.join, STOP_S) for each in self._mailboxes))
            await self._sender.close()

    async def listening(self) -> tuple[str, int]:
        """Return the server's host and port: mail is watched for, whether the server is up by now or not."""
        return self._options.host, self._options.server_port

    def look(self) -> None:
        """Look for new mail now."""
        for mailbox in self._mailboxes:
            mailbox.watch.look()

    def troubles(self) -> list[str]:
        """Say what is wrong right now, one sentence for each folder that is not being read."""
        return [mailbox.watch.problem for mailbox in self._mailboxes if mailbox.watch.problem]

    async def deliver(self, outbound: contract.OutboundMessage) -> contract.Delivered:
        return await self._sender.deliver(outbound)

    async def close(self) -> None:
        """Close idle connections to the relay; `run` does it at its end, this is for a channel that only delivers."""
        await self._sender.close()

    @property
    def examine(self) -> message.Examine | None:
        """Check a mail's signatures; None = `verify` does not ask for it."""
        return message.examiner(self._options)

    def check(self) -> list[contract.Problem]:
        """Look at what can be judged without the server; `probe` asks it."""
        options = self._options
        problems = [*message.problems(self._options), *self._sender.check(self._options.addresses)]
        if options.ca_file and not Path(options.ca_file).is_file():
            problems.append(
                contract.Problem(
                    f"{options.ca_file} is no file", "set ca_file to a PEM file, or leave it out"
                )
            )
        if not options.addresses:
            problems.append(
                contract.Problem(
                    "no addresses are set: answers have no address of ours to come from",
                    "set addresses: [support@…]",
                )
            )
        if any(folder.endswith("/All Mail") for folder in options.folders):
            problems.append(
                contract.Problem(
                    "All Mail also holds what you send and archive", "watch INBOX", severity="warning"
                )
            )
        return problems

    async def probe(self) -> list[contract.Problem]:
        """Log in and open each folder, and ask the relay: what is wrong, each with its cause and what to do."""
        return [*await asyncio.to_thread(self._probe), *await self._sender.probe()]

    def _probe(self) -> list[contract.Problem]:
        from channels.email import imap_probe

        try:
            client, _ = self._login.connect()
        except Trouble as trouble:
            return [contract.Problem(trouble.reason, trouble.hint)]
        try:
            return imap_probe.problems(client, self._options)
        finally:
            client.leave()
