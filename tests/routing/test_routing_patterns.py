r"""No pattern of an admin can hang the daemon: it is linear and small, or refused at its place."""

import pytest

from routing import regex, rulebook
from routing.problems import ConfigError
from routing.regex import MAX_WRITTEN_OUT, BadPattern, compile_pattern
from tests.rows import every_row

MEGABYTE = 1_000_000
TEXTS = {
    "letters": "a" * MEGABYTE,
    "words": ("zażółć aaa " * (MEGABYTE // 11))[:MEGABYTE],
}

LINEAR = [
    # nested quantifiers
    r"(a+)+$", r"(a*)*$", r"(a+)*b", r"(a|a)*b", r"((a+)+)+!", r"(a*a*)*b", r"(.*)*x", r"(\s*a)*b", r"([a-z]+)*!",
    r"(a+a+)+b", r"(?:a+)+(?:b+)+c", r"^(a+)+$", r"(a?)*b", r"(?:(?:a*)+)+!", r"(x+x+)+y", r"(.+)+\d$", r"(\w+\s?)+!",
    # alternatives that overlap
    r"(a|aa)+$", r"(a|ab|abc)*d", r"(?:a|b|ab)*c", r"(aa|aaa|aaaa)+b", r"(foo|foobar|fo+)+z", r"(?:a|a|a|a|a)*b",
    r"^(?:.|\s)*!$", r"(\w|\d|_)*-$", r"(a|á|à)+ü$",
    # greedy and reluctant runs
    r".*.*.*.*=.*", r".*?.*?.*?=", r"a*a*a*a*a*b", r"[^!]*[^?]*[^.]*!\?\.", r"(.*),(.*),(.*),(.*);", r"\s+$", r"\s*\s*\s*;",
    # counted repeats
    r"(a{1,10}){1,10}b", r"(?:a?){300}a{300}b", r"a{500}b", r"[a-z]{1,200}!", r".{0,900}z$", r"(?:ab?){100}c",
    r"((a{1,3}){1,3}){1,3}!", r"(?:\d{1,3}\.){3}\d{1,3}", r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}",
    # classes of Unicode and letters without case
    r"\p{L}+\p{N}+$", r"(\p{Lu}|\p{Ll})+!", r"[\p{L}\p{M}]*[\p{N}_]+$", r"\p{Greek}+\p{Cyrillic}*!", r"[^\p{L}]+\p{Han}",
    r"(?i)(ſ|s|S)+k$", r"(?-i)(A|a)+B$", r"(ß|ss|ẞ)+$", r"(ı|i|İ|I)+ş$", r"\PL\PN+$", r"(σ|ς|Σ)+ω",
    # rewritten to mean Unicode
    r"\b(a+)+\b!", r"(\b\w+\b\s*)+$", r"\b\w*\b\w*\b!", r"(\w+\b)+\d", r"\b(\w|\d)+\b\W*$", r"(?:\b|a)+b", r"\b.*\b.*\b;",
    r"(\w+)@(\w+)\.(\w+)", r"\d+\D+\d+\D+\d+", r"\W*\w+\W*\w+\W*!$", r"^\b(?:\w+\W+)*\w+!$",
    # what people really copy from somewhere
    r"^([a-zA-Z0-9])(([\-.]|[_]+)?([a-zA-Z0-9]+))*(@){1}[a-z0-9]+[.]{1}(([a-z]{2,3})|([a-z]{2,3}[.]{1}[a-z]{2,3}))$",
    r"^(([a-z])+.)+[A-Z]([a-z])+$", r"(https?://)?([\w.-]+)+(/[\w./?%&=-]*)?#$", r"<(\w+)[^>]*>.*</\w+>", r"(\s|^)#(\w+)+$",
    r"^\s*(\d+\s*,\s*)*\d+\s*$", r"((?:\+|00)\d{1,3}[ -]?)?(\(?\d+\)?[ -]?)+x$", r"(-?\d+(\.\d+)?)+(e[+-]?\d+)*!",
]  # fmt: skip

REFUSED = {
    r"(?=a)b": (0, "look-around"),
    r"ab(?!c)": (2, "look-around"),
    r"a(?<=b)c": (1, "look-around"),
    r"(?<!x)y": (0, "look-around"),
    r"(a)\1": (3, "back-references"),
    r"(a+)+\1+$": (5, "back-references"),
    r"a\Bb": (1, "not supported"),
    r"a\Cb": (1, "not supported"),
    r"x(?:(?:a|b|ab){1,300}){1,3}c": (14, "written out"),
    r"(?:a{100}){100}": (10, "written out"),
    r"(?:[a-z]{1,100}){1,11}!": (16, "written out"),
    r"(((a{1,10}){1,10}){1,10}){1,2}": (25, "written out"),
    r"(?:\w\w?){900}!": (9, "written out"),
    r"[\p{L}\p{M}]{1,900}!": (0, "too large"),
    r"a{2000}": (1, "written out"),
    r"(a": (0, ")"),
    r"a)": (0, ")"),
    r"[a": (0, "]"),
    r"*a": (0, "repetition"),
    r"\p{Klingon}": (0, "character class"),
    r"(?>a+)b": (0, "perl operator"),
    r"(?(1)a|b)": (0, "perl operator"),
    r"a++b": (0, "repetition"),
    "": (0, "1 to"),
    "a" * 1_001: (0, "1 to"),
}


@pytest.fixture(scope="module")
def subjects() -> dict[tuple[str, bool], bytes]:
    return {
        (name, marked): regex.subject(text, marked=marked)
        for name, text in TEXTS.items()
        for marked in (False, True)
    }


@pytest.mark.slow
@every_row("text", LINEAR)
def test_a_pattern_that_runs_away_elsewhere_is_a_small_linear_one_here(
    text: str, subjects: dict[tuple[str, bool], bytes]
) -> None:
    """Compiled by RE2, whose time is linear, within its memory; and run once over a megabyte of bad text."""
    pattern = compile_pattern(text)
    assert type(pattern.compiled).__module__.startswith("re2")
    assert pattern.compiled.options.max_mem == 8 << 20
    for name in TEXTS:
        assert pattern.found(subjects[name, pattern.marked]) in (True, False)


def test_the_list_of_bad_patterns_is_long() -> None:
    assert len(set(LINEAR)) >= 60


@every_row("text", REFUSED)
def test_what_is_not_linear_or_too_long_is_refused_at_its_offset(text: str) -> None:
    with pytest.raises(BadPattern) as refused:
        compile_pattern(text)
    offset, said = REFUSED[text]
    assert refused.value.offset == offset
    assert said in str(refused.value)


def test_a_refused_pattern_is_told_with_line_and_column() -> None:
    people = "version: 1\nagents: {a: {}}\nteams: {t: {levels: {l: [a]}}}\ndefault: {team: t}\n"
    rules = "route:\n  - {id: x, when: {text.regex: 'ab(?=c)'}, then: {team: t}}\n  - {id: y, when: {body.regex: '(a)\\1'}, then: {team: t}}"
    with pytest.raises(ConfigError) as refused:
        rulebook.load({"r.yaml": people + rules})
    assert [(each.line, each.column, each.code) for each in refused.value.problems] == [
        (6, 35, "bad-regex"),
        (7, 36, "bad-regex"),
    ]


@every_row(
    ("text", "length"),
    [("a{10}", 10), ("(?:ab){10}c", 21), ("(?:a{3}){4}", 12), ("a{2,5}b", 6), ("a+b*", 2), ("(a|b){3,}", 9)],
)
def test_repeats_are_counted_as_written_out(text: str, length: int) -> None:
    """A pattern fits as often as its length says, and not once more."""
    times = MAX_WRITTEN_OUT // length
    compile_pattern(f"(?:{text}){{{times}}}")
    with pytest.raises(BadPattern, match="written out"):
        compile_pattern(f"(?:{text}){{{times}}}" + "z" * (MAX_WRITTEN_OUT - times * length + 1))


@every_row(
    ("pattern", "text", "expected"),
    [
        (r"\bzwrot\b", "Zwrot!", True),
        (r"\bżółć\b", "ŻÓŁĆ", True),
        (r"\bżółć\b", "żółcień, przeżółć", False),
        (r"\bεπιστροφή\b", "ΕΠΙΣΤΡΟΦΉ χρημάτων", True),
        (r"\bεπιστροφή\b", "επιστροφής", False),
        (r"\bοδός\b", "η οδός.", True),
        (r"\bşifre\b", "yeni ŞIFRE", True),
        (r"\bşifre\b", "şifreler", False),
        (r"\bışık\b", "«ışık»", True),
        (r"\bcafé\b", "cafe\u0301s", False),
        (r"\bcafé\b", "le cafe\u0301.", True),
        (r"\bсчёт\b", "СЧЁТ-фактура", True),
        (r"\bсчёт\b", "расчёт", False),
        (r"\w+ość\b", "całość", True),
        (r"^\w+$", "λειτουργεί", True),
        (r"^\w+$", "çalışmıyor", True),
        (r"^\w+$", "हिन्दी", True),
        (r"\W", "ąęłżź", False),
        (r"\d{3}", "١٢٣", True),
        (r"^\D+$", "١٢٣", False),
        (r"[\w-]+@[\w.]+", "zażółć-gęślą@x.pl", True),
        (r"\bkod\b.{0,10}\b\d{4}\b", "Kod: 1234", True),
        (r"\bkod\b.{0,10}\b\d{4}\b", "Kod: 12345", False),
    ],
)
def test_boundaries_letters_and_digits_mean_unicode(pattern: str, text: str, expected: object) -> None:
    compiled = compile_pattern(pattern)
    assert compiled.found(regex.subject(text, marked=compiled.marked)) is expected
