"""What a caller hears and chooses until the menu is over: language, greeting, open request, menu, misses."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from channels.twilio import voice
from channels.twilio.phone import choosing, greeting, says
from channels.twilio.phone.menu import Choice
from channels.twilio.phone.voices import VOICES
from tests.phone import talking
from tests.phone.talking import ANIA, Call, options, placed

THREE = ("en", "pl", "de")


def details(call: Call, what: str) -> list[dict[str, Any]]:
    return [each.details for each in call.happened if each.what == what]


def told_language(call: Call) -> str | None:
    """Which language the last turn tells of, as intake hears it."""
    raw = call.raw
    told = raw.envelope | {"happened": msgspec.to_builtins(call.turn.happened)}
    return voice.parse(msgspec.structs.replace(raw, envelope=told), call.options).language


class TestLanguage:
    def test_is_asked_first_and_each_language_is_said_in_itself_and_its_own_voice(self) -> None:
        call = Call(options(languages=THREE)).start()
        spoken = [(each.get("language"), each.words) for each in call.verb("Gather").children]
        assert spoken == [
            ("en-US", "For English, press 1."),
            ("pl-PL", "Aby rozmawiać po polsku, naciśnij 2."),
            ("de-DE", "Für Deutsch die 3."),
        ]

    @pytest.mark.parametrize(
        ("answer", "language", "by"),
        [
            ({"Digits": "2"}, "pl", "digit"),
            ({"Digits": "1"}, "en", "digit"),
            ({"SpeechResult": "Deutsch, bitte"}, "de", "speech"),
            ({"SpeechResult": "polish please"}, "pl", "speech"),
            ({"SpeechResult": "dwa, poproszę"}, "pl", "speech"),
        ],
    )
    def test_is_chosen_by_key_or_by_its_name(self, answer: dict[str, str], language: str, by: str) -> None:
        call = Call(options(languages=THREE)).start()
        call.follow(call.verb("Gather").get("action"), **answer)
        assert call.state.language == language
        assert details(call, "language") == [{"language": language, "by": by}]

    def test_is_not_asked_where_there_is_one(self) -> None:
        assert Call(options(languages=("pl",))).start().state.phase == "menu"

    def test_is_not_asked_again_of_a_number_that_has_chosen_before(self) -> None:
        call = Call(options(languages=THREE), language="pl").start()
        assert (call.state.phase, call.state.language) == ("menu", "pl")
        assert "Dzień dobry." in call.said

    def test_that_is_remembered_can_be_changed_and_another_one_says_how(self) -> None:
        call = Call(options(languages=THREE), language="pl").start()
        spoken = {each.words: each.get("language") for each in call.verb("Gather").children}
        assert spoken["For another language, press 9."] == "en-US"
        call.press("9")
        assert (call.state.phase, call.state.misses) == ("language", 0)
        assert call.press("3").state.language == "de"

    def test_that_is_remembered_can_be_changed_where_a_request_is_open(self) -> None:
        call = Call(options(languages=THREE), language="pl", open_refs=("T-1",)).start()
        assert "For another language, press 9." in call.said
        assert call.press("9").press("1").state.phase == "offer"

    def test_is_changed_once_and_then_nine_is_a_key_like_any_other(self) -> None:
        call = Call(options(languages=THREE), language="pl").start().press("9").press("1")
        assert "press 9" not in call.said
        assert call.press("9").state.misses == 1

    def test_that_is_the_only_one_cannot_be_changed(self) -> None:
        assert Call(options(languages=("pl",))).start().press("9").state.misses == 1

    def test_that_is_remembered_but_not_spoken_here_is_asked(self) -> None:
        assert Call(options(languages=THREE), language="fr").start().state.phase == "language"

    def test_wrong_twice_is_the_first(self) -> None:
        call = Call(options(languages=THREE)).start().press("9")
        assert call.state.phase == "language"
        call.press("")
        assert (call.state.phase, call.state.language) == ("menu", "en")
        assert details(call, "language") == [{"language": "en", "by": "default"}]

    def test_star_repeats_and_is_no_miss(self) -> None:
        call = Call(options(languages=THREE)).start().press("*")
        assert (call.state.phase, call.state.misses) == ("language", 0)

    def test_that_nobody_chose_is_no_fact_about_the_caller(self) -> None:
        """Neither the turn that gives up nor any after it says what the caller speaks."""
        call = Call(options(languages=THREE), placed=placed(ANIA)).start().press("7").press("7")
        assert call.state.phase == "menu"
        assert told_language(call) is None
        call.press("2")
        assert told_language(call) is None
        assert call.go_on().has("Dial")
        call.leg("ania")
        assert "English" not in call.said

    def test_that_was_chosen_is_told_by_every_turn(self) -> None:
        call = Call(options(languages=THREE)).start().press("2")
        assert told_language(call) == "pl"
        call.press("2")
        assert told_language(call) == "pl"

    def test_that_was_guessed_and_then_lost_is_still_a_guess(self) -> None:
        call = Call(options(languages=THREE)).start().press("0")
        call.kept = None
        call.go_on()
        assert told_language(call) is None

    def test_zero_is_a_person_before_any_language_is_chosen(self) -> None:
        call = Call(options(languages=THREE)).start().press("0")
        assert (call.state.phase, call.state.misses) == ("placing", 0)
        assert details(call, "chose") == [{"id": "person", "by": "digit"}]
        assert details(call, "language") == []

    @pytest.mark.parametrize("said", ["a person please", "człowiek", "Mensch"])
    def test_a_person_may_be_asked_for_in_any_of_them(self, said: str) -> None:
        assert Call(options(languages=THREE)).start().speak(said).state.phase == "placing"

    def test_zero_outside_opening_hours_says_that_nobody_is_there(self) -> None:
        call = Call(options(languages=THREE), is_open=False).start().press("0")
        assert "We are closed at the moment." in call.said
        assert call.has("Record")

    def test_again_may_be_said(self) -> None:
        call = Call(options(languages=THREE)).start().speak("again please")
        assert (call.state.phase, call.state.misses) == ("language", 0)

    def test_star_for_ever_ends(self) -> None:
        call = Call(options(languages=THREE)).start()
        for _ in range(choosing.MAX_REPEATS + greeting.LANGUAGE_TRIES):
            call.press("*")
        assert call.state.phase == "menu"


class TestGreeting:
    def test_is_the_accounts_own_in_the_callers_language(self) -> None:
        account = options(languages=("en", "pl"), greeting={"en": "Acme here.", "pl": "Tu Acme."})
        assert Call(account, language="pl").start().said.startswith("Tu Acme.")

    def test_can_be_interrupted_by_a_key(self) -> None:
        call = Call(options(greeting={"en": "Acme here."})).start()
        assert call.verb("Gather").children[0].words == "Acme here."

    def test_tells_of_an_incident_and_goes_on(self) -> None:
        call = Call(incident={"en": "Payments are slow today."}).start()
        assert "Payments are slow today." in call.said
        assert (call.state.phase, details(call, "announced")) == ("menu", [{"what": "incident"}])

    def test_tells_of_an_incident_in_its_own_language_where_it_has_no_other(self) -> None:
        call = Call(incident={"de": "Zahlungen dauern."}).start()
        spoken = {each.words: each.get("language") for each in call.verb("Gather").children}
        assert spoken["Zahlungen dauern."] == "de-DE"

    def test_begins_the_timeline_with_who_calls_whom(self) -> None:
        call = Call(is_known=True).start(FromCountry="PL")
        started = {"to": talking.OWN, "country": "PL", "known": True, "from": talking.JAN}
        assert details(call, "started") == [started]

    @pytest.mark.parametrize("hidden", ["anonymous", "+266696687", "", "Restricted", "sip:jan@example.com"])
    def test_a_hidden_number_is_no_number(self, hidden: str) -> None:
        call = Call(open_refs=("T-1",))
        call.caller = hidden
        call.start()
        assert call.state.caller is None
        assert "from" not in details(call, "started")[0]
        assert call.state.phase == "menu"  # and nobody's request is offered


class TestOpenRequest:
    def test_is_offered_without_a_word_about_it(self) -> None:
        call = Call(open_refs=("T-SECRET",), is_known=True).start()
        assert call.state.phase == "offer"
        assert "T-SECRET" not in call.turn.reply
        assert "About your open request, press 1." in call.said

    def test_taken_goes_on_to_its_ticket(self) -> None:
        call = Call(open_refs=("T-2", "T-1")).start().press("1")
        assert details(call, "chose") == [{"id": "open_request", "by": "digit"}]
        assert details(call, "menu_done") == [{"choice": "open_request", "open_ref": "T-2"}]

    def test_declined_goes_on_to_the_menu(self) -> None:
        call = Call(open_refs=("T-2",)).start().press("2")
        assert (call.state.phase, call.state.open_ref) == ("menu", None)
        assert details(call, "chose") == [{"id": "something_else", "by": "digit"}]

    @pytest.mark.parametrize(
        ("said", "phase", "choice"),
        [
            ("about my open request please", "placing", "open_request"),
            ("one", "placing", "open_request"),
            ("no, something else", "menu", None),
            ("give me a person", "placing", None),
            ("say that again", "offer", None),
            ("mumble", "offer", None),
        ],
    )
    def test_is_answered_by_words_too(self, said: str, phase: str, choice: str | None) -> None:
        call = Call(open_refs=("T-2",)).start().speak(said)
        assert (call.state.phase, call.state.choice) == (phase, choice)

    def test_solved_meanwhile_goes_on_to_the_menu(self) -> None:
        call = Call(open_refs=("T-2",)).start()
        call.see(open_refs=())
        assert call.press("1").state.phase == "menu"

    def test_zero_is_a_person(self) -> None:
        call = Call(open_refs=("T-2",)).start().press("0")
        assert call.state.phase == "placing"

    def test_star_repeats(self) -> None:
        assert Call(open_refs=("T-2",)).start().press("*").state.phase == "offer"

    def test_three_misses_are_a_person(self) -> None:
        call = Call(open_refs=("T-2",)).start().press("7").press("").press("8")
        assert (call.state.phase, call.words.count("menu_done")) == ("placing", 1)

    def test_is_not_offered_where_the_account_does_not_want_it(self) -> None:
        call = Call(options(offer_open_request=False), open_refs=("T-2",)).start()
        assert call.state.phase == "menu"


class TestMenu:
    def test_says_the_action_first_and_the_key_after_it(self) -> None:
        said = Call().start().said
        assert "For invoices, press 1. For repairs, press 2. For a person, press 0." in said

    def test_says_a_text_with_a_key_in_it_as_it_is(self) -> None:
        choice = Choice(key=3, id="pay", say="Press {key} and pay at once.")
        assert "Press 3 and pay at once." in Call(options(menu=(choice,))).start().said

    @pytest.mark.parametrize(
        ("answer", "path", "choice", "phase"),
        [
            ({"Digits": "2"}, (), "repair", "placing"),
            ({"Digits": "1"}, ("billing",), "billing", "menu"),
            ({"SpeechResult": "my washing machine is broken"}, (), "repair", "placing"),
            ({"SpeechResult": "Two."}, (), "repair", "placing"),
            ({"SpeechResult": "number 2, please"}, (), "repair", "placing"),
            ({"SpeechResult": "I have two questions"}, (), None, "menu"),
            ({"SpeechResult": "one problem"}, (), None, "menu"),
            ({"SpeechResult": "INVOICES!"}, ("billing",), "billing", "menu"),
            ({"Digits": "0"}, (), None, "placing"),
            ({"SpeechResult": "I want to talk to a human"}, (), None, "placing"),
            ({"Digits": "*"}, (), None, "menu"),
            ({"SpeechResult": "say that again"}, (), None, "menu"),
            ({"Digits": "9"}, (), None, "menu"),
            ({"Digits": "#"}, (), None, "menu"),
            ({"SpeechResult": "invoice for repairs"}, (), None, "menu"),
            ({"SpeechResult": "mumble"}, (), None, "menu"),
            ({}, (), None, "menu"),
        ],
    )
    def test_goes_where_a_key_or_word_leads(
        self, answer: dict[str, str], path: tuple[str, ...], choice: str | None, phase: str
    ) -> None:
        call = Call().start()
        call.follow(call.verb("Gather").get("action"), **answer)
        assert (call.state.path, call.state.choice, call.state.phase) == (path, choice, phase)

    def test_every_key_may_be_said_in_every_language(self) -> None:
        for language in VOICES:
            for key in range(1, 9):
                choice = Choice(key=key, id="it", say="it")
                call = Call(options(languages=(language,), menu=(choice,))).start()
                assert call.speak(says.words(language, "numbers")[key]).state.choice == "it", (language, key)

    def test_every_choice_is_told(self) -> None:
        call = Call().start().press("1").speak("a refund please")
        assert details(call, "chose") == [
            {"id": "billing", "by": "digit"},
            {"id": "refund", "by": "speech"},
        ]
        assert details(call, "menu_done") == [{"choice": "refund", "open_ref": None}]

    def test_zero_below_keeps_what_was_chosen_above(self) -> None:
        call = Call().start().press("1").press("0")
        assert details(call, "menu_done") == [{"choice": "billing", "open_ref": None}]

    def test_three_misses_are_a_person(self) -> None:
        call = Call().start().press("9").press("8").press("7")
        assert (call.state.phase, details(call, "missed_key")) == ("placing", [{"n": 1}, {"n": 2}, {"n": 3}])

    def test_misses_count_over_the_whole_call_until_an_answer_is_right(self) -> None:
        call = Call(options(languages=THREE)).start().press("9").press("9").press("9")
        assert call.state.phase == "placing"

    def test_a_right_answer_sets_the_misses_back(self) -> None:
        call = Call().start().press("9").press("9").press("1")
        assert (call.state.misses, call.state.phase) == (0, "menu")

    def test_listens_to_keys_and_words(self) -> None:
        gather = Call().start().verb("Gather")
        assert gather.get("input") == "dtmf speech"
        assert "invoice" in gather.get("hints")

    def test_two_failed_words_leave_the_keys_only(self) -> None:
        call = Call().start().speak("mumble").speak("mumble mumble")
        assert call.verb("Gather").get("input") == "dtmf"
        assert "Please use the keys of your phone." in call.said

    def test_failed_keys_leave_the_words(self) -> None:
        call = Call().start().press("9").press("9")
        assert call.verb("Gather").get("input") == "dtmf speech"

    @pytest.mark.parametrize(
        ("answer", "said"),
        [
            ({"Digits": "9"}, "That key is not used here."),
            ({"SpeechResult": "mumble"}, "I did not understand that."),
            ({}, "I did not hear anything."),
        ],
    )
    def test_says_what_went_wrong(self, answer: dict[str, str], said: str) -> None:
        call = Call().start()
        call.follow(call.verb("Gather").get("action"), **answer)
        assert call.said.startswith(said)

    def test_star_for_ever_ends_with_a_person(self) -> None:
        call = Call().start()
        for _ in range(choosing.MAX_REPEATS + choosing.MAX_MISSES):
            call.press("*")
        assert call.state.phase == "placing"

    def test_that_lost_its_level_on_a_reload_starts_at_the_top(self) -> None:
        call = Call().start().press("1")
        call.machine = type(call.machine)("phone", options(menu=talking.MENU[1:]))
        assert call.press("2").state.choice == "repair"

    def test_without_any_choice_goes_on_at_once(self) -> None:
        call = Call(options(menu=())).start()
        assert (call.state.phase, call.words) == ("placing", ["started", "menu_done"])


class TestClosed:
    OPENS = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)

    def closed(self, **more: Any) -> Call:
        told = {"is_open": False, "next_open": self.OPENS, "zone": "Europe/Warsaw"}
        return Call(options(**more), **told)

    def test_says_when_we_open_and_takes_a_message(self) -> None:
        call = self.closed().start()
        assert "We are closed at the moment. We open again tomorrow at 9 AM." in call.said
        assert call.has("Record")
        assert call.words[1:] == ["announced", "voicemail_offered"]

    def test_says_what_the_admin_wants_said(self) -> None:
        call = self.closed(closed_note={"en": "In an emergency, dial 112."}).start()
        assert "In an emergency, dial 112." in call.said

    def test_is_said_in_the_language_that_is_chosen_first(self) -> None:
        call = self.closed(languages=THREE).start().press("2")
        assert "Otwieramy znowu jutro o 9:00." in call.said

    def test_hangs_up_where_no_message_is_wanted(self) -> None:
        call = self.closed(when_closed="hang_up").start()
        assert call.has("Hangup")
        assert not call.has("Record")
        assert call.hang_up().details["why"] == "closed"

    def test_rings_where_somebody_is_always_there(self) -> None:
        assert self.closed(when_closed="ring").start().state.phase == "menu"

    def test_without_a_next_opening_promises_none(self) -> None:
        call = Call(is_open=False).start()
        assert "We open again" not in call.said
        assert "We are closed at the moment." in call.said

    def test_hung_up_before_a_message_ends_as_closed(self) -> None:
        assert self.closed().start().hang_up().details["why"] == "closed"
