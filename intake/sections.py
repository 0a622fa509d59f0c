"""The sections of intake.yaml: what may be written in each, and what holds where nothing is written."""

import ipaddress
import re
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from channels import recording

_LISTEN = re.compile(r"(\[[0-9a-fA-F:.]+\]|[^\s:]+):([0-9]{1,5})")
_HIGHEST_PORT = 65_535
Count = Annotated[int, Meta(ge=0)]
Factor = Annotated[int, Meta(ge=1, le=1_000)]


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mapping of intake.yaml; a key it does not know is refused."""


class Tls(Section, frozen=True):
    """Files in PEM: the certificate with its chain, and its key. A certificate that is renewed is taken up within the hour."""

    certificate: Annotated[str, Meta(min_length=1)]
    key: Annotated[str, Meta(min_length=1)]


class Http(Section, frozen=True):
    """listen: "host:port", port 0 = any free one. public_url: how customers and providers reach us, without a final /.

    tls: None = plain HTTP. proxies: addresses and networks, apart by spaces, of the proxies in front of us: whom they name
    in X-Forwarded-For is who asks; of nobody else that header is believed, this machine's own proxy aside. Without either
    we listen on this machine alone. With tls others reach us by an address that public_url has to say: what Host says is
    believed by nobody, so that nobody could sign in without. (Behind a proxy this machine alone may: a container's own host.)
    """

    listen: str = "127.0.0.1:8080"
    public_url: str = ""
    proxies: str = ""
    tls: Tls | None = None

    def __post_init__(self) -> None:
        found = _LISTEN.fullmatch(self.listen)
        if found is None or int(found[2]) > _HIGHEST_PORT:
            raise ValueError(f"listen is written like 127.0.0.1:8080, not '{self.listen}'")
        if self.public_url and not self.public_url.startswith(("http://", "https://")):
            raise ValueError(f"public_url is written like https://help.example.com, not '{self.public_url}'")
        self._check_proxies()
        if not self.is_local and self.tls is None and not self.proxies.split():
            raise ValueError(
                f"{self.listen} can be reached from elsewhere, and what is sent there could be read on the way: "
                "give it tls, or name the proxy in front of it in proxies"
            )
        if not self.is_local and self.tls is not None and not self.public_url:
            raise ValueError(
                f"{self.listen} can be reached from elsewhere: say in public_url how browsers do, like "
                "https://help.example.com, for pages of that origin alone are listened to, and links begin with it"
            )

    def _check_proxies(self) -> None:
        for each in self.proxies.split():
            try:
                ipaddress.ip_network(each, strict=False)
            except ValueError:
                raise ValueError(f"proxies are written like '10.0.0.7 10.1.0.0/16', not '{each}'") from None

    @property
    def is_local(self) -> bool:
        """Whether only this machine reaches the address."""
        host = self.listen.rpartition(":")[0].strip("[]")
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return host == "localhost"


class Access(Section, frozen=True):
    """Who signs in, and for how long.

    second_factor: of whom it is asked. session_hours: after so long everybody signs in again; idle_minutes: after so long
    without a click. password_length: characters at least. invitation_hours: how long a link to choose a password is good.
    """

    second_factor: Literal["everybody", "admins", "nobody"] = "admins"
    session_hours: Annotated[float, Meta(gt=0, le=24)] = 12
    idle_minutes: Annotated[float, Meta(ge=1, le=1440)] = 120
    password_length: Annotated[int, Meta(ge=8, le=64)] = 12
    invitation_hours: Annotated[float, Meta(gt=0, le=168)] = 72


class Desk(Section, frozen=True):
    """The page that agents work on. agents_see: the tickets of their teams, their own and nobody's; or all."""

    agents_see: Literal["team", "all"] = "team"


class Limits(Section, frozen=True):
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


class Notices(Section, frozen=True):
    """The built-in mails to agents, each of which may be switched off.

    link_days: how long the links of a notice, by which it is acknowledged or taken, are good for; 0 = there are none.
    outside_hours: what can wait comes in one mail when the agent's hours begin, or at once as all else does.
    """

    assigned: bool = True
    customer_replied: bool = True
    taken: bool = True
    delivery_failed: bool = True
    promise_due: bool = True
    promise_broken: bool = True
    link_days: Annotated[float, Meta(ge=0, le=90)] = 7
    outside_hours: Literal["digest", "at_once"] = "digest"


class Answers(Section, frozen=True):
    """What agents' answers look like beside their text.

    quote: the customer's last message below it, as mail clients do. signature: Markdown, below every answer;
    signatures: team or agent -> their own. names: agent -> the name that customers see as the sender's, with the organization's.
    undo_s: how long what was sent from the desk waits before it leaves, and can be taken back; 0 = it leaves at once.
    """

    quote: bool = True
    undo_s: Annotated[float, Meta(ge=0, le=60)] = 10
    signature: str = ""
    signatures: dict[str, str] = {}
    names: dict[str, str] = {}


class OnCall(Section, frozen=True):
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


class Consent(Section, frozen=True):
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


class Phone(Section, frozen=True):
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


class Calls(Section, frozen=True):
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


class Files(Section, frozen=True):
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


class Heartbeat(Section, frozen=True):
    """url: fetched every `every_s` seconds while the daemon is ready, so that its silence can be noticed elsewhere."""

    url: Annotated[str, Meta(pattern=r"^https?://[^\s]+$")]
    every_s: Annotated[float, Meta(ge=1)] = 60


class SilenceAlarm(Section, frozen=True):
    """open_hours: how long nothing may come in, counted in the open hours of the rulebook's calendar of that name.

    calendar: "" = every hour counts.
    """

    open_hours: Annotated[float, Meta(gt=0)]
    calendar: str = ""


class Log(Section, frozen=True):
    """format: auto is text on a terminal, and JSON everywhere else."""

    level: Literal["debug", "info", "warning", "error"] = "info"
    format: Literal["auto", "json", "text"] = "auto"
