"""A call to the machine, without a server: what the caller does is posted to the address that the last answer gave."""

import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec

from channels.contract import Free, Happened, Placed, RawMessage, Turn, View
from channels.twilio import voice
from channels.twilio.phone import step
from channels.twilio.phone.menu import Choice
from channels.twilio.phone.state import State, load
from channels.twilio.simulator import grammar

OWN = "+48221234567"
JAN = "+48600100200"
CALL = "CA" + "1" * 32
SID = "AC" + "0" * 32
NOON = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
AGENT_PATHS = ("call/whisper", "call/accept", "call/connected")
MENU = (
    Choice(
        key=1,
        id="billing",
        say={"en": "invoices", "pl": "Faktury", "de": "Rechnungen"},
        words={"en": ("invoice*", "billing"), "pl": ("faktur*",), "de": ("rechnung*",)},
        menu=(
            Choice(key=1, id="refund", say="refunds", words={"en": ("refund",)}),
            Choice(key=2, id="copy", say="a copy", words={"en": ("copy",)}),
        ),
    ),
    Choice(
        key=2,
        id="repair",
        say={"en": "repairs", "pl": "Naprawy", "de": "Reparaturen"},
        words={"en": ("repair*", "broken"), "pl": ("napraw*",), "de": ("reparatur*",)},
    ),
)


def options(**changed: Any) -> voice.Options:
    """An account with a menu in English; changed: what is different."""
    told: dict[str, Any] = {
        "account_sid": SID,
        "auth_token": "secret-token",
        "numbers": (OWN,),
        "public_url": "https://desk.example.com",
        "menu": MENU,
    }
    return voice.Options(**(told | changed))


def free(name: str, number: int, level: str = "l1", *, has_all: bool = True) -> Free:
    return Free(name, f"+4860000000{number}", level, (), has_all)


ANIA, EWA, OLEK, TOMEK = free("ania", 1), free("ewa", 2), free("olek", 3), free("tomek", 4, "lead")


def placed(*ring: Free, **told: Any) -> Placed:
    return Placed(**({"ref": "T-7K2", "team": "support", "ring": ring} | told))


class Call:
    """One call. Every answer is checked against the grammar, and every state against its bound.

    view: what the machine sees from now on. state: after the last turn. happened: all of it.
    """

    def __init__(self, account: voice.Options | None = None, **view: Any) -> None:
        self.options = account or options()
        self.machine = step.Machine("phone", self.options)
        self.view = View(at=NOON, **view)
        self.at = NOON
        self.kept: bytes | None = None
        self.happened: list[Happened] = []
        self.turn = Turn(state=None, reply="")
        self.raw: RawMessage  # of the last request
        self.caller = JAN
        self.name = CALL
        self.is_doubled = True
        self._read: tuple[str, grammar.Element] | None = None
        self.asked: list[tuple[str, dict[str, str]]] = []

    @property
    def state(self) -> State:
        known = load(self.kept)
        assert known is not None
        return known

    @property
    def words(self) -> list[str]:
        """What has happened, in order."""
        return [each.what for each in self.happened]

    @property
    def root(self) -> grammar.Element:
        if self._read is None or self._read[0] is not self.turn.reply:
            self._read = (self.turn.reply, grammar.read(self.turn.reply.encode()))
        return self._read[1]

    def see(self, **changed: Any) -> None:
        self.view = msgspec.structs.replace(self.view, **changed)

    def later(self, seconds: float) -> None:
        self.at += timedelta(seconds=seconds)
        self.see(at=self.at)

    def post(self, path: str, query: dict[str, str] | None = None, **form: str) -> Turn:
        """Make one request, as the store would run it: twice, for the second run has to decide the same."""
        fields = {"CallSid": self.name, "From": self.caller, "To": OWN} | form
        raw = RawMessage(
            kind=voice.KIND,
            account="phone",
            lane=f"call:{self.name}",
            body=urlencode(fields).encode(),
            received_at=self.at,
            envelope={"path": path, "query": query or {}},
        )
        self.asked.append((path, query or {}))
        self.raw = raw
        turn = self.decide(raw)
        root = grammar.read(turn.reply.encode(), place="whisper" if path in AGENT_PATHS else "voice")
        for each in root.walk():
            if each.name == "Gather":
                assert each.is_set("actionOnEmptyResult"), "silence would end the call"
                assert each.get("finishOnKey", "?") == "", "# would be no key"
        assert len(turn.state or b"") <= 16_384
        self.kept, self.turn, self._read = turn.state, turn, (turn.reply, root)
        self.happened += turn.happened
        return turn

    def decide(self, raw: RawMessage) -> Turn:
        turn = self.machine.step(self.kept, raw, self.view)
        if self.is_doubled:
            assert turn == self.machine.step(self.kept, raw, self.view), "a step is pure"
        return turn

    def follow(self, url: str, **form: str) -> Turn:
        """Ask an address that an answer has given."""
        parts = urlsplit(url)
        path = parts.path.removeprefix("/hooks/phone/")
        return self.post(path, dict(parse_qsl(parts.query)), **form)

    def start(self, **form: str) -> "Call":
        self.post("call", {}, **form)
        return self

    def verb(self, name: str) -> grammar.Element:
        return next(each for each in self.root.walk() if each.name == name)

    def has(self, name: str) -> bool:
        return any(each.name == name for each in self.root.walk())

    @property
    def said(self) -> str:
        """All that is spoken by the last answer."""
        return " ".join(each.words for each in self.root.walk() if each.name == "Say")

    def press(self, digit: str) -> "Call":
        """Press a key, or none ("")."""
        self.follow(self.verb("Gather").get("action"), Digits=digit)
        return self

    def speak(self, text: str) -> "Call":
        self.follow(self.verb("Gather").get("action"), SpeechResult=text, Confidence="0.9")
        return self

    def go_on(self) -> "Call":
        """Follow a <Redirect>."""
        self.follow(self.verb("Redirect").words)
        return self

    def leg(self, agent: str, path: str = "call/whisper", *, n: int = 0, **form: str) -> Turn:
        """A request about an agent's phone."""
        query = {"a": agent, "of": CALL, "r": str(self.state.round if self.kept else 1)}
        if n:
            query["n"] = str(n)
        fields = {"CallSid": leg_of(agent), "ParentCallSid": CALL, "From": OWN, "To": "+48600000000"}
        return self.post(path, query, **(fields | form))

    def accept(self, agent: str) -> Turn:
        """Pick up, hear it, press 1, stay on the line."""
        self.leg(agent)
        self.leg(agent, "call/accept", n=1, Digits="1")
        return self.leg(agent, "call/connected")

    def dialed(self, status: str = "no-answer", **form: str) -> "Call":
        query = {"n": str(self.state.n), "l": self.state.language}
        self.post("call/dialed", query, DialCallStatus=status, **form)
        return self

    def recorded(self, seconds: int) -> "Call":
        told = {"RecordingSid": "RE" + "a" * 32, "RecordingDuration": str(seconds)}
        self.follow(self.verb("Record").get("action"), **told)
        return self

    def hang_up(self, status: str = "completed") -> Happened:
        self.post("call/status", {}, CallStatus=status, CallDuration="42")
        return self.happened[-1]


def leg_of(agent: str, call: str = CALL) -> str:
    """The id of an agent's own call, within a call."""
    return f"CA{hashlib.sha256(f'{call} {agent}'.encode()).hexdigest()[:32]}"


def ringing(*ring: Free, account: voice.Options | None = None, **view: Any) -> Call:
    """A call in which the menu is over and the first round rings."""
    call = Call(account or options(menu=()), placed=placed(*ring), **view).start()
    return call.go_on()
