"""Answers in many languages, as mail programs send them, are told from what they answer, exactly and without loss.

One test a language; the forms of its programs stand in `clients`.
"""

import textwrap

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
from tests.rows import every_row

OLDER = "Dear Anna,\n\nwhich colour would you like?\n\nYours\nSupport"
QUOTED = "\n".join(f"> {line}".rstrip() for line in OLDER.split("\n"))
SIGNATURE = "Anna Example\nExample Ltd.\n+48 22 123 45 67\nwww.example.com"


def assert_parted(text: str, visible: str) -> None:
    split = visible_text.split(text)
    assert split.visible == visible, text
    assert sorted((split.visible + "\n" + split.quoted).split()) == sorted(text.split()), text


def answer_in(language: str) -> str:
    return ANSWERS.get(language, ANSWERS["en"])


@every_row("language", ATTRIBUTIONS)
def test_an_answer_above_a_quotation(language: str) -> None:
    answer = answer_in(language)
    for attribution in ATTRIBUTIONS[language]:
        assert_parted(f"{answer}\n\n{attribution}\n\n{QUOTED}\n", answer)
        assert_parted(f"{answer}\n\n{attribution}\n{QUOTED}\n", answer)
        assert_parted(f"{answer}\n{attribution}\n{QUOTED}\n", answer)


@every_row("language", ATTRIBUTIONS)
def test_an_answer_above_a_quotation_without_marks(language: str) -> None:
    answer = answer_in(language)
    for attribution in ATTRIBUTIONS[language]:
        # Without date and time nothing tells it from a sentence of the customer's.
        if any(character.isdigit() for character in attribution):
            assert_parted(f"{answer}\n\n{attribution}\n\n{OLDER}\n", answer)


@every_row("language", ATTRIBUTIONS)
def test_an_answer_below_a_quotation(language: str) -> None:
    answer = answer_in(language)
    for attribution in ATTRIBUTIONS[language]:
        assert_parted(f"{attribution}\n{QUOTED}\n\n{answer}\n", answer)


@every_row("language", ATTRIBUTIONS)
def test_answers_between_quotations(language: str) -> None:
    first, second, *_ = answer_in(language).split("\n\n")
    for attribution in ATTRIBUTIONS[language]:
        text = f"{attribution}\n\n> Which colour?\n\n{first}\n\n> When?\n>\n> Support\n\n{second}\n"
        assert_parted(text, f"{first}\n\n{second}")


@every_row("language", HEADS)
def test_an_answer_above_the_head_of_an_older_mail(language: str) -> None:
    answer = answer_in(language)
    for above in ("", "________________________________\n", "-----Original Message-----\n"):
        for style in ("plain", "bold"):
            assert_parted(f"{answer}\n\n{above}{head(language, style=style)}\n\n{OLDER}\n", answer)


@every_row("language", [each for each in HEADS if each in ANSWERS])
def test_the_head_of_an_older_mail_may_name_no_address(language: str) -> None:
    answer = answer_in(language)
    assert_parted(f"{answer}\n\n{head(language, has_address=False)}\n\n{OLDER}\n", answer)


@every_row("language", SEPARATORS)
def test_a_separator_is_known_by_its_word_or_by_what_follows(language: str) -> None:
    answer, separator = answer_in(language), SEPARATORS[language]
    assert_parted(f"{answer}\n\n{separator}\n{head(language)}\n\n{OLDER}\n", answer)
    assert_parted(f"{answer}\n\n{separator}\n\n{OLDER}\n", answer)


@every_row("language", FOOTERS)
def test_the_footer_of_a_phone_goes(language: str) -> None:
    answer = answer_in(language)
    for footer in FOOTERS[language]:
        for below in (
            "",
            f"\n\n{ATTRIBUTIONS['en'][0]}\n\n{QUOTED}",
            f"\n\n{head('de')}\n\n{OLDER}",
        ):
            assert_parted(f"{answer}\n\n{footer}{below}\n", answer)


@every_row("language", ANSWERS)
def test_a_signature_between_answer_and_quotation_goes(language: str) -> None:
    answer = answer_in(language)
    for mark in ("-- ", "--", "—"):
        assert_parted(f"{answer}\n\n{mark}\n{SIGNATURE}\n\n{ATTRIBUTIONS['en'][0]}\n{QUOTED}\n", answer)


@every_row("language", DISCLAIMERS)
def test_disclaimers_go(language: str) -> None:
    answer = answer_in(language)
    for width in (60, 1_000):
        wrapped = "\n".join(textwrap.wrap(DISCLAIMERS[language], width))
        assert_parted(f"{answer}\n\n{wrapped}\n", answer)
        assert_parted(f"{answer}\n\n{wrapped}\n\n{head('en')}\n\n{OLDER}", answer)
        assert_parted(f"{answer}\n\n{wrapped}\n\n{DISCLAIMERS['en']}\n", answer)


@every_row("language", PLEAS)
def test_a_plea_not_to_print_goes(language: str) -> None:
    answer = answer_in(language)
    assert_parted(f"{answer}\n\n{PLEAS[language]}\n", answer)


@every_row("language", ANSWERS)
def test_an_answer_alone_stays_whole(language: str) -> None:
    assert visible_text.split(ANSWERS[language]).visible == ANSWERS[language]
