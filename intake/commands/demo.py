"""Plays customers against a running daemon: a dozen mails over SMTP, one of them sent twice, and one follow-up.

A text and a call are played as well, when there are accounts for them whose api_url is this machine (docs/phone.md). With
--once the set is sent once; without, customers go on writing every few seconds until Ctrl-C.
"""

import argparse
import email.policy
import smtplib
import time
from email.message import EmailMessage
from email.utils import parseaddr
from pathlib import Path
from typing import Any

from intake import cli, instants, listing, terminal, traffic
from intake.commands import demo_follow_up, demo_mails, messages, options
from intake.commands import tickets as ticket_commands
from intake.commands.demo_mails import Customer
from intake.settings import Settings

PAUSE_S = 4.0
SETTLE_S = 15.0
LOOK_S = 0.1
WAITING = listing.Filters(state="pending", limit=1)
_ANY_HOST = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "::1", "*": "127.0.0.1"}  # noqa: S104 - to connect to


def configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help="send the set once and end")
    options.add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = options.load_settings(arguments)
    door = Door(settings)
    started = instants.now()
    sent = [_send(door, customer) for customer in demo_mails.CUSTOMERS]
    again, body = sent[1]
    door.send_bytes(body, sender=again["From"])
    terminal.say(f"  {again['From']}: the same mail once more, as a mail server does that missed our answer")
    _follow_up(settings, door, sent[0][0])
    _phone(arguments, settings)
    _show(arguments, started)
    if not arguments.once:
        _go_on(door)
    return 0


class Door:
    """Where the daemon takes mail."""

    def __init__(self, settings: Settings) -> None:
        name = messages.account_for(settings, "email")
        options_: Any = settings.channels[name].options if name is not None else None
        listen = getattr(options_, "listen", "")
        if not listen or listen.startswith("unix:"):
            raise cli.Failed(
                "no account of this configuration takes mail on a port: there is nobody to write to"
            )
        host, _, port = listen.rpartition(":")
        self.address = next(each for each in options_.addresses if not each.startswith("@"))
        self._host, self._port = _ANY_HOST.get(host.strip("[]"), host.strip("[]")), int(port)
        self._class = smtplib.LMTP if options_.protocol == "lmtp" else smtplib.SMTP

    def send(self, mail: EmailMessage, to: str = "") -> bytes:
        """Hand over one mail; its bytes. Raises: cli.Failed when nobody takes it."""
        body = mail.as_bytes(policy=email.policy.SMTP)
        self.send_bytes(body, sender=mail["From"], to=to)
        return body

    def send_bytes(self, body: bytes, *, sender: str, to: str = "") -> None:
        try:
            with self._class(self._host, self._port) as server:
                server.sendmail(parseaddr(str(sender))[1], [to or self.address], body)
        except ConnectionError:
            where = f"{self._host}:{self._port}"
            raise cli.Failed(
                f"nothing listens on {where}: start the daemon first, with 'intake run'"
            ) from None
        except smtplib.SMTPException as error:
            raise cli.Failed(f"the daemon did not take the mail of {sender}: {error}") from None


def _send(door: Door, customer: Customer) -> tuple[EmailMessage, bytes]:
    mail = customer.mail(door.address)
    body = door.send(mail)
    terminal.say(f"  {customer.name} <{customer.address}>: {customer.about}")
    return mail, body


def _follow_up(settings: Settings, door: Door, mail: EmailMessage) -> None:
    """Have the first customer answer the acknowledgement, when it is written into a folder that we can see."""
    outgoing = settings.outgoing
    if outgoing.relay or not outgoing.folder:
        terminal.say("  acknowledgements go out by the relay: nobody here can answer one")
        return
    folder = Path(outgoing.folder)
    acknowledgement = demo_follow_up.wait_for(folder, mail, wait_s=SETTLE_S)
    if acknowledgement is None:
        terminal.say(f"  no acknowledgement came into {folder}/: the rules may send none", colour="yellow")
        return
    answer, to = demo_follow_up.answer_to(acknowledgement, mail)
    door.send(answer, to)
    terminal.say(f"  {mail['From']}: answers our acknowledgement; that joins the ticket")


def _phone(arguments: argparse.Namespace, settings: Settings) -> None:
    """Play a text and a call where Twilio can be played."""
    if not any(each.kind.startswith("twilio.") for each in settings.channels.values()):
        return
    from intake.commands import demo_phone

    if any(demo_phone.accounts_of(settings, medium) is not None for medium in ("sms", "voice")):
        with options.wired(arguments) as wired:
            demo_phone.play(wired)


def _show(arguments: argparse.Namespace, started: Any) -> None:
    """Wait until the mails are tickets, and show these."""
    since = listing.Filters(since=instants.us_from_datetime(started))
    with options.opened(arguments) as (settings, store):
        deadline = time.monotonic() + SETTLE_S
        while next(traffic.journal(store, WAITING), None) and time.monotonic() < deadline:
            time.sleep(LOOK_S)
        rows = list(listing.tickets(store, since))
        ticket_commands.print_tickets(rows, is_json=False)
    terminal.say("")
    terminal.say(f"look next at: intake tickets show {rows[0]['ref'] if rows else 'REF'}")
    terminal.say("              intake rules explain REF      why it went there, and nowhere else")
    terminal.say(
        "              intake journal list           what came in; the mail sent twice is one ticket"
    )
    terminal.say("              intake timers list            what happens when nobody answers")
    if not settings.outgoing.relay:
        terminal.say(f"              {settings.outgoing.folder}/             what went out")


def _go_on(door: Door) -> None:
    terminal.say(f"\ncustomers go on writing, one every {PAUSE_S:.0f} s; Ctrl-C ends it")
    try:
        for customer in demo_mails.endless():
            time.sleep(PAUSE_S)
            _send(door, customer)
    except KeyboardInterrupt:
        terminal.say("\nthe demo has ended; the daemon goes on")
