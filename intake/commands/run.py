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
            print(f"{account:<10} takes {settings.channels[account].kind} on {public}/hooks/{account}/")
    print(f"{'health':<10} {_url(running)}/readyz, {_url(running)}/metrics")
    print(f"{'data':<10} {settings.folder}/{_outgoing(running)}")
    print(f"{'rules':<10} {settings.rules} (read again when it changes)")
    print("try        intake demo, then intake tickets list (in a second terminal); Ctrl-C stops")
    sys.stdout.flush()


def _url(running: "Daemon") -> str:
    host, port = running.upkeep.bound or ("", 0)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def _outgoing(running: "Daemon") -> str:
    outgoing = running.wired.settings.outgoing
    if getattr(outgoing, "relay", None):
        return f"; mail goes out by {redaction.redacted(outgoing.relay)}"
    return f"; mail that goes out is written to {outgoing.folder}/"
