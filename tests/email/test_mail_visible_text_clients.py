"""Answers in many languages, as mail programs send them, are told from what they answer, exactly and without loss."""

import textwrap

import pytest

from channels.email import visible_text
from tests.email.clients import (
    ANSWERS,
    ATTRIBUTIONS,
    DISCLAIMERS,
    FOOTERS,
    HEADS,
    PLEAS,
    SEPARATORS,
    head,
)

OLDER = "Dear Anna,\n\nwhich colour would you like?\n\nYours\nSupport"
QUOTED = "\n".join(f"> {line}".rstrip() for line in OLDER.split("\n"))
ATTRIBUTED = [(language, each) for language, several in ATTRIBUTIONS.items() for each in several]
FOOTED = [(language, each) for language, several in FOOTERS.items() for each in several]
# The others name neither a date nor a time: without quoted lines nothing tells them from a sentence of the customer's.
PROVEN = [(language, each) for language, each in ATTRIBUTED if any(character.isdigit() for character in each)]


def words(text: str) -> list[str]:
    return sorted(text.split())


def assert_parted(text: str, visible: str) -> None:
    split = visible_text.split(text)
    assert split.visible == visible
    assert words(split.visible + "\n" + split.quoted) == words(text)


@pytest.mark.parametrize(("language", "attribution"), ATTRIBUTED)
@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_an_answer_above_a_quotation(language: str, attribution: str, gap: str) -> None:
    answer = ANSWERS[language]
    assert_parted(f"{answer}\n\n{attribution}{gap}{QUOTED}\n", answer)


@pytest.mark.parametrize(("language", "attribution"), PROVEN)
def test_an_answer_above_a_quotation_without_marks(language: str, attribution: str) -> None:
    answer = ANSWERS[language]
    assert_parted(f"{answer}\n\n{attribution}\n\n{OLDER}\n", answer)


@pytest.mark.parametrize(("language", "attribution"), ATTRIBUTED)
def test_an_answer_right_above_an_attribution(language: str, attribution: str) -> None:
    answer = ANSWERS[language]
    assert_parted(f"{answer}\n{attribution}\n{QUOTED}\n", answer)


@pytest.mark.parametrize(("language", "attribution"), ATTRIBUTED)
def test_an_answer_below_a_quotation(language: str, attribution: str) -> None:
    answer = ANSWERS[language]
    assert_parted(f"{attribution}\n{QUOTED}\n\n{answer}\n", answer)


@pytest.mark.parametrize(("language", "attribution"), ATTRIBUTED)
def test_answers_between_quotations(language: str, attribution: str) -> None:
    first, second, *_ = ANSWERS[language].split("\n\n")
    text = f"{attribution}\n\n> Which colour?\n\n{first}\n\n> When?\n>\n> Support\n\n{second}\n"
    assert_parted(text, f"{first}\n\n{second}")


@pytest.mark.parametrize("language", HEADS)
@pytest.mark.parametrize("style", ["plain", "bold"])
@pytest.mark.parametrize("above", ["", "________________________________\n", "-----Original Message-----\n"])
def test_an_answer_above_the_head_of_an_older_mail(language: str, style: str, above: str) -> None:
    answer = ANSWERS.get(language, ANSWERS["en"])
    assert_parted(f"{answer}\n\n{above}{head(language, style=style)}\n\n{OLDER}\n", answer)


@pytest.mark.parametrize("language", [each for each in HEADS if each in ANSWERS])
def test_the_head_of_an_older_mail_may_name_no_address(language: str) -> None:
    answer = ANSWERS[language]
    assert_parted(f"{answer}\n\n{head(language, has_address=False)}\n\n{OLDER}\n", answer)


@pytest.mark.parametrize("language", SEPARATORS)
def test_a_separator_is_known_by_its_word_or_by_what_follows(language: str) -> None:
    answer, separator = ANSWERS[language], SEPARATORS[language]
    assert_parted(f"{answer}\n\n{separator}\n{head(language)}\n\n{OLDER}\n", answer)
    assert_parted(f"{answer}\n\n{separator}\n\n{OLDER}\n", answer)


@pytest.mark.parametrize(("language", "footer"), FOOTED)
@pytest.mark.parametrize(
    "below", ["", "\n\n" + ATTRIBUTIONS["en"][0] + "\n\n" + QUOTED, "\n\n" + head("de") + "\n\n" + OLDER]
)
def test_the_footer_of_a_phone_goes(language: str, footer: str, below: str) -> None:
    answer = ANSWERS[language]
    assert_parted(f"{answer}\n\n{footer}{below}\n", answer)


@pytest.mark.parametrize("language", ANSWERS)
@pytest.mark.parametrize("mark", ["-- ", "--", "—"])
def test_a_signature_between_answer_and_quotation_goes(language: str, mark: str) -> None:
    answer = ANSWERS[language]
    text = f"{answer}\n\n{mark}\nAnna Example\nExample Ltd.\n+48 22 123 45 67\nwww.example.com\n\n{ATTRIBUTIONS['en'][0]}\n{QUOTED}\n"
    assert_parted(text, answer)


@pytest.mark.parametrize("language", ANSWERS)
def test_an_answer_alone_stays_whole(language: str) -> None:
    assert visible_text.split(ANSWERS[language]).visible == ANSWERS[language]


@pytest.mark.parametrize("language", DISCLAIMERS)
@pytest.mark.parametrize("width", [60, 1_000])
def test_a_disclaimer_goes(language: str, width: int) -> None:
    answer = ANSWERS[language]
    wrapped = "\n".join(textwrap.wrap(DISCLAIMERS[language], width))
    assert_parted(f"{answer}\n\n{wrapped}\n", answer)
    assert_parted(f"{answer}\n\n{wrapped}\n\n{head('en')}\n\n{OLDER}", answer)


@pytest.mark.parametrize("language", DISCLAIMERS)
def test_disclaimers_in_two_languages_go(language: str) -> None:
    answer = ANSWERS[language]
    assert_parted(f"{answer}\n\n{DISCLAIMERS[language]}\n\n{DISCLAIMERS['en']}\n", answer)


@pytest.mark.parametrize("language", PLEAS)
def test_a_plea_not_to_print_goes(language: str) -> None:
    answer = ANSWERS[language]
    assert_parted(f"{answer}\n\n{PLEAS[language]}\n", answer)
