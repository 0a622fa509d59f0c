"""Somebody on the phone: what they hear, and what they do when it is their turn."""

from collections.abc import Sequence

import msgspec

from channels.twilio.simulator.scenario import Act

SECONDS_TO_THINK = 1.0
SECONDS_A_CHARACTER = 1 / 15
SECONDS_A_KEY = 0.3


class Reaction(msgspec.Struct, frozen=True):
    """What is done at a question. at_s: after it began; keys, speech: "" = none; is_leaving: hangs up."""

    at_s: float
    keys: str = ""
    speech: str = ""
    confidence: float = 0.0
    is_leaving: bool = False


class Persona:
    """One party. acts: done in this order, one at each turn; when there are none left, the party listens in silence."""

    def __init__(self, name: str, acts: Sequence[Act] = ()) -> None:
        self.name = name
        self._acts = list(acts)
        self.heard: list[str] = []
        self._since: list[str] = []
        self.missed: list[str] = []

    def hear(self, words: str) -> None:
        if words:
            self.heard.append(words)
            self._since.append(words)

    @property
    def left(self) -> list[str]:
        """What it never came to, in words."""
        return [_words(act) for act in self._acts if not act.maybe]

    def at_question(self, prompt_s: float) -> Reaction | None:
        """What is done at a <Gather> whose words take so long; None = nothing."""
        act = self._next(is_message=False)
        if act is None or act.leave is not None:
            return None
        self._done(act)
        at_s = prompt_s + SECONDS_TO_THINK if act.after is None else act.after
        if act.hang_up:
            return Reaction(at_s, is_leaving=True)
        if act.press is not None:
            return Reaction(at_s, keys=act.press)
        if act.say is not None:
            return Reaction(at_s, speech=act.say, confidence=act.confidence)
        return None

    def at_beep(self) -> Act | None:
        """What is left on a voicemail; None = silence."""
        act = self._next(is_message=True)
        if act is None or (act.leave is None and not act.hang_up):
            return None
        self._done(act)
        return act

    def leaves_after(self) -> float | None:
        """When the party hangs up while it waits or talks, in seconds; None = it does not."""
        act = self._acts[0] if self._acts else None
        if act is None or not act.hang_up or act.leave is not None:
            return None
        self._done(act)
        return 5.0 if act.after is None else act.after

    def _next(self, *, is_message: bool) -> Act | None:
        """What comes next, past what it may not come to and what does not fit here."""
        while self._acts and self._acts[0].maybe and (self._acts[0].leave is not None) != is_message:
            self._acts.pop(0)
        return self._acts[0] if self._acts else None

    def _done(self, act: Act) -> None:
        self._acts.pop(0)
        text = " ".join(self._since)
        self.missed += [each for each in act.wanted if each.lower() not in text.lower()]
        self._since = []


def _words(act: Act) -> str:
    done = {"press": act.press, "say": act.say, "leave": act.leave}
    return next((f"{name} {value}" for name, value in done.items() if value is not None), "hang up")


def speaking_s(words: str) -> float:
    """How long it takes to say so much."""
    return len(words) * SECONDS_A_CHARACTER
