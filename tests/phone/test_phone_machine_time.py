"""How long it takes to a person, whatever is pressed, on every account that is let through.

The time is counted here by itself: what is spoken at fifteen characters a second, what Twilio waits for a key, pauses, and
half a second for each request. Nothing is taken from the machine but its answers.
"""

import functools
import random
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from channels.twilio import voice
from channels.twilio.phone import patience
from channels.twilio.phone.menu import Choice
from channels.twilio.phone.voices import VOICES
from tests.phone.talking import ANIA, Call, options, placed

PERSON_WITHIN_S = 30
CHARACTERS_A_SECOND = 15
REQUEST_S = 0.5
RECORD = ("off", "off", "ask", "notice")

Answer = Callable[[Call], None]


def taken_s(call: Call, *, interrupted_after_s: float | None = None) -> float:
    """How long the last answer takes; interrupted_after_s: when a key is pressed, None = at the last moment."""
    total = REQUEST_S
    for each in call.root.children:
        spoken_s = sum(len(part.words) for part in each.walk() if part.name == "Say") / CHARACTERS_A_SECOND
        if each.name == "Gather":
            whole_s = spoken_s + int(each.get("timeout"))
            total += whole_s if interrupted_after_s is None else min(whole_s, interrupted_after_s)
        else:
            total += spoken_s + (int(each.get("length", "1")) if each.name == "Pause" else 0)
    return total


def until_ringing_s(
    call: Call, answer: Answer, *, after_s: Callable[[], float | None] = lambda: None
) -> float:
    """Give the same answer to each question until phones ring; how long that took from here."""
    total = 0.0
    for _ in range(30):
        if call.has("Dial"):
            return total
        step_s = taken_s(call, interrupted_after_s=after_s())
        total += step_s
        call.later(step_s)
        if call.has("Gather"):
            answer(call)
        else:
            call.go_on()
    raise AssertionError("nobody ever rang")


def wrong(call: Call) -> None:
    call.press("#")


def silent(call: Call) -> None:
    call.press("")


def mumbling(call: Call) -> None:
    call.speak("mumble")


def accounts(dice: random.Random, count: int) -> Iterator[voice.Options]:
    """Draw accounts that are let through, many of them as long as they may be: one character more and they are refused."""
    while count:
        told = _account(dice)
        try:
            made = options(**told)
        except ValueError:
            continue
        count -= 1
        yield _longest(told, made)


def _account(dice: random.Random) -> dict[str, Any]:
    languages = tuple(dice.sample(sorted(VOICES), dice.choice((1, 1, 2, 3, 9))))

    def level(name: str, *, depth: int) -> tuple[Choice, ...]:
        keys = dice.sample(range(1, 9), dice.randint(0 if depth == 1 else 1, 4))
        return tuple(
            Choice(
                key=key,
                id=f"{name}{key}",
                say=dice.choice(("w" * dice.randint(1, 60), "w" * dice.randint(1, 15) + "{key}")),
                menu=level(f"{name}{key}_", depth=2) if depth == 1 and dice.random() < 0.3 else (),
            )
            for key in keys
        )

    own = {"connecting": dict.fromkeys(languages, "c" * dice.randint(1, 60))}
    return {
        "languages": languages,
        "greeting": {each: "g" * dice.randint(1, 150) for each in languages},
        "menu": level("c", depth=1),
        "record": dice.choice(RECORD),
        "offer_open_request": dice.random() < 0.5,
        "sentences": own if dice.random() < 0.3 else {},
    }


def _longest(told: dict[str, Any], made: voice.Options) -> voice.Options:
    """Lengthen the greeting of the first language while it is let through, in big and then in small steps."""
    for more in (128, 64, 32, 16, 8, 4, 2, 1):
        first = made.languages[0]
        longer = {**told["greeting"], first: told["greeting"][first] + "g" * more}
        try:
            made = options(**(told | {"greeting": longer}))
        except ValueError:
            continue
        told = told | {"greeting": longer}
    return made


def calls(account: voice.Options) -> Iterator[Call]:
    """Everybody who may call: known or not, with an open request or not; and who has gone one level down."""
    told: dict[str, Any] = {"placed": placed(ANIA)}
    for language in (None, account.languages[0], account.languages[-1]):
        for refs in ((), ("T-1",)):
            yield Call(account, language=language, open_refs=refs, **told).start()
    for choice in account.menu:
        if choice.menu:
            call = Call(account, language=account.languages[0], **told).start()
            call.later(40)
            yield call.press(choice.digit)


def mixed(dice: random.Random) -> Answer:
    def answer(call: Call) -> None:
        dice.choice((wrong, silent, mumbling))(call)

    return answer


def longest_s(dice: random.Random, count: int) -> float:
    """Play callers who never find a right key, on accounts that lint lets through; the longest it took to a person."""
    longest = 0.0
    for account in accounts(dice, count):
        for call in calls(account):
            waits = dice.choice(((None,), (None,), (None, 0.5, 3, 8)))
            answer = dice.choice((wrong, silent, mumbling, mixed(dice)))
            took_s = until_ringing_s(call, answer, after_s=functools.partial(dice.choice, waits))
            assert took_s <= PERSON_WITHIN_S, (took_s, account.languages, account.menu, call.words)
            longest = max(longest, took_s)
    return longest


@pytest.mark.slow
def test_a_person_rings_within_half_a_minute_for_who_answers_no_question() -> None:
    """On accounts as long as lint lets them be; each question is heard out, and the key comes at the last moment."""
    assert longest_s(random.Random(12), 40) > PERSON_WITHIN_S - 2, "they come nowhere near the limit"


@pytest.mark.slow
def test_a_person_rings_within_half_a_minute_on_hundreds_of_accounts() -> None:
    assert longest_s(random.Random(13), 700) > PERSON_WITHIN_S - 2


def test_accounts_that_are_longer_would_take_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit is what keeps the promise: without lint's and the machine's look at the time it is broken."""
    monkeypatch.setattr(patience, "PERSON_WITHIN_S", 45)
    with pytest.raises(AssertionError):
        longest_s(random.Random(12), 20)


def test_quick_wrong_keys_are_asked_three_times() -> None:
    """Time is what ends the asking early, and there is enough of it for who is quick."""
    call = Call(placed=placed(ANIA)).start()
    until_ringing_s(call, wrong, after_s=lambda: 2)
    assert call.words.count("missed_key") == 3


def test_what_is_told_of_an_incident_comes_on_top_once() -> None:
    incident = {"en": "i" * 300}
    call = Call(incident=incident, placed=placed(ANIA)).start()
    assert until_ringing_s(call, wrong) <= PERSON_WITHIN_S + 300 / CHARACTERS_A_SECOND


def test_who_is_put_through_before_the_greeting_hears_of_the_incident_all_the_same() -> None:
    account = options(languages=tuple(sorted(VOICES)), menu=())
    call = Call(account, incident={"en": "Payments are slow."}, placed=placed(ANIA)).start()
    call.later(25)
    call.press("#")
    assert call.state.phase == "placing"
    assert "Payments are slow." in call.said
    assert "announced" in call.words


def test_who_is_closed_out_is_put_through_to_nobody() -> None:
    account = options(languages=("en", "pl"))
    call = Call(account, is_open=False).start()
    call.later(28)
    call.press("#")
    assert call.has("Record")


def test_recording_is_asked_of_who_found_a_key_and_not_of_who_has_no_time_left() -> None:
    asks = options(record="ask")
    assert Call(asks).start().press("2").state.phase == "consent"
    late = Call(asks).start()
    late.later(22)
    late.press("#")
    assert late.state.phase == "placing"
    assert "consent" not in late.words
    late.see(placed=placed(ANIA))
    assert late.go_on().verb("Dial").get("record") in (None, "")


def test_a_right_answer_gives_all_the_time_again() -> None:
    call = Call().start()
    call.later(60)
    call.press("1")
    call.later(5)
    assert call.press("#").state.phase == "menu"


def test_hearing_it_again_gives_all_the_time_again() -> None:
    call = Call().start()
    call.later(60)
    call.press("*")
    call.later(5)
    assert call.press("#").state.phase == "menu"
