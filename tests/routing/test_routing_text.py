"""Folding and patterns: what an admin's word or regex finds in what customers write."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from routing import regex
from routing.folding import fold
from routing.regex import MARK, BadPattern, compile_pattern
from tests.rows import every_row


@every_row(
    ("text", "words"),
    [
        ("ZAŻÓŁĆ Gęślą jaźń!", " zazolc gesla jazn "),
        ("Straße STRASSE", " strasse strasse "),
        ("Ørsted, smørrebrød", " orsted smorrebrod "),
        ("ΕΠΙΣΤΡΟΦΉ χρημάτων ΟΔΌΣ", " επιστροφη χρηματων οδοσ "),
        ("não-funciona", " nao funciona "),
        ("e\u0301te\u0301", " ete "),
        ("ﬁne Ｆｕｌｌ ①", " fine full 1 "),
        ("re\u00adfund a\u200bb", " refund a b "),
        ("don't", " don t "),
        ("我要退款", " 我 要 退 款 "),
        ("हिन्दी", " " + "हिनदी" + " "),
        ("!!! …", "  "),
        ("", "  "),
    ],
)
def test_text_folds_to_its_words(text: str, words: str) -> None:
    assert fold(text).split() == words.split()


@pytest.mark.slow
@settings(max_examples=300)
@given(st.text(), st.text())
def test_a_piece_of_a_text_folds_to_a_piece_of_the_folded_text(one: str, other: str) -> None:
    assert fold(one).strip() in fold(f"{other} {one}")


@pytest.mark.slow
@settings(max_examples=300)
@given(st.text(alphabet="aéß ŁΣ.’我", max_size=200))
def test_folding_is_the_same_on_the_fast_road_and_the_slow_one(text: str) -> None:
    assert fold(f"{text} {'a' * 9000}") == f"{fold(text).rstrip()} {'a' * 9000} "


@settings(max_examples=200)
@given(st.text())
def test_folding_twice_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


def found(pattern: str, text: str) -> bool:
    compiled = compile_pattern(pattern)
    return compiled.found(regex.subject(text, marked=compiled.marked))


@every_row(
    ("pattern", "text", "expected"),
    [
        (r"error\s+5\d\d", "ERROR  502", True),
        (r"(?-i)error", "ERROR", False),
        (r"(?-i)error", "an error", True),
        (r"\bżółw\b", "mały ŻÓŁW!", True),
        (r"\bżółw\b", "żółwie", False),
        (r"\bżółw\b", "prażółw", False),
        (r"\w+ść", "całość", True),
        (r"^\w+$", "zażółć", True),
        (r"\d{3}", "٣٤٥", True),
        (r"[\w-]+@", "zażółć-x@", True),
        (r"\berror\b.*\bcode\b", "error code", True),
        (r"\berror\b.*\bcode\b", "errorcode", False),
        (r"\bfoo\b \bbar\b", "foo bar", True),
        (r"\bfoo\b\s\S+", "foo bar", True),
        (r"a\Wb\b", "a b", True),
        (r"a\Wb\b", "ab", False),
        (r"\bx[^y]z\b", "xz", False),
        (r"\bx.z\b", "xz", False),
        (r"\bx.z\b", "x z", True),
        (r"a$|b\b", "b", True),
        (r"\bab$", "ab", True),
        (r"\bord(er)? (\d{2})\b", "ord 12", True),
        (r"\Qa.b\E\b", "a.b", True),
        (r"\Qa.b\E\b", "axb", False),
        (r"caf\x{e9}", "CAFE\u0301", True),
        (r"[\s\S]*\bend\b", "the\nend", True),
        (r"\p{Greek}+\b", "καλημέρα", True),
    ],
)
def test_patterns_know_letters_of_every_script(pattern: str, text: str, expected: object) -> None:
    assert found(pattern, text) is expected


@every_row(
    ("pattern", "said", "offset"),
    [
        (r"a(?=b)", "look-around", 1),
        (r"a(?<!b)", "look-around", 1),
        (r"(a)\1", "back-references", 3),
        (r"a\Bb", "not supported", 1),
        (r"[\W]", "not supported", 0),
        (r"a(b", "missing )", 0),
        (r"[a", "missing ]", 0),
        ("a" * 1001, "1 to 1000", 0),
        ("", "1 to 1000", 0),
        (r"(x{1000}){1000}", "with its repeats written out", 9),
    ],
)
def test_patterns_that_are_refused_say_why_and_where(pattern: str, said: str, offset: int) -> None:
    with pytest.raises(BadPattern, match=said.replace(")", r"\)").replace("]", r"\]")) as refused:
        compile_pattern(pattern)
    assert refused.value.offset == offset
    assert MARK not in str(refused.value)


@every_row(
    ("pattern", "literals"),
    [
        (r"error\s+5\d\d", ("error",)),
        (r"błąd ?serwera", ("blad", "serwera")),
        (r"colou?r", ("colo",)),
        (r"a|bcd", ()),
        (r"(abc|de)fgh", ("fgh",)),
        (r"(?i)abc", ("abc",)),
        (r"\bwww\.x{2}yz", ("www", "yz")),
    ],
)
def test_pieces_that_must_occur_are_known(pattern: str, literals: tuple[str, ...]) -> None:
    assert compile_pattern(pattern).literals == literals


def test_a_pattern_that_would_run_for_ever_elsewhere_is_linear_here() -> None:
    begin = time.perf_counter()
    assert not found(r"\b(a+)+$", "a" * 60_000 + "!")
    assert time.perf_counter() - begin < 2
