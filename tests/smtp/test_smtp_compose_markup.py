"""Markdown as HTML: what is written is shown, what could harm is not, and others' words stay words."""

import html
import re
from html.parser import HTMLParser

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels import markup
from tests.rows import every_row

_BREAKS = re.compile(r"<br>\n?|</p>\n<p>|</?p>\n?")
_TAG = re.compile(r"<(/?\w+)")


class Elements(HTMLParser):
    """Every element with its attributes, as a reader would see them."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, {name: value or "" for name, value in attrs}))


def shown(rendered: str) -> str:
    """What a person reads of paragraphs."""
    return html.unescape(_BREAKS.sub("\n", rendered)).strip("\n")


@every_row(
    ("text", "part"),
    [
        ("**bold** and *soft*", "<strong>bold</strong> and <em>soft</em>"),
        ("- one\n- two", "<li>one</li>\n<li>two</li>"),
        ("first\nsecond", "<p>first<br>\nsecond</p>"),
        ("| a | b |\n|---|---|\n| 1 | 2 |", "<td>1</td>"),
        ("~~gone~~", "<s>gone</s>"),
        ("> said", "<blockquote>\n<p>said</p>"),
        ("[here](https://example.com/a?b=c)", 'href="https://example.com/a?b=c"'),
        ("[us](mailto:a@example.com)", 'href="mailto:a@example.com"'),
    ],
)
def test_formatting_is_shown(text: str, part: str) -> None:
    assert part in markup.html_of(text)


@every_row(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](JaVaScRiPt:alert(1))",
        "[x](data:text/html;base64,PHNjcmlwdD4=)",
        "[x](vbscript:x)",
        "[x](file:///etc/passwd)",
        "[x](&#106;avascript:alert(1))",
        "[x](//evil.example/x)",
        "![x](https://evil.example/track.png)",
        "![x](cid:somebody@elsewhere)",
        "![x](data:image/png;base64,AAAA)",
        "<https://example.com/'onmouseover='x>",
        '[x](https://example.com "\' onmouseover=alert(1)")',
        '![x" onerror="alert(1)](a.png)',
        "[x][1]\n\n[1]: javascript:alert(1)",
    ],
)
def test_nothing_that_acts_or_fetches_leaves(text: str) -> None:
    seen = Elements()
    seen.feed(markup.html_of(text, pictures={"a.png": "1@example.com"}))
    assert not {tag for tag, _ in seen.found} & {"script", "iframe", "object", "style"}
    for tag, attributes in seen.found:
        assert set(attributes) <= {"href", "src", "alt", "rel", "title"}
        assert attributes.get("href", "mailto:").startswith(("http://", "https://", "mailto:"))
        assert tag != "img" or attributes["src"] == "cid:1@example.com"


@every_row(
    ("text", "link", "rest"),
    [
        ("see https://example.com/a_b_c?d=e&f=g.", "https://example.com/a_b_c?d=e&f=g", "."),
        ("(https://example.com/x_(y))", "https://example.com/x_(y)", ")"),
        ("https://example.com/żółw, please", "https://example.com/żółw", ", please"),
        ("**https://example.com/**", "https://example.com/", ""),
        ("http://a.example!", "http://a.example", "!"),
    ],
)
def test_an_address_in_our_words_is_a_link(text: str, link: str, rest: str) -> None:
    rendered = markup.html_of(text)
    assert f">{html.escape(link)}</a>{rest}" in rendered.replace("</strong>", "")


@every_row(
    "text",
    [
        f"they wrote {markup.verbatim('https://evil.example/x')}",
        "`https://example.com`",
        "ftp://example.com",
        "xhttps://example.com",
    ],
)
def test_an_address_in_others_words_is_none(text: str) -> None:
    rendered = markup.html_of(markup.markdown_of(text))
    assert "<a" not in rendered
    assert "://" in html.unescape(rendered)


def test_an_address_inside_a_link_is_no_second_one() -> None:
    assert markup.html_of("[https://a.example](https://b.example)").count("<a ") == 1


def test_a_picture_that_comes_along_is_shown_by_its_name() -> None:
    rendered = markup.html_of("![Where](red%20button.png)", pictures={"red button.png": "1@example.com"})
    assert '<img src="cid:1@example.com" alt="Where">' in rendered


@every_row("text", ["    four spaces\n    more", "Ania\n---\nExample", "Total\n=====", "1 < 2 & 3 > 2"])
def test_what_happens_in_plain_texts_is_no_formatting(text: str) -> None:
    """Indents and lines of dashes are accidents in a mail: no code block and no heading."""
    assert not set(_TAG.findall(markup.html_of(text))) & {"pre", "code", "h1", "h2"}


_PROSE = st.text(
    st.sampled_from("ab1. )\n\n  #-+=>:'\"!(){}/@^%$;,?é—") | st.characters(codec="utf-8"), max_size=40
)


@pytest.mark.slow
@settings(max_examples=400, deadline=None)
@given(text=_PROSE)
@example(text="a  \nb \n \n\n c")
@example(text='it\'s "x"')
def test_the_quick_road_and_the_parser_say_the_same(text: str) -> None:
    """A text without formatting is rendered without the parser, to the same bytes."""
    parsed = markup._clean(markup._parser().render(text, {"pictures": {}}))
    assert not markup.is_plain(text) or markup._paragraphs(text) == parsed


_NASTY = st.lists(st.sampled_from([*"a1.)[](!<>&#;*_`~|\\-+=:> \n\t\"'/", "http://e.f"]), max_size=25).map(
    "".join
)


@pytest.mark.slow
@settings(max_examples=600, deadline=None)
@given(words=_NASTY.filter(str.strip), before=st.sampled_from(["", "1", "- ", "-", "# ", "*", "Dear ", "\n"]), after=st.sampled_from(["", " ok", "\n", "*", ")", "\n---", "."]))  # fmt: skip
@example(words="|", before="", after="\n---")
@example(words="1", before="", after=")")
@example(words="[x](http://evil.example)", before="Dear ", after="")
@example(words="<b>x</b>", before="Dear ", after="")
def test_others_words_bring_no_formatting(words: str, before: str, after: str) -> None:
    """Whatever a name says, the mail has no element that it would not have with an X in its place."""
    rendered = markup.html_of(markup.markdown_of(f"{before}{markup.verbatim(words)}{after}"))
    plain = markup.html_of(markup.markdown_of(f"{before}X{after}"))
    assert set(_TAG.findall(rendered)) <= set(_TAG.findall(plain)) | {"br", "p", "/p"}


@pytest.mark.slow
@settings(max_examples=300, deadline=None)
@given(words=_NASTY.filter(lambda text: "\n" not in text))
def test_others_words_are_shown_as_they_are(words: str) -> None:
    rendered = markup.html_of(markup.markdown_of(f"Dear {markup.verbatim(words)}x"))
    assert shown(rendered).split() == f"Dear {words}x".split()


@settings(max_examples=300, deadline=None)
@given(words=st.text(max_size=60))
def test_a_text_of_words_has_paragraphs_and_nothing_else(words: str) -> None:
    rendered = markup.html_of_words(words)
    assert set(_TAG.findall(rendered)) <= {"p", "/p", "br"}
    assert "&" not in re.sub(r"&(amp|lt|gt);", "", rendered)


def test_columns_of_blanks_stay() -> None:
    assert markup.html_of_words("Team    a\n  b") == "<p>Team\xa0\xa0\xa0\xa0a<br>\n\xa0\xa0b</p>\n"


def test_marks_never_show() -> None:
    """Neither in the text, nor when somebody's words hold a mark themselves, nor when a text was cut inside them."""
    name, cut = markup.verbatim("J\ufdd1\ufdd0*an*"), markup.verbatim("cut")[:-1]
    text = f"Dear {name}, {cut}"
    assert markup.plain(text) == "Dear J*an*, cut"
    assert markup.html_of(markup.markdown_of(text)) == "<p>Dear J*an*, cut</p>\n"


@pytest.mark.slow
@pytest.mark.timeout(10)
@pytest.mark.parametrize("text", ["[" * 20_000, "*a" * 10_000, "> " * 20_000, "`" * 30_000, "![](" * 5_000, "<" * 30_000, "https://a" * 3_000, "https://" + ")" * 20_000, "- " * 20_000, "|" * 20_000 + "\n|--" * 1_000])  # fmt: skip
def test_pathological_texts_come_to_an_end(text: str) -> None:
    """An agent's answer is written on the loop's thread: parsers that backtrack would hold everything up."""
    assert markup.html_of(text)
