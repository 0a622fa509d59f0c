"""A small Twilio that plays whole calls with dice: presses, words, silence, agents, machines, disorder, lost states.

It runs the TwiML of the customer's leg verb by verb, the agents' phones of each <Dial> beside it, and posts what Twilio
would. What must never be is checked at every turn; `Flaw` says what was.
"""

import random
import re
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from channels.contract import Free
from channels.twilio import voice
from channels.twilio.phone import state as states
from channels.twilio.simulator.grammar import Element
from tests.phone import talking
from tests.phone.talking import Call, free, leg_of, options

MAX_TURNS = 60  # of the customer's leg, in one call: whoever presses what, it comes to an end
WORDS = ("invoice", "refund", "broken", "human", "again", "mumble mumble", "", "two", "deutsch", "polish")
KEYS = "0123456789*#"
CUSTOMER = "Ms Ito"  # whom the number belongs to; whoever calls from it may be anybody
PRIVATE = re.compile(rf"{CUSTOMER}|T-1|T-7K2")
ENDS = frozenset(
    {"answered", "voicemail", "no_message", "closed", "hung_up_in_menu", "hung_up_waiting", "failed"}
)
ACCOUNTS = (
    options(),
    options(menu=()),
    options(languages=("en", "pl", "de"), record="ask", ring="turn"),
    options(record="notice", hold_s=0, ring_max_s=30),
    options(when_closed="ring", offer_open_request=False, hold_music="https://cdn.example.com/a.mp3"),
    options(when_closed="hang_up", transcription="twilio"),
    options(closed_text="after_hours", emergency=True, record="ask"),
    options(when_closed="hang_up", closed_text="after_hours"),
    options(record={"default": "off", "PL": "ask", "DE": "notice"}),
)
AGENTS = tuple(
    free(name, number, level, has_all=has_all)
    for number, (name, level, has_all) in enumerate(
        (("a", "l1", True), ("b", "l1", True), ("c", "l1", False), ("d", "l2", True), ("e", "lead", True)),
        start=1,
    )
)


class Flaw(AssertionError):
    """Something that must never be."""


class Walk:
    """One call. dice: all that is random. mood: of the caller; "wrong" and "silent" are so to the end, and never hang up."""

    def __init__(self, dice: random.Random) -> None:
        self.dice = dice
        self.call = self.calling(dice.choice(ACCOUNTS))
        self.turns = 0
        self.rung: set[str] = set()
        self.in_call: str | None = None
        self.dialed: set[str] = set()
        self.late: list[Callable[[], Any]] = []
        self.was_lost = False
        self.mood = dice.choice(("any", "any", "any", "wrong", "silent"))

    def calling(self, account: voice.Options) -> Call:
        """The call that is played, and the desk that it comes to."""
        dice = self.dice
        call = Call(
            account,
            is_open=dice.random() < 0.8,
            open_refs=("T-1",) if dice.random() < 0.3 else (),
            incident={"en": "All is slow."} if dice.random() < 0.2 else {},
            language=dice.choice((None, "en", "pl", "fr")),
            may_text=dice.random() < 0.5,
        )
        call.is_doubled = dice.random() < 0.1
        return call

    def rings(self, names: Iterable[str]) -> None:
        """Phones begin to ring."""

    def stops(self, name: str) -> None:
        """A phone rings no more, and nobody speaks on it."""

    # -- the customer's leg -------------------------------------------------------------------------------------

    def run(self) -> str:
        """Play the call to its end; why it ended."""
        self.post(lambda: self.call.post("call"))
        while not self.step(self.call.root):
            pass
        ended = self.call.hang_up()
        self._check(ended.details["why"] in ENDS, f"ended as {ended.details['why']}")
        self._check(self.call.kept is None and self.call.turn.holds == (), "something is held after the end")
        for post in self.late:
            post()
            self._check(
                self.call.kept is None and self.call.turn.holds == (), "something began after the end"
            )
        self._check_timeline(str(ended.details["why"]))
        return str(ended.details["why"])

    def step(self, root: Element) -> bool:
        """Do the verbs of an answer; whether the call is over."""
        for verb in root.children:
            if verb.name == "Hangup":
                self._check(self.call.turn.holds == (), "somebody is held after good-bye")
                return True
            if self.mood == "any" and self.dice.random() < 0.02:
                return True
            if verb.name in ("Say", "Play", "Pause"):
                self.call.later(len(verb.words) / 15 + 1)
                continue
            return self._ask(verb)
        return True

    def _ask(self, verb: Element) -> bool:
        self.call.later(self.dice.random() * 6)
        if verb.name == "Redirect":
            self.follow(verb.words)
        elif verb.name == "Gather":
            self.follow(verb.get("action"), **self._answer())
        elif verb.name == "Dial":
            return self._dial(verb)
        elif verb.name == "Record":
            return self._record(verb)
        else:
            raise Flaw(f"<{verb.name}> was not expected")
        return False

    def _answer(self) -> dict[str, str]:
        if self.mood != "any":
            return {"Digits": "9" if self.mood == "wrong" else ""}
        how = self.dice.random()
        if how < 0.6:
            return {"Digits": self.dice.choice(KEYS)}
        return {"SpeechResult": self.dice.choice(WORDS), "Confidence": "0.5"} if how < 0.8 else {"Digits": ""}

    def _record(self, verb: Element) -> bool:
        """Say something, or nothing; whether the caller hangs up meanwhile."""
        seconds = self.dice.choice((0, 3, 30)) if self.mood == "any" else 0
        recording = f"RE{leg_of(str(self.turns), self.call.name)[2:]}"
        if not seconds and self.dice.random() < 0.5:
            self.follow(f"{verb.get('action')}&empty=1")
            return False
        told = {"RecordingSid": recording, "RecordingDuration": str(seconds)}
        query = dict(parse_qsl(urlsplit(verb.get("recordingStatusCallback")).query))
        self._later(lambda: self.call.post("call/recording", query, RecordingStatus="completed", **told))
        if self.mood == "any" and self.dice.random() < 0.3:
            self._gone(verb, Digits="hangup", **told)
            return True
        self.follow(verb.get("action"), **told)
        return False

    def _gone(self, verb: Element, **form: str) -> None:
        """Ask the action of a verb in which the caller has hung up, before or after it is said that they have."""

        def post() -> None:
            self.call.follow(verb.get("action"), CallStatus="completed", **form)

        if self.dice.random() < 0.5:
            self._aside(post)
            self._check(self.call.turn.holds == (), "somebody rings for who has gone")
        else:
            self._later(post)

    def follow(self, url: str, **form: str) -> None:
        if self.dice.random() < 0.02:
            self._disturb(url)
        self.post(lambda: self.call.follow(url, **form))

    def _disturb(self, url: str) -> None:
        """Lose the state, or have an old request come again under another name."""
        if self.dice.random() < 0.3:
            self.call.kept = None
            self.was_lost = True
            return
        before = self.call.kept
        n = states.load(before)
        if n is not None and n.n > 1:
            self.call.post("call/menu", {"n": str(n.n - 1)}, Digits="1")
            self._check(self.call.kept == before, "an old request changed something")

    def post(self, ask: Callable[[], Any]) -> None:
        """Make a turn of the customer's leg, after the rules have moved on a little and late callbacks came."""
        self.turns += 1
        self._check(self.turns <= MAX_TURNS, "the call does not end")
        self._move_on()
        while self.late and self.dice.random() < 0.5:
            self._aside(self.late.pop(self.dice.randrange(len(self.late))))
        ask()
        self._check_turn()

    def _aside(self, post: Callable[[], Any]) -> None:
        post()
        self._check_turn()

    def _later(self, post: Callable[[], Any]) -> None:
        self.late.append(post)

    def _move_on(self) -> None:
        """Let the rules place the call, and the agents come and go."""
        if self.call.view.placed is not None or self.dice.random() < 0.6:
            ring: tuple[Free, ...] = tuple(each for each in AGENTS if self.dice.random() < 0.6)
            priority = self.dice.choice(("normal", "urgent"))
            self.call.see(placed=talking.placed(*ring, priority=priority, customer=CUSTOMER))

    # -- the agents' phones -------------------------------------------------------------------------------------

    def _dial(self, verb: Element) -> bool:
        """Ring phones: none, one or two pick up, machines among them; whether the caller hangs up meanwhile."""
        phones = {dict(parse_qsl(urlsplit(each.get("url")).query))["a"]: each for each in verb.children}
        self._check(0 < len(phones) <= 10, f"{len(phones)} phones ring")
        self._check(self.was_lost or not self.rung & phones.keys(), "somebody rings twice")
        self._check(self.call.turn.holds == tuple(phones), "who rings is not who is held")
        agreed = any(each.what == "consent" and each.details["given"] for each in self.call.happened)
        self._check(agreed or not verb.get("record"), "recorded without consent")
        self.rung |= phones.keys()
        self.dialed = set(phones)
        self.rings(phones)
        self.in_call = None
        picked = [name for name in phones if self.dice.random() < 0.5][:2]
        scripts = [self._agent(name, phones[name]) for name in picked]
        while scripts:  # in any order between the phones, in order on each
            script = self.dice.choice(scripts)
            if next(script, None) is None:
                scripts.remove(script)
            self.call.later(self.dice.choice((0, 1, 4, 11)))
        for name in sorted(phones.keys() - set(picked)):
            self._leg_over(phones[name], name, "no-answer")
        is_over = self.mood == "any" and self.dice.random() < 0.05
        for name in phones if is_over else ():
            self.stops(name)
        if is_over:
            self._gone(verb, DialCallStatus="canceled", DialBridged="true" if self.in_call else "false")
        else:
            self._end_dial(verb, phones, picked)
        return is_over

    def _end_dial(self, verb: Element, phones: dict[str, Element], picked: list[str]) -> None:
        is_talk = self.in_call is not None
        for name in picked:
            if name != self.in_call:
                self._leg_over(phones[name], name, "completed")
        if is_talk and self.dice.random() < 0.5:
            self._leg_over(phones[str(self.in_call)], str(self.in_call), "completed")
        told = {"DialCallStatus": "completed" if picked else "no-answer"}
        if picked and self.dice.random() < 0.9:
            told["DialBridged"] = "true" if is_talk else "false"
        for name in phones:
            self.stops(name)
        self.follow(verb.get("action"), **told)

    def _agent(self, name: str, number: Element) -> Any:
        """Pick up, listen, press something; each `yield` is a moment in which others do something."""
        leg = {
            "CallSid": leg_of(name, self.call.name),
            "ParentCallSid": self.call.name,
            "From": talking.OWN,
            "To": number.text,
        }
        root = self._ask_leg(number.get("url"), leg, name)
        for _ in range(3):
            yield True
            gather = next((each for each in root.walk() if each.name == "Gather"), None)
            if gather is None:
                return
            if self.dice.random() < 0.1:  # hangs up, or the line breaks
                self._leg_over(number, name, "completed")
                return
            url, pressed = gather.get("action"), self.dice.choice(("1", "1", "1", "", "7"))
            is_last = "call/connected" in url
            if is_last:
                for other in self.dialed:  # Twilio hangs up on them
                    self.stops(other)
            root = self._ask_leg(url, leg | ({} if is_last else {"Digits": pressed}), name)
            if is_last:
                self._connected(name, root)
                return

    def _ask_leg(self, url: str, leg: dict[str, str], name: str = "") -> Element:
        """Ask for an agent's leg. name: whose phone is free if the answer is a <Hangup>: the store knows before we do."""
        self.stops(name)
        self.call.follow(url, **leg)
        self._check_turn()
        if name and not self.call.has("Hangup"):
            self.rings([name])
        return self.call.root

    def _connected(self, name: str, root: Element) -> None:
        """What ends without a word and without a <Hangup> is connected by Twilio."""
        if root.children:
            return
        self._check(self.in_call in (None, name), "two agents have the call")
        self.in_call = name
        self._check(self.call.turn.holds == (name,), "who has the call is not who is held")

    def _leg_over(self, number: Element, name: str, status: str) -> None:
        url = number.get("statusCallback")
        leg = {"CallSid": leg_of(name, self.call.name), "ParentCallSid": self.call.name}
        form = leg | {"CallStatus": status}
        self.stops(name)
        if self.dice.random() < 0.7:
            self._ask_leg(url, form)
            self._check(name not in self.call.turn.holds, "a phone that is done is held")
        else:
            self._later(lambda: self.call.follow(url, **form))

    # -- what must never be -------------------------------------------------------------------------------------

    def _check_turn(self) -> None:
        """The grammar, the purity and the size of the state are checked by `Call` itself."""
        turn, known = self.call.turn, states.load(self.call.kept)
        self._check(len(set(turn.holds)) == len(turn.holds), "somebody is held twice")
        self._check(known is None or set(turn.holds) <= set(known.rung), "somebody is held who never rang")
        self._check(bool(turn.holds) == (turn.hold_s > 0), "a hold without an end, or an end without a hold")
        if known is not None and known.owner is not None:
            self._check(set(turn.holds) <= {known.owner}, "others are held beside the owner")
        if self.call.asked[-1][0] not in talking.AGENT_PATHS:
            self._check(
                not PRIVATE.search(turn.reply), "a caller hears who they are taken for, or of a ticket"
            )

    def _check_timeline(self, why: str) -> None:
        told = self.call.happened
        words = [each.what for each in told]
        if why == "voicemail":
            self._check("voicemail_offered" in words, "a message that nobody asked for")
        if why == "answered" and not self.was_lost:
            self._check("connected" in words, "answered by nobody")

    def _check(self, is_so: bool, what: str) -> None:  # noqa: FBT001
        if not is_so:
            path = " ".join(f"{path}?{query.get('n', '')}" for path, query in self.call.asked)
            raise Flaw(f"{what}; asked: {path}; happened: {self.call.words}")
