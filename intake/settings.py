"""config/intake.yaml -> Settings: every problem at once, at its line, with what to do.

The rest of an account's keys, after `kind`, are its channel's own Options: no list of channels is kept here.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from channels import recording
from intake import account_checks, redaction, variables
from routing import problems as trouble
from routing import typed, yaml_text
from routing.problems import ConfigError, Problem
from routing.yaml_text import Node

DEFAULT_PATH = Path("config/intake.yaml")
PATH_VARIABLE = "INTAKE_CONFIG"

_ACCOUNT = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:]+):([0-9]{1,5})")
_HIGHEST_PORT = 65_535
Count = Annotated[int, Meta(ge=0)]
Factor = Annotated[int, Meta(ge=1, le=1_000)]


class _Part(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of intake.yaml; a key it does not know is refused."""


class Http(_Part, frozen=True):
    """listen: "host:port", port 0 = any free one. public_url: how customers and providers reach us, without a final /."""

    listen: str = "127.0.0.1:8080"
    public_url: str = ""

    def __post_init__(self) -> None:
        found = _LISTEN.fullmatch(self.listen)
        if found is None or int(found[2]) > _HIGHEST_PORT:
            raise ValueError(f"listen is written like 127.0.0.1:8080, not '{self.listen}'")
        if self.public_url and not self.public_url.startswith(("http://", "https://")):
            raise ValueError(f"public_url is written like https://help.example.com, not '{self.public_url}'")


class Limits(_Part, frozen=True):
    """What keeps a machine from talking to a machine, and the disk from filling up.

    auto_replies_per_domain_hour, auto_replies_per_hour: to one domain and to everybody, None = 100 and 400 times as many
    as to one address. min_free_disk_bytes: with less room than this, mail is answered with "try again later".
    max_attachments_bytes: of one answer, before they are encoded; large providers refuse mails over 25 MB.
    notices_per_minute: that rules, ladders and timers send to one agent; what is more comes in one digest. 0 = only digests.
    """

    auto_replies_per_address_hour: Count = 5
    auto_replies_per_domain_hour: Count | None = None
    auto_replies_per_hour: Count | None = None
    max_attachments_bytes: Count = 18 * 1024 * 1024
    notices_per_minute: Count = 10
    min_free_disk_bytes: Count = 32 * 1024 * 1024


class Notices(_Part, frozen=True):
    """The built-in mails to agents, each of which may be switched off.

    link_days: how long the links of a notice, by which it is acknowledged or taken, are good for; 0 = there are none.
    """

    assigned: bool = True
    customer_replied: bool = True
    taken: bool = True
    delivery_failed: bool = True
    promise_due: bool = True
    promise_broken: bool = True
    link_days: Annotated[float, Meta(ge=0, le=90)] = 7


class Answers(_Part, frozen=True):
    """What agents' answers look like beside their text.

    quote: the customer's last message below it, as mail clients do. signature: Markdown, below every answer;
    signatures: team or agent -> their own. names: agent -> the name that customers see as the sender's, with the organization's.
    """

    quote: bool = True
    signature: str = ""
    signatures: dict[str, str] = {}
    names: dict[str, str] = {}


class OnCall(_Part, frozen=True):
    """remind_hours: how long before a shift whoever has it is told. feed_past_days, feed_days: what calendars show.

    next_way_minutes: how long after one of an agent's ways the next is taken, if nobody has acknowledged it. ring_s: how
    long their phone rings. subject: whether calls and texts to them say what the ticket is about. calls, texts: the
    accounts that carry them, "" = the first one that can.
    """

    remind_hours: Annotated[float, Meta(ge=0, le=336)] = 24
    next_way_minutes: Annotated[float, Meta(ge=0.5, le=60)] = 2
    ring_s: Annotated[int, Meta(ge=5, le=60)] = 25
    subject: bool = False
    calls: str = ""
    texts: str = ""
    feed_past_days: Annotated[int, Meta(ge=0, le=366)] = 31
    feed_days: Annotated[int, Meta(ge=1, le=731)] = 183


class Consent(_Part, frozen=True):
    """Who has said STOP.

    stop_means: what STOP by text keeps from reaching its sender: "text" = texts on the medium that it was said on;
    "phone" = texts, WhatsApp messages and calls; "all" = automatic mail to the same customer as well.
    confirm: answer STOP and START once where the provider has not. suggest: mark what reads like a wish to be left alone,
    for an agent to decide. decide_days: by when, weekdays.
    """

    stop_means: Literal["text", "phone", "all"] = "phone"
    confirm: bool = True
    suggest: bool = True
    decide_days: Annotated[int, Meta(ge=1, le=60)] = 10


class Phone(_Part, frozen=True):
    """What texts and calls may cost, and when they may come.

    quiet_hours: by the clock of the number, "" = none: what is no answer waits for their end. budget_per_number,
    budget_per_prefix, budget_per_day: segments of texts, WhatsApp messages and calls that machines send customers within
    24 hours; people may go on until twice as many. cost_factors: beginning of numbers -> as how many segments one counts
    that goes there. prefix_digits: of a number, behind its country code, that make a prefix.
    whatsapp_nudge_hours: how long before WhatsApp's 24 hours end without an answer its agent is told, 0 = never;
    whatsapp_nudge_reply: the reply template that the customer gets then, "" = none.
    to_strangers: whether machines may write to numbers that never wrote. flood_messages, flood_minutes: more messages of
    one sender than that within so long are one ticket; 0 = never.
    """

    quiet_hours: Annotated[str, Meta(pattern=r"^(?:([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d)?$")] = (
        "21:00-08:00"
    )
    budget_per_number: Count = 40
    budget_per_prefix: Count = 200
    budget_per_day: Count = 4_000
    cost_factors: dict[Annotated[str, Meta(pattern=r"^\+[1-9]\d{0,13}$")], Factor] = {}
    prefix_digits: Annotated[int, Meta(ge=0, le=8)] = 3
    to_strangers: bool = False
    flood_messages: Count = 20
    flood_minutes: Annotated[float, Meta(gt=0, le=1440)] = 10
    whatsapp_nudge_hours: Annotated[float, Meta(ge=0, le=23)] = 0
    whatsapp_nudge_reply: str = ""


class Calls(_Part, frozen=True):
    """What becomes of calls. together_minutes: a caller who tries again so soon, without a talk, gets no second ticket.

    answered_after_s: a talk that is shorter is no answer. text_back_hours: how often a number is texted at most because
    its call was missed, where the rule does not say `once:`. transcribe: the program, and its arguments, that writes
    voicemails down for accounts with `transcription: local`; transcribe_within_s: how long it may take for each.
    record_out: calls from tickets; "ask" = after the customer has pressed a key, "notice" = after a sentence to them; or
    country of the customer's number -> that.
    keep_recordings_days: of voicemails and talks, here and at the provider; 0 = they stay.
    """

    together_minutes: Annotated[float, Meta(ge=0, le=1440)] = 10
    answered_after_s: Annotated[float, Meta(ge=0, le=600)] = 5
    text_back_hours: Annotated[float, Meta(ge=1, le=720)] = 12
    transcribe: tuple[Annotated[str, Meta(min_length=1)], ...] = ()
    transcribe_within_s: Annotated[float, Meta(gt=0, le=3600)] = 300
    record_out: recording.Modes = "off"
    keep_recordings_days: Annotated[float, Meta(ge=0, le=36_500)] = 0

    def __post_init__(self) -> None:
        for fault in recording.faults(self.record_out):
            raise ValueError(f"record_out: {fault}")


class Files(_Part, frozen=True):
    """Files that customers send, and that answers carry.

    clamd: where ClamAV's daemon listens, "host:port" or "unix:/path", "" = no file is scanned. clamd_timeout_s: for one file.
    thumbnails: make small pictures of what texts bring; needs the extra `pictures`.
    """

    clamd: str = ""
    clamd_timeout_s: Annotated[float, Meta(gt=0, le=600)] = 60
    thumbnails: bool = True

    def __post_init__(self) -> None:
        is_path = self.clamd.startswith("unix:/")
        found = None if is_path else _LISTEN.fullmatch(self.clamd)
        if self.clamd and not is_path and (found is None or int(found[2]) > _HIGHEST_PORT):
            raise ValueError(
                f"clamd is written like 127.0.0.1:3310 or unix:/run/clamav/clamd.ctl, not '{self.clamd}'"
            )


class Heartbeat(_Part, frozen=True):
    """url: fetched every `every_s` seconds while the daemon is ready, so that its silence can be noticed elsewhere."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s]+$")]
    every_s: Annotated[float, Meta(ge=1)] = 60


class SilenceAlarm(_Part, frozen=True):
    """open_hours: how long nothing may come in, counted in the open hours of the rulebook's calendar of that name.

    calendar: "" = every hour counts.
    """

    open_hours: Annotated[float, Meta(gt=0)]
    calendar: str = ""


class Log(_Part, frozen=True):
    """format: auto is text on a terminal, and JSON everywhere else."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"


class ChannelSettings(msgspec.Struct, frozen=True):
    """One account. kind: names the module (channels.loading); options: its Options."""

    kind: str
    options: Any


class File(_Part, frozen=True):
    """intake.yaml as it is written. Paths: `folder` from the working directory, `rules` and `replies` from the file."""

    channels: dict[str, Node]
    name: str = ""
    store: str = ""
    folder: Annotated[str, Meta(min_length=1)] = "var"
    http: Http = Http()
    rules: Annotated[str, Meta(min_length=1)] = "rules.yaml"
    replies: Annotated[str, Meta(min_length=1)] = "replies"
    outgoing: Node | None = None
    limits: Limits = Limits()
    notices: Notices = Notices()
    answers: Answers = Answers()
    oncall: OnCall = OnCall()
    calls: Calls = Calls()
    consent: Consent = Consent()
    phone: Phone = Phone()
    files: Files = Files()
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
    heartbeat: Heartbeat | None = None
    silence_alarm: SilenceAlarm | None = None
    log: Log = Log()

    def __repr__(self) -> str:
        return f"Settings(path={str(self.path)!r}, channels={sorted(self.channels)})"


# Every section that the daemon takes as it is: one that is not named here would be read and forgotten.
_AS_WRITTEN = frozenset(Settings.__struct_fields__) & frozenset(File.__struct_fields__) - {
    "folder", "rules", "replies", "outgoing", "channels", "http",
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
