"""What an account's texts say: what is agreed to, and the answers that need no typing."""

import msgspec
import pytest

from channels.webchat import agreement, quick_replies, texts
from channels.webchat.agreement import Options

TEXT = {"en": "We keep it for 30 days.", "pl": "Przechowujemy to 30 dni."}
SETS: quick_replies.Sets = {
    "opening": ({"en": "Where is my order?", "pl": "Gdzie jest paczka?"},),
    "confirm": ({"en": "Yes", "pl": "Tak"}, {"en": "No", "pl": "Nie"}),
}


@pytest.mark.parametrize(
    ("locale", "wanted"),
    [("pl", "pl"), ("pl-PL", "pl"), ("pl_PL.UTF-8", "pl"), ("PL", "pl"), ("sw", "en"), ("", "en")],
)
def test_a_text_is_said_in_the_language_of_a_locale(locale: str, wanted: str) -> None:
    assert texts.said_in(TEXT, locale) == TEXT[wanted]


def test_without_english_the_first_written_is_said() -> None:
    assert texts.said_in({"pl": "Cześć"}, "de") == "Cześć"
    assert texts.said_in({}, "de") == ""


def test_a_changed_text_asks_again_without_anybody_having_to_think_of_it() -> None:
    before = Options(text=TEXT)
    after = Options(text=TEXT | {"en": "We keep it for 90 days."})
    assert agreement.is_missing(before, None)
    assert not agreement.is_missing(before, before.asked)
    assert agreement.is_missing(after, before.asked)
    assert Options(text=dict(reversed(TEXT.items()))).asked == before.asked


def test_a_version_that_is_written_counts_instead() -> None:
    """A slip of the pen may be put right without asking everybody again."""
    options = Options(text=TEXT, version="2026-11")
    assert options.asked == "2026-11"
    assert not agreement.is_missing(Options(text=TEXT | {"en": "…"}, version="2026-11"), "2026-11")


def test_nobody_is_asked_where_nothing_is_written() -> None:
    assert not agreement.is_missing(Options(), None)
    assert agreement.as_json(Options()) is None


def test_the_very_words_are_kept_in_the_language_they_were_shown_in() -> None:
    options = Options(text=TEXT, version="2", link="https://shop.example/privacy")
    assert agreement.kept(options, "pl-PL") == {
        "version": "2",
        "language": "pl",
        "text": TEXT["pl"],
        "link": "https://shop.example/privacy",
    }


@pytest.mark.parametrize("options", [{"link": "javascript:alert(1)", "text": TEXT}, {"version": "2"}])
def test_what_cannot_be_agreed_to_is_refused_at_the_start(options: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(options, Options)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Did that help?\n\n[[confirm]]", ("Did that help?", "confirm")),
        ("Did that help? [[confirm]]\n", ("Did that help?", "confirm")),
        ("[[confirm]]", ("", "confirm")),
        ("Did that help?\n[[nothing]]", ("Did that help?\n[[nothing]]", "")),
        ("[[confirm]] is how it is written", ("[[confirm]] is how it is written", "")),
        ("Plain", ("Plain", "")),
    ],
)
def test_a_text_of_ours_names_the_set_that_it_ends_with(text: str, wanted: tuple[str, str]) -> None:
    assert quick_replies.parted(text, SETS) == wanted


def test_buttons_are_in_the_visitors_language() -> None:
    assert quick_replies.choices(SETS, "confirm", "pl-PL") == ("Tak", "Nie")
    assert quick_replies.choices(SETS, "handoff", "pl") == ()
