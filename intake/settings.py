"""config/intake.yaml -> Settings: every problem at once, at its line, with what to do.

The rest of an account's keys, after `kind`, are its channel's own Options: no list of channels is kept here.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from intake import account_checks, redaction, variables
from intake.sections import (
    Access,
    Answers,
    Calls,
    Consent,
    Desk,
    Files,
    Heartbeat,
    Http,
    Limits,
    Log,
    Notices,
    OnCall,
    Phone,
    Section,
    SilenceAlarm,
)
from routing import problems as trouble
from routing import typed, yaml_text
from routing.problems import ConfigError, Problem
from routing.yaml_text import Node

DEFAULT_PATH = Path("config/intake.yaml")
PATH_VARIABLE = "INTAKE_CONFIG"

_ACCOUNT = re.compile(r"[a-z][a-z0-9_-]{0,63}")


class ChannelSettings(msgspec.Struct, frozen=True):
    """One account. kind: names the module (channels.loading); options: its Options."""

    kind: str
    options: Any


class File(Section, frozen=True):
    """intake.yaml as it is written. Paths: `folder` from the working directory, `rules`, `replies`, `canned` from the file."""

    channels: dict[str, Node]
    name: str = ""
    store: str = ""
    folder: Annotated[str, Meta(min_length=1)] = "var"
    http: Http = Http()
    rules: Annotated[str, Meta(min_length=1)] = "rules.yaml"
    replies: Annotated[str, Meta(min_length=1)] = "replies"
    canned: Annotated[str, Meta(min_length=1)] = "canned"
    outgoing: Node | None = None
    limits: Limits = Limits()
    notices: Notices = Notices()
    answers: Answers = Answers()
    oncall: OnCall = OnCall()
    calls: Calls = Calls()
    consent: Consent = Consent()
    phone: Phone = Phone()
    files: Files = Files()
    access: Access = Access()
    desk: Desk = Desk()
    heartbeat: Heartbeat | None = None
    silence_alarm: SilenceAlarm | None = None
    log: Log = Log()


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the daemon runs with. path: of the file; store: a URL, "" = SQLite in the folder; the rest: see File.

    outgoing: channels.email.send.Options, given to every account that has an option of that name and sets none.
    """

    path: Path
    folder: Path
    rules: Path
    replies: Path
    outgoing: Any
    channels: dict[str, ChannelSettings]
    canned: Path = Path("canned")
    name: str = ""
    store: str = ""
    http: Http = Http()
    limits: Limits = Limits()
    notices: Notices = Notices()
    answers: Answers = Answers()
    oncall: OnCall = OnCall()
    calls: Calls = Calls()
    consent: Consent = Consent()
    phone: Phone = Phone()
    files: Files = Files()
    access: Access = Access()
    desk: Desk = Desk()
    heartbeat: Heartbeat | None = None
    silence_alarm: SilenceAlarm | None = None
    log: Log = Log()

    def __repr__(self) -> str:
        return f"Settings(path={str(self.path)!r}, channels={sorted(self.channels)})"


# Every section that the daemon takes as it is: one that is not named here would be read and forgotten.
_AS_WRITTEN = frozenset(Settings.__struct_fields__) & frozenset(File.__struct_fields__) - {
    "folder", "rules", "replies", "canned", "outgoing", "channels", "http",
}  # fmt: skip


def path_from(given: str | None, environ: Mapping[str, str]) -> Path:
    """Choose the file: what was given with -c, else $INTAKE_CONFIG, else config/intake.yaml."""
    return Path(given or environ.get(PATH_VARIABLE) or DEFAULT_PATH)


def load(path: Path, environ: Mapping[str, str]) -> Settings:
    """Read the file. Its secrets are registered with intake.redaction, so that no later text shows them.

    Raises: ConfigError with every problem of the file.
    """
    problems: list[Problem] = []
    root = variables.substitute(yaml_text.read(_text(path), file=str(path)), environ, problems)
    redaction.register(variables.secrets_of(root))
    unset = {(each.line, each.column) for each in problems}
    found: list[Problem] = []
    settings = _settings(path, root, found)
    # What is wrong with the empty text that stands for an unset variable is not worth a second complaint.
    problems += [each for each in found if (each.line, each.column) not in unset]
    if settings is None or problems:
        raise ConfigError(_redacted(each) for each in trouble.in_order(problems))
    return settings


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise _unreadable(
            path, "there is no such file", "write a starter configuration: intake init"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise _unreadable(path, f"the file cannot be read: {reason}", "") from None


def _unreadable(path: Path, message: str, hint: str) -> ConfigError:
    return ConfigError([Problem(str(path), 1, 1, "error", "unreadable", message, hint)])


def _redacted(problem: Problem) -> Problem:
    return msgspec.structs.replace(problem, message=redaction.redacted(problem.message))


def _settings(path: Path, root: Node, problems: list[Problem]) -> Settings | None:
    file: File | None = typed.convert(root, File, problems=problems)
    channels_node = root.value.get("channels") if isinstance(root.value, dict) else None
    outgoing = _outgoing(root, problems)
    accounts = channels_node.value if channels_node is not None and channels_node.is_mapping else {}
    for name in accounts:
        if not _ACCOUNT.fullmatch(name):
            where = root.value["channels"].keys[name]
            message = f"'{name}' cannot name an account"
            problems.append(
                where.problem("bad-name", message, "small letters, digits, - and _, a letter first")
            )
    channels = {name: _channel(node, outgoing, problems) for name, node in accounts.items()}
    problems += account_checks.shared_numbers(root, channels)
    if file is not None:
        pagers = {"calls": file.oncall.calls, "texts": file.oncall.texts}
        problems += account_checks.absent_pagers(root, pagers, channels)
    if file is None or problems:
        return None
    public_url = file.http.public_url.rstrip("/")
    if not channels:
        problems.append(root.problem("no-channel", "no channel is set up", "add one under channels:"))
        return None
    folder = path.parent
    return Settings(
        path=path,
        folder=Path(file.folder),
        rules=folder / file.rules,
        replies=folder / file.replies,
        canned=folder / file.canned,
        outgoing=outgoing,
        channels={
            name: _reached_at(public_url, channel)
            for name, channel in channels.items()
            if channel is not None
        },
        http=msgspec.structs.replace(file.http, public_url=public_url),
        **{name: getattr(file, name) for name in _AS_WRITTEN},
    )


def _outgoing(root: Node, problems: list[Problem]) -> Any:
    from channels.email import send

    node = root.value.get("outgoing") if isinstance(root.value, dict) else None
    if node is None or node.value is None:
        return send.Options()
    return typed.convert(node, send.Options, problems=problems)


def _channel(node: Node, outgoing: Any, problems: list[Problem]) -> ChannelSettings | None:
    from channels import loading

    kind = node.value.get("kind") if isinstance(node.value, dict) else None
    if kind is None or not isinstance(kind.value, str):
        problems.append(
            (kind or node).problem("missing-key", "'kind' is missing", "for example kind: email.smtp")
        )
        return None
    try:
        module = loading.module_for(kind.value)
    except LookupError as error:
        hint = trouble.did_you_mean(kind.value, _known_kinds())
        problems.append(kind.problem("unknown-kind", str(error), hint))
        return None
    options = _options(node, module.Options, outgoing, problems)
    return None if options is None else ChannelSettings(kind.value, options)


def _reached_at(public_url: str, channel: ChannelSettings) -> ChannelSettings:
    """Tell a channel that has to know it how the world reaches us, unless the account says something of its own."""
    if getattr(channel.options, "public_url", None) != "":
        return channel
    return ChannelSettings(channel.kind, msgspec.structs.replace(channel.options, public_url=public_url))


def _known_kinds() -> list[str]:
    """Look for the kinds that are installed: only to hint at one, never to choose one."""
    import importlib
    import importlib.metadata
    import pkgutil

    import channels
    from channels import loading

    names = [found.name for found in pkgutil.walk_packages(channels.__path__, "channels.")]
    own = [name for name in names if hasattr(importlib.import_module(name), "Channel")]
    plugged = [point.name for point in importlib.metadata.entry_points(group=loading.ENTRY_POINTS)]
    return [*(name.removeprefix("channels.") for name in own), *plugged]


def _options(node: Node, type_: type[Any], outgoing: Any, problems: list[Problem]) -> Any:
    own = {name: child for name, child in node.value.items() if name != "kind"}
    options = typed.convert(msgspec.structs.replace(node, value=own), type_, problems=problems)
    takes_outgoing = "outgoing" in getattr(type_, "__struct_fields__", ())
    if options is None or not takes_outgoing or "outgoing" in own or outgoing is None:
        return options
    return msgspec.structs.replace(options, outgoing=outgoing)
