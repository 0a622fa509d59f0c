"""The phone menu as intake.yaml has it: what is refused, what is warned of, what is said, what is heard."""

import string
from datetime import UTC, datetime
from typing import Any, ClassVar

import msgspec
import pytest

from channels.twilio import voice
from channels.twilio.phone import lint, says, speech, voices
from channels.twilio.phone.menu import Choice, at, named
from tests.phone.talking import MENU, OWN, SID, options


def choice(**told: Any) -> Choice:
    usual: dict[str, Any] = {"key": 1, "id": "one", "say": "one", "words": {"en": ("one",)}}
    return Choice(**(usual | told))


FIVE = tuple(choice(key=key, id=f"c{key}") for key in range(1, 6))
DEEP = (choice(menu=(choice(id="two", menu=(choice(id="three"),)),)),)


class TestErrors:
    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"menu": FIVE}, "the menu has 5 options: nobody remembers more than 4"),
            ({"menu": (choice(menu=FIVE),)}, "the menu of 'one' has 5 options"),
            ({"menu": DEEP}, "the menu of 'two' is on level 3: a menu has 2 at most"),
            ({"menu": (choice(), choice(id="two"))}, "the menu has key 1 2 times"),
            ({"menu": (choice(key=0),)}, "the menu uses key 0, which always means a person"),
            ({"menu": (choice(key="*"),)}, "the menu uses key *, which always means hearing it again"),
            (
                {"menu": (choice(key=9, say="nine"),), "languages": ("en", "pl")},
                "the menu uses key 9, which changes the language where there are several",
            ),
            ({"menu": (choice(key=12),)}, "the menu has key '12': a key is one of 1 to 9"),
            ({"menu": (choice(key="#"),)}, "the menu has key '#': a key is one of 1 to 9"),
            ({"menu": (choice(id="Two words"),)}, "the menu has id 'Two words': an id is a-z, 0-9, _ and -"),
            ({"menu": (choice(id="person"),)}, "the menu has id 'person', which has a meaning of its own"),
            (
                {"menu": (choice(), choice(key=2, menu=(choice(),)))},
                "the id 'one' stands in the menu 3 times",
            ),
            (
                {"menu": (choice(say={"en": "one"}),), "languages": ("en", "pl")},
                "option 'one' says nothing in 'pl'",
            ),
            ({"menu": (choice(say=" "),)}, "option 'one' says nothing in 'en'"),
            ({"languages": ()}, "languages is empty"),
            ({"languages": ("en", "en")}, "language 'en' stands in languages 2 times"),
            ({"languages": ("en", "xx")}, "no voice is known for language 'xx'"),
            ({"agents_language": "xx"}, "no voice is known for language 'xx'"),
            (
                {"languages": ("sv",), "voices": {"sv": {"tag": "sv-SE", "voice": "Polly.Elin-Neural"}}},
                "there are no built-in sentences in 'sv'",
            ),
            (
                {"languages": ("en", "pl"), "greeting": {"en": "Hello."}},
                "greeting is missing in 'pl'",
            ),
            ({"greeting": {"en": ""}}, "greeting is empty in 'en'"),
            ({"sentences": {"helo": {"en": "Hi"}}}, "there is no sentence 'helo' to override"),
            (
                {"menu": (choice(say="x" * 300, menu=(choice(id="two"),)),)},
                "the greeting with the menu in 'en' is too long: who hears it out and presses a wrong key rings a person",
            ),
            (
                {"menu": (choice(menu=(choice(id="two", say="x" * 350),)),)},
                "the menu of 'one' in 'en' is too long",
            ),
            (
                {"languages": ("en", "pl"), "menu": (), "sentences": {"press_language": {"pl": "x" * 350}}},
                "the question for the language in 'en' is too long",
            ),
            (
                {"menu": (), "sentences": {"open_request": {"en": "x" * 350}}},
                "what is asked about an open request in 'en' is too long",
            ),
            ({"menu": (), "greeting": {"en": "x" * 400}}, "the greeting in 'en' is too long"),
            (
                {"whisper": {"vip": {"pl": "VIP."}}},
                "whisper says nothing of 'vip' in 'en', the agents' language",
            ),
            (
                {"whisper": {"vip": {"en": "x" * 61}}},
                "what whisper says of 'vip' has more than 60 characters",
            ),
            ({"hold_music": "music.mp3"}, "hold_music is written like https://"),
        ],
    )
    def test_each_keeps_the_account_from_being_loaded_and_says_why(
        self, changed: dict[str, Any], sentence: str
    ) -> None:
        told = {"account_sid": SID, "menu": ()} | msgspec.to_builtins(changed)
        with pytest.raises(msgspec.ValidationError) as caught:
            msgspec.convert(told, voice.Options)
        assert sentence in str(caught.value)

    def test_all_of_them_are_said_at_once(self) -> None:
        with pytest.raises(ValueError, match=r"uses key 0.*; .*has key '12'"):
            options(menu=(choice(key=0), choice(key=12, id="two")))

    def test_no_secret_stands_in_what_options_say_of_themselves(self) -> None:
        assert "secret-token" not in repr(options())


class TestWarnings:
    @pytest.mark.parametrize(
        ("changed", "sentence"),
        [
            ({"greeting": {"en": "x" * 121}}, "the greeting in 'en' takes about 8 seconds, more than 8"),
            ({"greeting": {"en": "x" * 150}}, "the greeting in 'en' takes about 10 seconds, more than 8"),
            ({"menu": (choice(words={}),)}, "option 'one' has no words in 'en'"),
            (
                {"menu": (choice(), choice(key=2, id="two", words={"en": ("One!",)}))},
                "the menu has 'one' in 'en' for one and two: it chooses neither",
            ),
            (
                {"menu": (choice(words={"en": ("agent", "sales")}),)},
                "the menu has 'agent' in 'en' for one and a person: it chooses neither",
            ),
            ({"greeting": {"en": "Hi.", "pl": "Hej."}}, "greeting has 'pl', which is not one of languages"),
            (
                {"languages": ("pl",), "menu": (), "transcription": "twilio"},
                "transcription: twilio understands English only",
            ),
        ],
    )
    def test_each_is_one_sentence_of_check(self, changed: dict[str, Any], sentence: str) -> None:
        account = options(**({"menu": (choice(),)} | changed))
        found = lint.problems(account)
        assert [each.severity for each in found] == ["warning"]
        assert found[0].message.startswith(sentence)

    async def test_they_are_among_what_the_channel_says(self) -> None:
        channel = voice.Channel("phone", options(menu=(choice(words={}),)))
        assert "option 'one' has no words in 'en'" in [
            each.message.partition(":")[0] for each in channel.check()
        ]
        await channel.close()

    def test_a_good_menu_has_none(self) -> None:
        account = options(
            greeting={"en": "x" * lint.GREETING_MAX_CHARACTERS},
            menu=(choice(), choice(key=2, id="two", words={"en": ("two", "second one")})),
        )
        assert lint.problems(account) == []


class TestYaml:
    def test_keys_may_be_written_as_numbers(self) -> None:
        told = {
            "account_sid": SID,
            "numbers": [OWN],
            "menu": [{"key": 1, "id": "billing", "say": "invoices", "words": {"en": "invoice"}}],
        }
        made = msgspec.convert(told, voice.Options)
        assert (made.menu[0].digit, made.menu[0].heard("en")) == ("1", ("invoice",))

    def test_an_unknown_key_is_refused(self) -> None:
        with pytest.raises(msgspec.ValidationError, match="unknown field"):
            msgspec.convert({"account_sid": SID, "menus": []}, voice.Options)

    def test_a_voice_of_its_own_is_used(self) -> None:
        account = options(voices={"en": voices.Voice(tag="en-GB", voice="Polly.Amy-Neural")})
        assert account.voice("en").tag == "en-GB"


class TestMenu:
    def test_is_found_by_the_path_to_it(self) -> None:
        assert [each.id for each in at(MENU, ("billing",))] == ["refund", "copy"]

    @pytest.mark.parametrize("path", [("gone",), ("repair",), ("billing", "refund")])
    def test_that_is_not_there_is_the_top(self, path: tuple[str, ...]) -> None:
        assert at(MENU, path) == MENU

    def test_a_choice_is_found_on_any_level(self) -> None:
        found = named(MENU, "copy")
        assert found is not None
        assert found.digit == "2"
        assert named(MENU, "gone") is None


class TestSentences:
    def test_every_language_has_every_one(self) -> None:
        known = says.built_in()
        assert set(known) == set(voices.VOICES)
        for language, texts in known.items():
            assert texts.keys() == known["en"].keys(), language
            assert [len(texts[name]) for name in ("days", "months", "numbers")] == [7, 12, 10]

    def test_every_one_has_the_same_blanks_to_fill_in_and_nothing_else_in_braces(self) -> None:
        def blanks(text: str) -> set[str]:
            return {name for _, name, _, _ in string.Formatter().parse(text) if name}

        english = says.built_in()["en"]
        for language, texts in says.built_in().items():
            for key in says.names():
                assert blanks(texts[key]) == blanks(english[key]), (language, key)

    def test_none_can_hold_a_caller_for_longer_than_a_greeting(self) -> None:
        for texts in says.built_in().values():
            assert all(len(texts[key]) <= lint.GREETING_MAX_CHARACTERS for key in says.names())

    def test_the_accounts_own_comes_first(self) -> None:
        own = {"hello": {"en": "Ahoy."}}
        assert says.sentence(own, "en", "hello") == "Ahoy."
        assert says.sentence(own, "pl", "hello") == "Dzień dobry."

    def test_what_is_filled_in_is_not_filled_in_again(self) -> None:
        assert says.sentence({}, "en", "caller", name="{key}{name}") == "Perhaps from {key}{name}."

    @pytest.mark.parametrize(
        ("language", "opens", "sentence"),
        [
            ("en", "2026-11-10T13:00", "We open again today at 2 PM."),
            ("en", "2026-11-11T08:30", "We open again tomorrow at 9:30 AM."),
            ("en", "2026-11-16T08:00", "We open again on Monday at 9 AM."),
            ("en", "2026-12-24T11:00", "We open again on Thursday, 24 December, at 12 PM."),
            ("pl", "2026-11-16T08:00", "Otwieramy znowu w poniedziałek o 9:00."),
            ("de", "2026-12-24T11:00", "Wir öffnen wieder am Donnerstag, dem 24. Dezember, um 12:00 Uhr."),
            ("el", "2026-11-11T08:00", "Ανοίγουμε ξανά αύριο στις 9:00."),
            ("pt", "2026-11-10T13:00", "Voltamos a abrir hoje às 14:00."),
            ("es", "2026-11-13T08:00", "Abrimos de nuevo el viernes a las 9:00."),
            ("fr", "2026-11-13T08:00", "Nous rouvrons vendredi à 9:00."),
        ],
    )
    def test_an_opening_is_said_in_the_zone_of_the_desk(
        self, language: str, opens: str, sentence: str
    ) -> None:
        now = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
        at_ = datetime.fromisoformat(opens).replace(tzinfo=UTC)
        assert says.opening({}, language, now=now, opens=at_, zone="Europe/Warsaw") == sentence

    def test_tomorrow_is_tomorrow_where_the_desk_is(self) -> None:
        """Half past midnight in Warsaw: what opens at 9 opens today there, and tomorrow by the clock of UTC."""
        now = datetime(2026, 11, 10, 23, 30, tzinfo=UTC)
        opens = datetime(2026, 11, 11, 8, 0, tzinfo=UTC)
        assert "today" in says.opening({}, "en", now=now, opens=opens, zone="Europe/Warsaw")

    def test_the_hour_after_the_clocks_change_is_right(self) -> None:
        now = datetime(2026, 10, 24, 20, 0, tzinfo=UTC)  # Saturday, summer time; winter time from Sunday
        opens = datetime(2026, 10, 26, 8, 0, tzinfo=UTC)
        assert says.opening({}, "en", now=now, opens=opens, zone="Europe/Warsaw").endswith("Monday at 9 AM.")

    @pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../etc/passwd"])
    def test_a_zone_that_is_none_is_utc(self, zone: str) -> None:
        now = datetime(2026, 11, 10, 11, 0, tzinfo=UTC)
        assert "1 PM" in says.opening({}, "en", now=now, opens=now.replace(hour=13), zone=zone)


class TestSpeech:
    PHRASES: ClassVar = {
        "billing": ("invoice*", "pay a bill"),
        "repair": ("repair*", "broken", "naprawa"),
        "pay": ("pay",),
    }

    @pytest.mark.parametrize(
        ("said", "meant"),
        [
            ("Invoices, please!", "billing"),
            ("INVOICE", "billing"),
            ("it is broken", "repair"),
            ("unbroken", None),
            ("I want to pay a bill", "billing"),  # the longer phrase
            ("I want to pay", "pay"),
            ("repair my invoice", None),  # two as long
            ("NAPRAWĄ", "repair"),
            ("naprawa", "repair"),
            ("", None),
            ("…!?", None),
            ("pay a big bill", "pay"),
        ],
    )
    def test_the_longest_phrase_wins_and_a_draw_is_nothing(self, said: str, meant: str | None) -> None:
        assert speech.chosen(said, self.PHRASES) == meant

    def test_a_number_is_a_key_only_where_few_words_end_in_it(self) -> None:
        keys = {"one": "1", "two": "2", "2": "2"}
        heard = {
            "two": "2",
            "Two!": "2",
            "number 2": "2",
            "option two, please": "2",
            "two questions": None,
            "please": None,
            "I have waited for two": None,
            "": None,
        }
        found = {said: speech.number(said, keys, polite=("please",)) for said in heard}
        assert found == heard

    @pytest.mark.parametrize(
        ("said", "word"),
        [("łódź", "lodz"), ("ΕΠΑΝΆΛΗΨΗ", "επαναληψη"), ("für", "fur"), ("coração", "coracao")],
    )
    def test_accents_and_case_do_not_matter(self, said: str, word: str) -> None:
        assert speech.tokens(said) == (word,)

    def test_an_empty_phrase_is_never_said(self) -> None:
        assert speech.chosen("anything", {"a": ("", "*", "…")}) is None

    def test_a_novel_takes_no_time(self) -> None:
        assert speech.chosen("word " * 100_000, {"a": ("word " * 60,)}) == "a"
