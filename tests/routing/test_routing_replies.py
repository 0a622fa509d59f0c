"""The shipped reply templates: every language says the same, with or without a name and an expected time."""

from pathlib import Path

from jinja2 import Environment, StrictUndefined

from tests.rows import every_row

REPLIES = Path(__file__).parents[2] / "config" / "replies"
LANGUAGES = ("cs", "de", "el", "en", "es", "fr", "it", "ja", "nl", "pl", "pt", "ru", "sv", "tr", "uk")


def rendered(language: str, *, name: str, expected: str) -> str:
    source = (REPLIES / f"received.{language}.md").read_text("utf-8")
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(source)
    return template.render(ticket={"ref": "K7Q2-9F"}, customer={"name": name}, expected=expected)


def test_the_languages_that_are_shipped() -> None:
    """Every template in each of them."""
    names = sorted(path.name for path in REPLIES.iterdir())
    assert names == sorted(
        f"{name}.{each}.md" for name in ("delayed", "promised", "received") for each in LANGUAGES
    )


@every_row("language", LANGUAGES)
def test_promise_is_a_mail_of_its_own_or_one_line_of_an_answer(language: str) -> None:
    source = (REPLIES / f"promised.{language}.md").read_text("utf-8").partition("\n")[2]
    template = Environment(undefined=StrictUndefined, autoescape=False).from_string(source)
    values = {"ticket": {"ref": "K7Q2-9F"}, "customer": {"name": "Zoë"}, "promised": "Thursday, 15:00"}
    alone, line = (template.render(**values, in_answer=each) for each in (False, True))
    assert all(word in alone for word in ("Zoë", "K7Q2-9F", "Thursday, 15:00"))
    assert "Thursday, 15:00" in line
    assert len(line.strip().splitlines()) == 1
    assert line.strip() in alone


@every_row("language", LANGUAGES)
def test_name_reference_and_time_are_said(language: str) -> None:
    text = rendered(language, name="Zoë", expected="Tuesday 11:00")
    assert text.startswith("Subject: ")
    assert text.splitlines()[0].endswith("[K7Q2-9F]")
    assert text.count("K7Q2-9F") == 2
    assert all(word in text for word in ("Zoë", "Tuesday 11:00"))


@every_row("language", LANGUAGES)
def test_without_name_and_time_nothing_is_left_hanging(language: str) -> None:
    text = rendered(language, name="", expected="")
    assert not any(slip in text for slip in (" ,", " :", "  ", "{", "\n\n\n"))
