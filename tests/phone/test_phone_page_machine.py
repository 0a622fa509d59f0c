"""What an agent who is rung can do, as a table: keys in, words and what happened out; no server, no store."""

import random
import re
import urllib.parse
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from channels import page_calls
from channels.contract import RawMessage, Turn, View
from channels.page_calls import Outcome, Paged
from channels.twilio.phone import out_turns, page_words, paging, says
from channels.twilio.phone.voices import VOICES, Voice
from channels.twilio.simulator import grammar
from tests.phone.paged import said
from tests.rows import every_row

AT = datetime(2026, 11, 10, 2, 0, tzinfo=UTC)
SAID = "Example. Urgent ticket of team support."
KEYS = "Press 1 to take it on. Press 2 to pass it on. Press star to hear it again."
ACK, PASS, NOTHING, PICKED_UP = (
    page_calls.ACKNOWLEDGED,
    page_calls.PASSED_ON,
    page_calls.UNANSWERED,
    page_calls.STATUS,
)


class Call:
    """A page call under way. outcome: what intake says has become of it; `settles`: as soon as a key is pressed."""

    def __init__(
        self, *, outcome: Outcome = "", by: str = "", settles: Outcome = "", said: str = SAID
    ) -> None:
        self.shown = Paged(page="7", said=said, outcome=outcome, by=by)
        self.settles, self.by = settles, by
        self.state: bytes | None = None
        self.number = 0
        self.happened: list[str] = []
        self.last: Turn | None = None

    def turn(self, digits: str | None = None, *, number: int | None = None) -> str:
        """One request; its TwiML, which is held against Twilio's grammar."""
        raw = request(digits, number=self.number if number is None else number)
        self.last = paging.step(self.state, raw, View(at=AT, page=self.shown))
        grammar.read(self.last.reply.encode())
        self.state, self.number = self.last.state, self.number + 1
        told = [each.what for each in self.last.happened]
        self.happened += told
        if self.settles and {ACK, PASS} & set(told):
            self.shown = Paged(page="7", said=SAID, outcome=self.settles, by=self.by)
        return self.last.reply

    def play(self, *keys: str) -> list[str]:
        """Pick up, press keys ("" = nothing), follow what is redirected; what is said in each turn that says something."""
        replies = [self.turn(), *(self.turn(key) for key in keys)]
        while "<Redirect" in replies[-1]:
            replies.append(self.turn())
        return [said(each) for each in replies if said(each)]


def request(digits: str | None = None, *, number: int = 0, path: str = "page", **fields: str) -> RawMessage:
    form = {"CallSid": "CA1", "From": "+48221234502", "To": "+48600000002", **fields}
    if digits is not None:
        form["Digits"] = digits
    return RawMessage(
        kind="twilio.voice",
        account="calls",
        lane="call:CA1",
        body=urllib.parse.urlencode(form).encode(),
        received_at=AT,
        envelope={"path": path, "query": {"o": "7", "n": str(number)}},
    )


# keys pressed, in order; what has become of it once it is settled -> what happened, and the last words
TABLE: dict[str, tuple[tuple[str, ...], Outcome, list[str], str]] = {
    "1 takes it on": (("1",), "yours", [PICKED_UP, ACK], "Thank you. You have it. Goodbye."),
    "2 passes it on": (("2",), "passed_on", [PICKED_UP, PASS], "It is passed on. Goodbye."),
    "star says it again": (("*", "1"), "yours", [PICKED_UP, ACK], "Thank you. You have it. Goodbye."),
    "star is no miss": (("*", "*", "*", "*", "1"), "yours", [PICKED_UP, ACK], "Thank you. You have it. Goodbye."),
    "two misses and then 1": (("", "9", "1"), "yours", [PICKED_UP, ACK], "Thank you. You have it. Goodbye."),
    "three times nothing": (("", "", ""), "", [PICKED_UP, NOTHING], "Nothing was chosen. Goodbye."),
    "three wrong keys": (("3", "0", "#"), "", [PICKED_UP, NOTHING], "Nothing was chosen. Goodbye."),
    "somebody was quicker": (("1",), "theirs", [PICKED_UP, ACK], "ania has it already. There is nothing left to do. Goodbye."),
    "solved meanwhile": (("1",), "over", [PICKED_UP, ACK], "This is done already. There is nothing left to do. Goodbye."),
    "nobody else is there": (("2",), "alone", [PICKED_UP, PASS], "There is nobody else to tell now. It stays with you. Goodbye."),
    "passed on, and somebody has it": (("2",), "theirs", [PICKED_UP, PASS], "ania has it already. There is nothing left to do. Goodbye."),
    "never settled": (("1",), "", [PICKED_UP, ACK], "Thank you. It is noted. Goodbye."),
    "never settled, passed on": (("2",), "", [PICKED_UP, PASS], "Thank you. It is noted. Goodbye."),
}  # fmt: skip


@every_row("name", TABLE)
def test_the_table_of_keys(name: str) -> None:
    keys, settles, happened, last = TABLE[name]
    call = Call(settles=settles, by="ania")
    heard = call.play(*keys)
    assert (call.happened, heard[-1]) == (happened, last)
    assert "<Hangup" in (call.last.reply if call.last else "")
    assert call.state is None


def test_the_first_words_are_the_sentence_and_the_keys() -> None:
    assert Call().play("", "", "")[0] == f"{SAID} {KEYS}"


def test_star_says_the_sentence_again_and_so_does_a_miss() -> None:
    assert Call(settles="yours").play("*", "", "1")[:3] == [f"{SAID} {KEYS}"] * 3


def test_star_for_ever_ends() -> None:
    """A stuck key hangs up in the end, unacknowledged."""
    call = Call()
    for _ in range(40):
        call.turn("*")
        if call.state is None and call.last and "<Hangup" in call.last.reply:
            break
    assert call.happened[-1] == NOTHING
    assert call.number <= paging.REPEATS_MAX + paging.MISSES_MAX + 2


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        ("theirs", "ania has it already. There is nothing left to do. Goodbye."),
        ("over", "This is done already. There is nothing left to do. Goodbye."),
        ("yours", "Thank you. You have it. Goodbye."),
        ("passed_on", "It is passed on. Goodbye."),
    ],
)
def test_what_was_settled_before_somebody_picked_up_is_said_at_once(outcome: Outcome, words: str) -> None:
    """By link, by mail, by somebody else: there is nothing to press any more."""
    call = Call(outcome=outcome, by="ania")
    assert call.play() == [words]
    assert call.happened == []


def test_a_key_that_comes_after_somebody_elses_is_told_all_the_same() -> None:
    """They pressed 1 while the sentence was read, and ania was quicker."""
    call = Call()
    call.turn()
    call.shown = Paged(page="7", said=SAID, outcome="theirs", by="ania")
    assert said(call.turn("1")).startswith("ania has it already.")
    assert call.happened == [PICKED_UP, ACK]


def test_one_key_is_told_once_however_long_it_takes_to_settle() -> None:
    call = Call()
    call.turn()
    call.turn("1")
    for _ in range(3):
        call.turn()
    call.shown = Paged(page="7", said=SAID, outcome="yours")
    assert said(call.turn()) == "Thank you. You have it. Goodbye."
    assert call.happened.count(ACK) == 1


def test_a_key_pressed_while_another_is_settled_changes_nothing() -> None:
    call = Call()
    call.turn()
    call.turn("1")
    call.turn("2")
    assert call.happened == [PICKED_UP, ACK]


def test_waiting_for_what_a_key_has_come_to_is_bounded() -> None:
    call = Call()
    call.play("1")
    assert call.number == paging.WAITS_MAX + 3


def test_a_call_of_which_nothing_is_known_says_goodbye() -> None:
    """The store was put back from a backup: there is no such page."""
    turn = paging.step(None, request(), View(at=AT))
    assert (turn.state, "<Hangup" in turn.reply, turn.happened) == (None, True, ())


@every_row("state", [b"", b"{", b"[]", b"\xff", b'{"misses": "x"}'])
def test_a_state_that_cannot_be_read_begins_anew(state: bytes) -> None:
    turn = paging.step(state, request(), View(at=AT, page=Paged(page="7", said=SAID)))
    assert SAID in turn.reply


def test_a_state_is_small() -> None:
    call = Call()
    call.turn()
    for _ in range(9):
        call.turn("*")
        assert len(call.state or b"") < 200


def test_every_turn_asks_for_the_one_after_it() -> None:
    call = Call()
    assert 'action="page?o=7&amp;n=1"' in call.turn()
    assert 'action="page?o=7&amp;n=2"' in call.turn("")
    assert "page?o=7&amp;n=3" in call.turn("1")


def test_every_key_is_told_also_the_one_that_ends_a_number() -> None:
    """# would be no key at all with Twilio's default."""
    (gather,) = [each for each in grammar.read(Call().turn().encode()).walk() if each.name == "Gather"]
    told = {name: gather.get(name) for name in ("finishOnKey", "numDigits", "actionOnEmptyResult")}
    assert told == {"finishOnKey": "", "numDigits": "1", "actionOnEmptyResult": "true"}


def test_words_that_xml_has_no_place_for_are_left_out() -> None:
    """A subject may hold anything."""
    call = Call(said="about: \x00\x07 <b>&\ud800")
    assert "&lt;b&gt;&amp;" in call.turn()


def test_the_same_turn_gives_the_same_answer() -> None:
    """It may be run again."""
    view = View(at=AT, page=Paged(page="7", said=SAID))
    assert paging.step(None, request("1"), view) == paging.step(None, request("1"), view)


@every_row("status", ["ringing", "busy", "completed", "", "new-word"])
def test_a_status_is_told_as_it_is(status: str) -> None:
    (told,) = paging.parse(request(path="page/status", CallStatus=status)).happened
    assert (told.what, told.details) == (PICKED_UP, {"page": "7", "status": status})


def test_a_turn_tells_what_it_has_said_happened() -> None:
    raw = request("1")
    raw.envelope["happened"] = [{"what": ACK, "at": AT.isoformat(), "details": {"page": "7"}}]
    assert [each.what for each in paging.parse(raw).happened] == [ACK]


@every_row(
    "damage",
    [
        {"query": {"o": "x"}},
        {"query": None},
        {"query": []},
        {"happened": 5},
        {"happened": [{"what": 1}]},
        {"path": None},
    ],
)
def test_damage_raises_nothing(damage: dict[str, Any]) -> None:
    raw = request("1")
    raw.envelope.update(damage)
    paging.parse(raw)
    paging.step(None, raw, View(at=AT, page=Paged(page="7", said=SAID)))


@every_row("page", ["", "abc", "-1", "1" * 30, "７"])
def test_an_id_that_is_none_is_refused(page: str) -> None:
    assert out_turns.page_of({"o": page}) is None


SPEAKER = out_turns.Speaker.of("en", {})


@pytest.mark.parametrize(("form", "query"), [({"Digits": "1"}, {}), ({}, {"k": "1"})])
def test_what_cannot_be_kept_is_asked_again_with_its_key_and_in_the_end_given_up(
    form: dict[str, str], query: dict[str, str]
) -> None:
    """Twilio sends no Digits after a redirect: the key stands in the address, however often it is asked again."""
    query = {"o": "7", "n": "3", **query}
    again = out_turns.unavailable("page", query, form, speaker=SPEAKER)
    assert "page?o=7&amp;n=3&amp;again=1&amp;k=1" in again
    last = out_turns.unavailable("page", {**query, "again": "8"}, form, speaker=SPEAKER)
    assert "The desk cannot be reached" in last
    for each in (again, last):
        grammar.read(each.encode())


def test_a_first_turn_that_cannot_be_kept_brings_no_key() -> None:
    assert "k=" not in out_turns.unavailable("page", {"o": "7", "n": "0"}, {}, speaker=SPEAKER)


def test_a_key_that_stands_in_the_address_is_pressed() -> None:
    call = Call()
    call.turn()
    raw = request(number=1)
    raw.envelope["query"] = {"o": "7", "n": "1", "again": "1", "k": "1"}
    turn = paging.step(call.state, raw, View(at=AT, page=call.shown))
    assert [each.what for each in turn.happened] == [ACK]


@pytest.mark.parametrize("key", ["11", "x", "", "１"])
def test_what_is_no_key_in_an_address_is_none(key: str) -> None:
    assert out_turns.key_of({"k": key}) is None


def test_another_call_about_the_same_begins_anew() -> None:
    """The first was hung up after two misses, or after a key; the phone rings once more because an operator says so."""
    for keys in (("", ""), ("1",)):
        call = Call()
        call.turn()
        for key in keys:
            call.turn(key)
        raw = request(CallSid="CA2")
        turn = paging.step(call.state, raw, View(at=AT, page=call.shown))
        assert SAID in turn.reply
        assert [each.what for each in turn.happened] == [PICKED_UP]


def test_who_is_rung_again_after_nobody_else_was_there_is_asked_again() -> None:
    assert Call(outcome="alone").play("", "", "")[0] == f"{SAID} {KEYS}"


def test_a_test_takes_1_and_no_2() -> None:
    call = Call()
    call.shown = Paged(page="7", said=SAID, is_test=True)
    call.turn()
    assert said(call.turn("2")).endswith(
        "Press 1 to show that you have heard it. Press star to hear it again."
    )
    call.turn("1")
    call.shown = msgspec.structs.replace(call.shown, outcome="yours")
    assert said(call.turn()) == "Thank you. The test has reached you. Goodbye."
    assert call.happened == [PICKED_UP, ACK]


# -- languages --------------------------------------------------------------------------------------------------------


def test_every_language_says_everything_with_the_same_blanks() -> None:
    """And every language that callers hear is one that agents hear."""
    blanks = {key: set(re.findall(r"{\w+}", text)) for key, text in page_words.built_in()["en"].items()}
    for language, table in page_words.built_in().items():
        assert {key: set(re.findall(r"{\w+}", text)) for key, text in table.items()} == blanks, language
    assert set(page_words.built_in()) == set(says.built_in()) == set(VOICES)


def test_every_language_is_spoken_by_its_voice() -> None:
    for language, voice in VOICES.items():
        view = View(at=AT, page=Paged(page="7", said=SAID, language=language))
        turn = paging.step(None, request(), view)
        (word,) = [each for each in grammar.read(turn.reply.encode()).walk() if each.name == "Say"]
        assert (word.get("voice"), word.get("language")) == (voice.voice, voice.tag)
        assert page_words.word(language, "keys") in said(turn.reply)


def test_an_account_may_have_another_voice() -> None:
    own = {"pl": Voice(tag="pl-PL", voice="Google.pl-PL-Wavenet-A")}
    view = View(at=AT, page=Paged(page="7", said=SAID, language="pl"))
    assert "Google.pl-PL-Wavenet-A" in paging.step(None, request(), view, voices=own).reply


def test_a_language_that_is_not_known_is_english() -> None:
    view = View(at=AT, page=Paged(page="7", said=SAID, language="xx"))
    assert KEYS in said(paging.step(None, request(), view).reply)


SPOKEN: dict[str, tuple[str, tuple[str, ...], tuple[str, ...], str]] = {
    # the account says, the agent's skills, what callers hear -> what the agent hears
    "their first language": ("", ("billing", "pl", "en"), ("en",), "pl"),
    "what the account says": ("en", ("pl",), ("de",), "en"),
    "what callers hear": ("", ("billing",), ("de", "en"), "de"),
    "nothing is known": ("", (), (), "en"),
    "none that is spoken here": ("", ("fi",), ("fi",), "en"),
}


@pytest.mark.parametrize("name", SPOKEN)
def test_whose_language_is_spoken(name: str) -> None:
    asked, known, otherwise, spoken = SPOKEN[name]
    assert page_words.spoken(asked=asked, known=known, otherwise=otherwise) == spoken


def test_whatever_is_pressed_a_call_ends_and_says_one_thing_once() -> None:
    """Sixty agents who press anything, or nothing, while others settle it: 1 or 2 is told once at most."""
    outcomes: tuple[Outcome, ...] = ("", "", "", "yours", "theirs", "passed_on", "alone", "over")
    for seed in range(60):
        chance = random.Random(seed)
        call = Call(by="ania")
        for number in range(paging.MISSES_MAX + paging.REPEATS_MAX + paging.WAITS_MAX + 4):
            if chance.random() < 0.1:
                call.shown = msgspec.structs.replace(call.shown, outcome=chance.choice(outcomes))
            is_asked = number > 0 and not page_calls.decoded(call.state, "CA1").pressed
            call.turn(chance.choice(("", *"0123456789**#")) if is_asked else None)
            if call.state is None:
                break
        assert call.state is None, seed
        told = [each for each in call.happened if each in (ACK, PASS)]
        assert len(told) <= 1, seed
        assert call.happened.count(PICKED_UP) <= 1, seed
