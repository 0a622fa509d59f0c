"""Runs the daemon in the foreground until SIGTERM or Ctrl-C. SIGHUP, or a change of a file, reads the rules again.

Standard output tells where mail is taken; standard error is the log.
"""

import argparse
import sys
from typing import TYPE_CHECKING

from intake import logs, redaction
from intake.commands import options

if TYPE_CHECKING:
    from intake.daemon import Daemon
    from intake.settings import Settings


def configure(parser: argparse.ArgumentParser) -> None:
    options.add_config(parser)


def run(arguments: argparse.Namespace) -> int:
    settings = options.load_settings(arguments)
    logs.setup(level=settings.log.level, form=settings.log.format)
    from intake import daemon

    with options.located(settings.rules):
        daemon.run(settings, ready=welcome)
    return 0


def welcome(running: "Daemon") -> None:
    """Say where mail is taken, where things are, and what to try next."""
    settings = running.wired.settings
    for account, (host, port) in running.listening.items():
        kind = settings.channels[account].kind
        where = f"{host}:{port}" if port else host
        addresses = ", ".join(dict.fromkeys(getattr(settings.channels[account].options, "addresses", ())))
        print(f"{account:<10} takes {kind} on {where}{' for ' + addresses if addresses else ''}")
    for account, channel in running.wired.channels.items():
        if hasattr(channel, "routes"):
            public = settings.http.public_url or _url(running)
            # Where the account has no one address that people or sources are given, what all of its addresses begin with.
            entrance = getattr(channel, "entrance", f"{getattr(channel, 'prefix', '/hooks')}/{account}/")
            print(f"{account:<10} takes {settings.channels[account].kind} on {public}{entrance}")
    _tell_of_desk(settings, settings.http.public_url or _url(running))
    print(f"{'health':<10} {_url(running)}/readyz, {_url(running)}/metrics")
    print(f"{'data':<10} {settings.folder}/{_outgoing(running)}")
    print(f"{'rules':<10} {settings.rules} (read again when it changes)")
    print("try        intake demo, then intake tickets list (in a second terminal); Ctrl-C stops")
    sys.stdout.flush()


def _tell_of_desk(settings: "Settings", house: str) -> None:
    """Say where the desk is, and how it gets its first admin: the link itself on a terminal alone, never in a log."""
    from intake import first_start

    print(f"{'desk':<10} {house}/")
    link = first_start.link_of(settings.folder)
    if link is not None:
        file = settings.folder / first_start.FILE
        said = f"open {link} (good once, for a day)" if sys.stdout.isatty() else f"open the link in {file}"
        print(f"{'first':<10} {said}, and become the admin")


def _url(running: "Daemon") -> str:
    host, port = running.upkeep.bound or ("", 0)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _outgoing(running: "Daemon") -> str:
    outgoing = running.wired.settings.outgoing
    if getattr(outgoing, "relay", None):
        return f"; mail goes out by {redaction.redacted(outgoing.relay)}"
    return f"; mail that goes out is written to {outgoing.folder}/"
