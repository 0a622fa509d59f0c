"""Markdown as words alone."""

from hypothesis import given
from hypothesis import strategies as st

from channels import markup, unmarked
from tests.rows import every_row


@every_row(
    ("markdown", "words"),
    [
        ("Hello\nthere\n\nBye\n", "Hello\nthere\n\nBye"),
        ("**bold**, *soft*, ~~gone~~ and `code`", "bold, soft, gone and code"),
        ("# Heading\ntext", "Heading\n\ntext"),
        ("read [this](https://example.com/a)", "read this (https://example.com/a)"),
        ("see https://example.com/a_b_c", "see https://example.com/a_b_c"),
        ("<https://example.com>", "https://example.com"),
        ("<mailto:jan@example.com>", "jan@example.com"),
        ("<jan@example.com>", "jan@example.com"),
        ("[example.com](https://example.com)", "example.com"),
        ("![a picture](https://example.com/a.png)", "a picture (https://example.com/a.png)"),
        ("- one\n- two\n  more\n", "- one\n- two\n  more"),
        ("3. three\n4. four\n", "3. three\n4. four"),
        ("- one\n  - deep\n- two\n", "- one\n  - deep\n- two"),
        ("> said\n> so\n\nyes", "> said\n> so\n\nyes"),
        ("| a | b |\n|---|---|\n| 1 | 2 |\n", "a | b\n1 | 2"),
        ("```\nx = *y*\n```\nafter", "x = *y*\n\nafter"),
        ("one\n\n---\n\ntwo", "one\n\n---\n\ntwo"),
        ("5 * 3 = 15", "5 * 3 = 15"),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
        ("", ""),
    ],
)
def test_words(markdown: str, words: str) -> None:
    assert unmarked.words(markdown) == words


def test_whatsapp_has_marks_of_its_own() -> None:
    said = unmarked.words("**bold**, *soft* and ~~gone~~", marks=unmarked.WHATSAPP)
    assert said == "*bold*, _soft_ and ~gone~"


def test_others_words_stay_words() -> None:
    text = f"Order {markup.verbatim('**12** [x](https://y.example)')} is **ready**"
    assert unmarked.words(text) == "Order **12** [x](https://y.example) is ready"


@given(st.text(max_size=200))
def test_any_text_becomes_words_without_marks_of_ours(text: str) -> None:
    said = unmarked.words(text)
    assert markup.OPEN not in said
    assert markup.CLOSE not in said


@given(st.text(alphabet="*_[]()#>-1. \n`|ab", max_size=80))
def test_no_nesting_breaks_it(text: str) -> None:
    unmarked.words(text)
