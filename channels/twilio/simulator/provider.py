"""All that the played Twilio knows: numbers, texts, calls, recordings, who opted out, and what was asked of it.

One Provider is one account. Time is its own (`at`, moved by `advance`), ids come from a seed: the same play is the same
to the letter.
"""

import dataclasses
import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from channels.twilio.simulator.refusals import ApiError, Refusal

ACCOUNT = "AC" + "0123456789abcdef" * 2
TOKEN = "simulated-auth-token"  # noqa: S105 - of nobody's account
WINDOW = timedelta(
    hours=24
)  # WhatsApp's customer service window, twilio.com/docs/whatsapp/key-concepts (2026-11)
BEGINNING = datetime(2026, 11, 10, 9, 0, tzinfo=UTC)

Sort = Literal[
    "mobile", "landline", "not_mobile", "unreachable", "blocked", "filtered", "unverified", "no_region"
]
# What becomes of a text to such a number: the code of the final report. The others are refused at once.
LATE_CODES: dict[str, int] = {"landline": 30006, "unreachable": 30003, "blocked": 30004, "filtered": 30007}
# Twilio closes and opens a number by itself on these words, alone in a text, in any case (its help centre, "Twilio support
# for opt-out keywords", 2026-11); not on WhatsApp.
STOPS = frozenset(["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"])
STARTS = frozenset(["START", "YES", "UNSTOP"])
EARLY_CODES: dict[str, int] = {"not_mobile": 21614, "unverified": 21608, "no_region": 21408}


@dataclasses.dataclass(kw_only=True)
class Number:
    """A number of the account. settings: as the REST API names them ("sms_url", …)."""

    sid: str
    number: str
    can: frozenset[str] = frozenset(("sms", "mms", "voice"))
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)


class Media(msgspec.Struct, frozen=True):
    """A file of a message."""

    sid: str
    content_type: str
    content: bytes


@dataclasses.dataclass(kw_only=True)
class Text:
    """A message, in or out.

    code: why it failed. final, final_code: what its last report will say. extra: further fields of the webhook.
    """

    sid: str
    direction: str
    from_: str
    to: str
    body: str
    status: str
    created_at: datetime
    sent_at: datetime | None = None
    media: tuple[Media, ...] = ()
    media_urls: tuple[str, ...] = ()
    status_callback: str = ""
    service: str | None = None
    content_sid: str | None = None
    content_variables: str = ""
    code: int | None = None
    final: str = "delivered"
    final_code: int | None = None
    price: str | None = None
    extra: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(kw_only=True)
class Call:
    """A leg. parent: of the leg that dialled it. asked: the parameters that made it, or changed it."""

    sid: str
    direction: str
    from_: str
    to: str
    status: str
    created_at: datetime
    parent: str | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    answered_by: str | None = None
    price: str | None = None
    asked: dict[str, str] = dataclasses.field(default_factory=dict)
    events: tuple[str, ...] = ("completed",)

    @property
    def duration_s(self) -> int:
        if self.started_at is None or self.ended_at is None:
            return 0
        return round((self.ended_at - self.started_at).total_seconds())

    @property
    def is_over(self) -> bool:
        return self.status in ("completed", "busy", "no-answer", "failed", "canceled")


@dataclasses.dataclass(kw_only=True)
class Recording:
    """A recording. words: what is said in it, so that it can be transcribed."""

    sid: str
    call: str
    created_at: datetime
    duration_s: int = 0
    status: str = "completed"
    source: str = "RecordVerb"
    channels: int = 1
    content: bytes = b""
    words: str = ""
    asked: dict[str, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(kw_only=True)
class Transcription:
    """What Twilio understood of a recording. status: "completed", "failed"."""

    sid: str
    recording: str
    created_at: datetime
    text: str
    status: str = "completed"
    duration_s: int = 0


class Asked(msgspec.Struct, frozen=True):
    """One request to the REST API, and how it was answered. code: of the refusal, 0 = it was taken."""

    method: str
    path: str
    parameters: tuple[tuple[str, str], ...]
    status: int
    code: int = 0

    def __getitem__(self, name: str) -> str:
        return dict(self.parameters).get(name, "")


class Provider:
    """One account as Twilio holds it. Everything may be looked at and changed by a test."""

    def __init__(
        self,
        *,
        account: str = ACCOUNT,
        token: str = TOKEN,
        numbers: tuple[str, ...] = ("+48221234567",),
        senders: tuple[str, ...] = (),
        seed: int = 1,
        at: datetime | None = None,
    ) -> None:
        """Make an account. numbers: can text and call; senders: may send on WhatsApp, () = all numbers."""
        self.account, self.token = account, token
        self.keys: dict[str, str] = {}  # API keys, and their secrets
        self.at = at or BEGINNING
        self.random = random.Random(seed)  # noqa: S311 - reproducible on purpose
        self.numbers = {each: Number(sid=self.sid("PN"), number=each) for each in numbers}
        self.senders = set(senders or numbers)
        self.services: set[str] = set()
        self.templates: set[str] = set()
        self.texts: dict[str, Text] = {}
        self.calls: dict[str, Call] = {}
        self.recordings: dict[str, Recording] = {}
        self.transcriptions: dict[str, Transcription] = {}
        self.opted_out: set[tuple[str, str]] = set()
        self.last_inbound: dict[tuple[str, str], datetime] = {}
        self.sorts: dict[str, Sort] = {}
        self.files: dict[str, Media] = {}
        self.asked: list[Asked] = []
        self.refusal: Refusal | None = None
        self.is_down = False
        self.requests_per_s: int | None = None
        self.redirects_media = False  # the real one does, to a host that is public and speaks TLS
        self.reports_late_opt_outs = False
        self.takes_words = True  # support can switch that off for an account
        self._counted = (self.at, 0)
        self.on_text: list[Callable[[Text], None]] = []
        self.on_call: list[Callable[[Call], None]] = []
        self.on_change: list[Callable[[Call, dict[str, str]], None]] = []

    def sid(self, prefix: str) -> str:
        """Make an id of Twilio's form."""
        return prefix + f"{self.random.getrandbits(128):032x}"

    def advance(self, seconds: float = 0, *, hours: float = 0) -> datetime:
        self.at += timedelta(seconds=seconds, hours=hours)
        return self.at

    # -- what a test asks ---------------------------------------------------------------------------------------------

    @property
    def sent(self) -> list[Text]:
        """The texts that were taken from us, the oldest first."""
        return [each for each in self.texts.values() if each.direction.startswith("outbound")]

    @property
    def called(self) -> list[Call]:
        """The calls that we asked for by REST, the oldest first."""
        return [each for each in self.calls.values() if each.direction == "outbound-api"]

    def asked_for(self, resource: str, method: str = "POST") -> list[Asked]:
        """Requests to a resource ("Messages", "Calls"), whatever the answer was."""
        ending = f"/{resource}.json"
        return [each for each in self.asked if each.method == method and each.path.endswith(ending)]

    def refuse(self, code: int, times: int | None = None) -> None:
        """Answer every request with this refusal, so many times."""
        self.refusal = Refusal(code, times)

    # -- what happens -------------------------------------------------------------------------------------------------

    def receive(
        self, sender: str, to: str, body: str, *, media: tuple[Media, ...] = (), **extra: str
    ) -> Text:
        """Take a customer's text, as it stands at Twilio before any webhook tells of it."""
        prefix = "MM" if media else "SM"
        text = Text(
            sid=self.sid(prefix),
            direction="inbound",
            from_=sender,
            to=to,
            body=body,
            status="received",
            created_at=self.at,
            sent_at=self.at,
            media=media,
            extra=extra,
        )
        self.texts[text.sid] = text
        self.files.update((each.sid, each) for each in media)
        self.last_inbound[to, sender] = self.at
        self._take_word(sender, to, body)
        return text

    def _take_word(self, sender: str, to: str, body: str) -> None:
        """Close or open a number for a sender who says so; the text goes on to us all the same."""
        word = body.strip().upper()
        if sender.startswith("whatsapp:") or not self.takes_words:
            return
        if word in STOPS:
            self.opted_out.add((to, sender))
        elif word in STARTS:
            self.opted_out.discard((to, sender))

    def media(self, content: bytes, content_type: str = "image/jpeg") -> Media:
        """Make a file that a text may have."""
        return Media(self.sid("ME"), content_type, content)

    def is_in_window(self, own: str, customer: str) -> bool:
        """Whether WhatsApp lets free text through."""
        last = self.last_inbound.get((own, customer))
        return last is not None and self.at - last < WINDOW

    def next_refusal(self) -> ApiError | None:
        """What stands in the way of any request now: an outage, a rate, what a test asked for."""
        if self.is_down:
            return ApiError(20503)
        if self.requests_per_s is not None and self._count_now() > self.requests_per_s:
            return ApiError(20429)
        planned = self.refusal
        if planned is None:
            return None
        if planned.left is not None:
            self.refusal = Refusal(planned.code, planned.left - 1) if planned.left > 1 else None
        return ApiError(planned.code)

    def _count_now(self) -> int:
        """Count the requests of one second of our time."""
        second = self.at.replace(microsecond=0)
        before = self._counted[1] if self._counted[0] == second else 0
        self._counted = (second, before + 1)
        return self._counted[1]
