"""What is told from the source of an HTML mail overlooks nothing that stands in its tree."""

import random
from collections.abc import Iterable

import pytest
from selectolax.lexbor import LexborHTMLParser

from channels.email import html_text
from channels.email.html_source import Source
from tests.rows import every_row

_ASKED = (
    "br",
    "pre",
    "li",
    "td",
    "th",
    "img",
    "blockquote",
    "a",
    *html_text._LINES,
    *html_text._PARAGRAPHS,
    *html_text._INVISIBLE,
)
_PIECES = (
    "<", ">", "</", "/>", "<p>", "</p>", "</br>", "<BR/>", "<td>", "<tr", "<table>", "<image src=x alt=y>", "<IMG\nalt=a>", "<h1>", "</h2>", "<svg><td>",
    "</svg>", "<select><option>a", "<li\x00>", "<\x00li>", "<!-- <ul> -->", "<!--", "-->", "<![CDATA[", "<script>", "</script>", "<title><hr>", "<template><dl>",
    "<noscript><main>", "<frameset>", "<form/><form>", "<col>", "<caption>", "<a href=x>", "</a>", "<math><mtext><dd>", "<plaintext>", "text", "é", "&lt;div&gt;",
    "<DIV class='a'>", "<blockQuote", " ", "<textarea><div>", "<button>", "<isindex>", "<listing>", "<nobr>", "<rt>", "<head>", "<style>", "</style>",
)  # fmt: skip


@pytest.mark.slow
def test_every_element_of_the_tree_has_its_tag_in_the_source() -> None:
    chance = random.Random(20261122)
    for _ in range(1_500):
        html = "".join(chance.choices(_PIECES, k=chance.randint(1, 14)))
        source, document = Source(html), LexborHTMLParser(html)
        overlooked = [tag for tag in _ASKED if not source.has(tag) and document.css_first(tag) is not None]
        assert not overlooked, html


@every_row(
    "hiding",
    ['style="display:none"', "style='DISPLAY :\u00a0None'", 'style="max-height:\n0"', "hidden", "hidden=''", 'style="mso-hide:all"', 'style="Visibility: hidden"',
     'style="font-size:\u20030px"'],
)  # fmt: skip
def test_what_hides_is_seen_in_the_source_in_any_writing(hiding: str) -> None:
    assert Source(f"<p>a</p><div {hiding}>b</div>").may_hide()


def test_a_plain_page_is_not_looked_through_for_what_it_cannot_have() -> None:
    source = Source('<p style="font-size:10pt;display:block">hidden</p>')
    assert not source.has_hints
    assert not source.may_hide()


def test_a_mark_of_a_mail_program_is_a_hint() -> None:
    source = Source('<div class="moz-cite-prefix">On Monday</div>')
    assert source.has_hints
    assert not source.may_hide()


class _Everything(Source):
    """A source that may have any element, so that no search is left out."""

    def has(self, tag: str) -> bool:
        return True

    def present(self, tags: Iterable[str]) -> list[str]:
        return list(tags)


@pytest.mark.slow
def test_what_is_not_looked_for_changes_no_text() -> None:
    chance = random.Random(8)
    rows = (
        "<table>",
        "<tr>",
        "</tr>",
        "<td>",
        "</td>",
        "&nbsp;",
        "<tr><td>&nbsp;</td></tr>",
        "</table>",
        "<br>",
        "a",
        "<div>",
        "</div>",
        "<ul><li>",
        "\n",
    )
    for _ in range(1_500):
        html = "".join(chance.choices((*rows, *rows, *_PIECES), k=chance.randint(1, 25)))
        texts = [html_text._text(LexborHTMLParser(html), html, kind(html)) for kind in (Source, _Everything)]
        assert texts[0] == texts[1], html
