"""Which texts are words of consent, in which languages, and which are only words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.twilio import keywords
from tests.rows import every_row

TWELVE = ("en", "de", "fr", "es", "pl", "pt", "it", "nl", "sv", "tr", "ru", "he", "ar", "ja")

STOPS = [
    *((word, ()) for word in ("STOP", "STOPALL", "UNSUBSCRIBE", "END", "QUIT", "CANCEL", "REVOKE", "OPTOUT")),
    *((word, ()) for word in ("stop", "Stop", "sToP", " STOP ", "STOP!", "STOP.", "'stop'", "«stop»", "stop 🛑")),
    *((word, ()) for word in ("ＳＴＯＰ", "st\u200bop", "\nstop\n", "stop…", "Opt-out", "opt out", "STOP ALL")),
    *((word, ("de",)) for word in ("Stopp", "ABMELDEN", "abbestellen!", "austragen")),
    *((word, ("fr",)) for word in ("ARRÊT", "arret", "arrêter", "Désabonner", "désinscription")),
    *((word, ("es",)) for word in ("BAJA", "parar", "¡Parar!", "detener")),
    *((word, ("pl",)) for word in ("rezygnuję", "REZYGNUJE", "wypisz", "wypisz mnie")),
    *((word, ("pt",)) for word in ("SAIR", "parar", "descadastrar")),
    *((word, ("it",)) for word in ("disiscrivi", "Cancellami", "disiscrizione")),
    *((word, ("nl",)) for word in ("afmelden", "Uitschrijven", "stoppen")),
    *((word, ("sv",)) for word in ("stopp", "avregistrera", "avanmäl")),
    *((word, ("tr",)) for word in ("RET", "dur", "durdur")),
    *((word, ("ru",)) for word in ("СТОП", "стоп.", "отписаться")),
    *((word, ("he",)) for word in ("הסר", "הסר!", "\u200fהסר\u200f")),
    *((word, ("ar",)) for word in ("قف", "إيقاف", "إلغاء الاشتراك")),
    *((word, ("ja",)) for word in ("停止", "ストップ", "配信停止。")),
]  # fmt: skip

MESSAGES = [
    *("STOP 12345", "please stop by", "end of month", "stop it", "I cancel", "cancel my order", "Don't stop"),
    *("STOP PLEASE", "s.t.o.p.", "nonstop", "stops", "the end", "quit smoking", "bus stop", "STOP STOP", ""),
    *("unsubscribe me and tell me why", "ok", "12345", "!!!", "🛑", "stop\nmy order 12345", "Ends", "cancelled"),
]  # fmt: skip


@every_row(("text", "languages"), STOPS)
def test_a_word_of_the_stop_family_is_an_opt_out(text: str, languages: tuple[str, ...]) -> None:
    """In any case, with any punctuation, with or without accents, in each language that counts."""
    assert keywords.consent_of(text, languages=languages) == "stop"


@every_row("text", MESSAGES)
def test_what_says_more_than_the_word_is_a_message(text: str) -> None:
    """With every language that there is."""
    assert keywords.consent_of(text, languages=tuple(keywords.LANGUAGES)) is None


@every_row(("text", "languages"), [each for each in STOPS if each[1]])
def test_a_language_that_the_account_does_not_name_does_not_count(
    text: str, languages: tuple[str, ...]
) -> None:
    """What is an opt-out where it is named is a message where it is not, English words aside."""
    own = keywords.consent_of(text)
    assert own is None or keywords.folded(text) in keywords.STOPS["en"]


@pytest.mark.parametrize("text", ["cancel", "END", "Quit"])
def test_daily_speech_is_an_opt_out_only_where_twilio_has_closed_the_number(text: str) -> None:
    """On WhatsApp nobody but us listens: they are words like others there."""
    assert keywords.consent_of(text, medium="sms") == "stop"
    assert keywords.consent_of(text, medium="whatsapp") is None


@every_row(
    "text", ["anuluj", "annuler", "cancelar", "abbrechen", "koniec", "ende", "fin", "alto", "nie", "no"]
)
def test_daily_speech_of_other_languages_is_a_message(text: str) -> None:
    """Twilio closes nothing for them, and an order may be cancelled."""
    assert keywords.consent_of(text, languages=tuple(keywords.LANGUAGES)) is None


@pytest.mark.parametrize(("type_", "word"), [("STOP", "stop"), ("START", "start"), ("HELP", "help")])
def test_what_twilio_took_it_for_is_mirrored(type_: str, word: str) -> None:
    """Whatever was said, on every medium: the account's own words are in its messaging service."""
    for medium in ("sms", "whatsapp"):
        assert keywords.consent_of("genug jetzt", opt_out_type=type_, medium=medium) == word
    assert keywords.is_confirmed_by_twilio("genug jetzt", opt_out_type=type_)


def test_an_unknown_type_is_no_consent() -> None:
    """A word that Twilio may add one day changes nothing that we know."""
    assert keywords.consent_of("hello", opt_out_type="PAUSE") is None
    assert keywords.consent_of("STOP", opt_out_type="PAUSE") == "stop"


@every_row("text", ["START", "unstop", "YES", "yes!", "HELP", "info", "Help?"])
def test_words_that_need_sense_are_messages_by_themselves(text: str) -> None:
    """Who has not said STOP may answer a question with yes, and ask for help."""
    assert keywords.consent_of(text) is None
    assert keywords.perhaps(text) in ("start", "help")


@every_row("language", sorted(keywords.LANGUAGES))
def test_each_language_has_words_for_all_three(language: str) -> None:
    """And no word means two things."""
    tables = (keywords.STOPS[language], keywords.STARTS[language], keywords.HELPS[language])
    assert all(tables)
    assert sum(map(len, tables)) == len(frozenset().union(*tables))
    for word in keywords.STARTS[language]:
        assert keywords.perhaps(word, languages=(language,)) == "start"
    for word in keywords.HELPS[language]:
        assert keywords.perhaps(word.upper(), languages=(language,)) == "help"


def test_at_least_twelve_languages_are_known() -> None:
    """The ones of the table above among them."""
    assert set(TWELVE) <= keywords.LANGUAGES


@every_row("word", sorted(keywords.DEFAULTS))
def test_twilio_confirms_its_own_words_on_texts_alone(word: str) -> None:
    """With the whole message, in any case; not what we alone take for one, and not on WhatsApp."""
    assert keywords.is_confirmed_by_twilio(word.upper())
    assert not keywords.is_confirmed_by_twilio(f"{word}!")
    assert not keywords.is_confirmed_by_twilio(word, medium="whatsapp")


def test_only_yes_may_be_an_answer_at_the_same_time() -> None:
    """START and UNSTOP answer no question."""
    assert keywords.is_yes("Yes.")
    assert not keywords.is_yes("START")
    assert not keywords.is_yes("yes please")


@given(st.text(max_size=400))
def test_no_text_makes_it_fail(text: str) -> None:
    """Whatever anybody sends."""
    assert keywords.consent_of(text, languages=tuple(keywords.LANGUAGES)) in ("stop", None)
    keywords.perhaps(text, languages=tuple(keywords.LANGUAGES))


@given(
    st.text(alphabet="abcdefghijklmnop qrstuvwxyz", min_size=1), st.sampled_from(sorted(keywords.DEFAULTS))
)
def test_a_word_among_others_is_never_an_opt_out(others: str, word: str) -> None:
    """Unless the others are none."""
    if others.strip():
        assert keywords.consent_of(f"{word} {others} x") is None
