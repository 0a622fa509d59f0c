"""The machine under dice: whatever callers, agents, machines and the network do, what must never be never is."""

import random
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from channels.twilio.phone import choosing, patience, ringing, twiml, voicemail, whisper
from channels.twilio.phone.moment import Line, Moment
from tests.phone import talking, walking
from tests.phone.talking import ANIA, Call, options
from tests.phone.walking import Flaw, Walk
from tests.rows import every_row

QUICK_S = 2.0


def walk(count: int, *, seed: int = 6, until_s: float | None = None) -> Counter[str]:
    """Play calls; how often each end was reached."""
    dice = random.Random(seed)
    ends = Counter[str]()
    started = time.monotonic()
    for _ in range(count):
        ends[Walk(dice).run()] += 1
        if until_s is not None and time.monotonic() - started > until_s:
            break
    return ends


@pytest.mark.slow
def test_every_walk_ends_with_an_owner_a_message_or_a_hang_up() -> None:
    ends = walk(10_000, until_s=QUICK_S)
    assert set(ends) <= walking.ENDS
    assert {"answered", "voicemail", "no_message", "hung_up_in_menu", "hung_up_waiting"} <= set(ends)


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_thousands_of_walks() -> None:
    """A hundred thousand: `python -m tests.phone.test_phone_machine_walk`."""
    ends = walk(4_000, seed=7)
    assert ends.total() == 4_000
    assert set(ends) == walking.ENDS - {"failed"}


PHASES: dict[str, Callable[[], Call]] = {
    "language": lambda: Call(options(languages=("en", "pl"))).start(),
    "offer": lambda: Call(open_refs=("T-1",)).start(),
    "menu": lambda: Call().start(),
    "submenu": lambda: Call().start().press("1"),
    "consent": lambda: Call(options(menu=(), record="ask")).start(),
    "placing": lambda: Call(options(menu=())).start(),
    "dialing": lambda: talking.ringing(ANIA),
    "holding": talking.ringing,
    "voicemail": lambda: talking.ringing(ANIA).dialed(),
    "leaving": lambda: talking.ringing(ANIA).dialed().recorded(5),
}


@every_row("phase", PHASES)
def test_no_state_is_without_an_exit_for_who_does_nothing(phase: str) -> None:
    """Silence alone leads out of every state, within a dozen turns."""
    call = PHASES[phase]()
    for _ in range(15):
        call.later(9)
        if call.has("Hangup"):
            return
        if call.has("Gather"):
            call.press("")
        elif call.has("Dial"):
            call.dialed()
        else:
            call.go_on()
    raise AssertionError(f"{phase} never ends: {call.words}")


@pytest.mark.slow
@every_row("phase", PHASES)
@every_row("key", list("0123456789*#"))
def test_no_key_held_down_keeps_a_caller_for_ever(phase: str, key: str) -> None:
    call = PHASES[phase]()
    for _ in range(25):
        call.later(3)
        if call.has("Hangup"):
            return
        if call.has("Gather"):
            call.press(key)
        elif call.has("Dial"):
            call.dialed()
        else:
            call.go_on()
    raise AssertionError(f"{phase} never ends: {call.words}")


def _let_everybody_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "_rings", lambda moment, state: True)
    monkeypatch.setattr(whisper, "CLAIM_S", 0)


def _forget_who_rang(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ringing, "_left", lambda ring, state: list(ring))


def _never_give_up_on_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(choosing, "MAX_MISSES", 10**6)
    monkeypatch.setattr(choosing, "MAX_REPEATS", 10**6)
    monkeypatch.setattr(patience, "PERSON_WITHIN_S", 10**6)


def _ask_for_a_message_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(voicemail, "MAX_ATTEMPTS", 10**6)


def _record_unasked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(twiml, "_recorded", lambda moment, state: {"record": "record-from-answer-dual"})


def _call_them_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    def told(moment: Moment, language: str, key: str, /, **values: object) -> Line:
        said, placed = line(moment, language, key, **values), moment.view.placed
        is_theirs = placed is not None and key in ("trying", "leave_message")
        return Line(f"{said.text} {placed.customer}", language) if placed and is_theirs else said

    line = Moment.line
    monkeypatch.setattr(Moment, "line", told)


def _hold_who_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(whisper, "_without", lambda state, agent: state)


MUTANTS: dict[str, Any] = {
    each.__name__: each
    for each in (
        _let_everybody_claim,
        _forget_who_rang,
        _never_give_up_on_keys,
        _ask_for_a_message_for_ever,
        _hold_who_is_done,
        _record_unasked,
        _call_them_by_name,
    )
}


@pytest.mark.slow
@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_dice_find_a_machine_that_is_broken(mutant: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[mutant](monkeypatch)
    with pytest.raises((Flaw, AssertionError)):
        walk(400)


if __name__ == "__main__":
    from bench import torture

    torture.record_walks(walk(100_000, seed=7))
