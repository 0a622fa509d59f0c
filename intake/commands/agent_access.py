"""intake agents invite | password | totp | role | disable | enable | sessions: who may sign in, and as what."""

import argparse
import getpass
import sys
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from intake import cli, credentials, instants, invitations, passwords, second_factor, terminal, web_sessions
from intake.commands import options, output
from intake.credentials import CredentialError
from intake.store.engine import Tx
from intake.web import browsers
from intake.web.access import ROLES
from intake.wiring import Wired

T = TypeVar("T")

BY = "system"  # whoever may run this on the machine is nobody in particular
COLUMNS = ("name", "role", "state", "second factor", "signed in", "sessions")


def add_to(commands: Any) -> None:
    """Add the commands."""
    invited = options.subcommand(
        commands, "invite", invite, "a link by which somebody chooses a password, for the first time or anew"
    )
    invited.add_argument(
        "name", metavar="NAME", help="an agent of the rules; an admin or auditor may have any name"
    )
    invited.add_argument("--role", choices=ROLES, help="default: the one they have, else agent")
    options.add_json(invited)
    typed = options.subcommand(
        commands, "password", set_password, "give somebody a password, typed here or on stdin"
    )
    typed.add_argument("name", metavar="NAME", help="who may sign in already, or is invited")
    totp = options.subcommand(
        commands, "totp", show_factor, "whether somebody has a second factor; take it away"
    )
    totp.add_argument("name", metavar="NAME")
    totp.add_argument("--remove", action="store_true", help="their phone is lost: they set up another")
    options.add_json(totp)
    role = options.subcommand(
        commands, "role", set_role, "who may sign in, and as what; give somebody another role"
    )
    role.add_argument("name", metavar="NAME", nargs="?", help="none = everybody who may sign in")
    role.add_argument("role", metavar="ROLE", nargs="?", choices=ROLES, help=", ".join(ROLES))
    options.add_json(role)
    for name, act, text in (
        ("disable", credentials.disable, "somebody may sign in no more, and is out at once"),
        ("enable", credentials.enable, "somebody may sign in again"),
    ):
        changed = options.subcommand(commands, name, _changing(act), text)
        changed.add_argument("name", metavar="NAME")
    open_ = options.subcommand(commands, "sessions", show_sessions, "where somebody is signed in; end it")
    open_.add_argument("name", metavar="NAME")
    open_.add_argument("--end", action="store_true", help="sign them out everywhere")
    options.add_json(open_)


def invite(arguments: argparse.Namespace) -> int:
    with options.wired(arguments) as wired:
        token, hours = invitations.new_token(), wired.settings.access.invitation_hours
        role = _write(
            wired,
            lambda tx: invitations.invite(
                tx, wired.context, arguments.name, arguments.role, token=token, hours=hours, by=BY
            ),
        )
        http = wired.settings.http
    house = http.public_url or f"{'https' if http.tls else 'http'}://{http.listen}"
    link = f"{house}{invitations.path(token)}"
    if arguments.is_json:
        output.print_json({"name": arguments.name, "role": role, "link": link, "hours": hours})
        return 0
    print(link)
    terminal.say(f"for {arguments.name}, {role}: good once, for {hours:g} hours")
    return 0


def set_password(arguments: argparse.Namespace) -> int:
    with options.wired(arguments) as wired:
        name, length = arguments.name, wired.settings.access.password_length
        if wired.store.read_now(lambda tx: credentials.find(tx, name)) is None:
            raise cli.WrongInput(f"nobody of the name '{name}' may sign in: invite them first")
        password = _typed()
        words = (name, wired.context.organization, "intake")
        fault = passwords.fault(password, length_min=length, words=words)
        if fault is not None:
            raise cli.WrongInput(f"this password cannot be taken: {fault}")
        hashed = passwords.hashed(password)
        _write(wired, lambda tx: credentials.set_password(tx, name, hashed, by=BY))
    terminal.say(f"{name} signs in with it from now on; where they were signed in they are not any more")
    return 0


def show_factor(arguments: argparse.Namespace) -> int:
    name = arguments.name
    with options.wired(arguments) as wired:
        if arguments.remove:
            was_set = _write(wired, lambda tx: _remove_factor(tx, name))
        else:
            was_set = wired.store.read_now(lambda tx: _known(tx, name)).has_second_factor
        left = wired.store.read_now(lambda tx: second_factor.codes_left(tx, name))
    is_set = was_set and not arguments.remove
    if arguments.is_json:
        output.print_json({"name": name, "second_factor": is_set, "recovery_codes": left})
    elif arguments.remove:
        terminal.say(f"{name} has no second factor any more" if was_set else f"{name} had no second factor")
    else:
        print(f"{name}: {f'set up, {left} recovery codes left' if is_set else 'none'}")
    return 0


def set_role(arguments: argparse.Namespace) -> int:
    name, role = arguments.name, arguments.role
    with options.wired(arguments) as wired:
        if role is not None:
            _write(wired, lambda tx: credentials.set_role(tx, wired.context, name, role, by=BY))
        rows = wired.store.read_now(_everybody)
    shown = [each for each in rows if name in (None, each["name"])]
    if name is not None and not shown:
        raise cli.WrongInput(f"nobody of the name '{name}' may sign in: invite them first")
    output.print_rows(
        shown,
        is_json=arguments.is_json,
        columns=COLUMNS,
        cells=_cells,
        stretch="name",
        nothing="nobody may sign in yet: intake agents invite NAME --role admin",
    )
    return 0


def show_sessions(arguments: argparse.Namespace) -> int:
    name = arguments.name
    with options.wired(arguments) as wired:
        ended = _write(wired, lambda tx: _end_all(tx, name)) if arguments.end else 0
        rows = wired.store.read_now(lambda tx: web_sessions.of_name(tx, name, _known(tx, name).role))
    if arguments.end:
        terminal.say(f"{name} is signed out everywhere: {ended} session{'' if ended == 1 else 's'} ended")
    output.print_rows(
        [_session(each) for each in rows],
        is_json=arguments.is_json,
        columns=("browser", "client", "since", "seen", "until"),
        cells=lambda row: {
            "browser": row["browser"],
            "client": row["client"],
            **{key: terminal.local_time(row[key]) for key in ("since", "seen", "until")},
        },
        stretch="browser",
        nothing=f"{name} is signed in nowhere",
    )
    return 0


def _changing(act: Callable[..., None]) -> options.Command:
    """Return a command that does one thing to somebody."""

    def run(arguments: argparse.Namespace) -> int:
        with options.wired(arguments) as wired:
            _write(wired, lambda tx: act(tx, arguments.name, by=BY))
        terminal.say(f"{arguments.name}: done")
        return 0

    return run


def _write(wired: Wired, fn: Callable[[Tx], T]) -> T:
    """Write, and say in the command's way what cannot be. Raises: cli.WrongInput."""
    try:
        return wired.store.write_now(fn)
    except CredentialError as error:
        raise cli.WrongInput(str(error)) from None


def _typed() -> str:
    """Read a new password: twice at a terminal, else one line of stdin. Raises: cli.WrongInput."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    password = getpass.getpass("new password: ", stream=sys.stderr)
    if getpass.getpass("once more: ", stream=sys.stderr) != password:
        raise cli.WrongInput("the two passwords are not the same")
    return password


def _known(tx: Tx, name: str) -> credentials.Credential:
    known = credentials.find(tx, name)
    if known is None:
        raise cli.WrongInput(f"nobody of the name '{name}' may sign in: invite them first")
    return known


def _remove_factor(tx: Tx, name: str) -> bool:
    _known(tx, name)
    web_sessions.end_all(tx, name, by=BY)
    return second_factor.remove(tx, name, by=BY)


def _end_all(tx: Tx, name: str) -> int:
    _known(tx, name)
    return web_sessions.end_all(tx, name, by=BY)


def _everybody(tx: Tx) -> list[dict[str, Any]]:
    counts = web_sessions.counts(tx)
    return [
        {
            "name": each.name,
            "role": each.role,
            "state": each.state,
            "second_factor": each.has_second_factor,
            "signed_in_at": instants.rfc3339_from_us(each.signed_in_at),
            "sessions": counts.get(each.name, 0),
        }
        for each in credentials.everybody(tx)
    ]


def _cells(row: Mapping[str, Any]) -> dict[str, str]:
    return {
        "name": row["name"],
        "role": row["role"],
        "state": row["state"],
        "second factor": "yes" if row["second_factor"] else "no",
        "signed in": terminal.local_time(row["signed_in_at"]) or "never",
        "sessions": str(row["sessions"]),
    }


def _session(each: web_sessions.Session) -> dict[str, Any]:
    return {
        "id": str(each.id),
        "browser": browsers.called(each.browser),
        "client": each.client,
        "since": instants.rfc3339_from_us(each.created_at),
        "seen": instants.rfc3339_from_us(each.seen_at),
        "until": instants.rfc3339_from_us(each.expires_at),
    }
