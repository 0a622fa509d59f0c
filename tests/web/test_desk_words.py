"""What colleagues write is shown as it was meant, and nothing that they or anybody write is more than that."""

import re
import time
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest

from channels import markup, markup_pages, unmarked
from intake import desk
from tests.conftest import ManualClock
from tests.rows import every_row
from tests.web.acting_site import RULES, page, post, receive, rows
from tests.web.site import Site, open_site
from tests.web.xss_payloads import payloads

LINK = 'target="_blank" rel="noopener noreferrer nofollow ugc"'
ALLOWED = {
    *("p", "br", "hr", "blockquote", "ul", "ol", "li", "pre", "code", "strong", "em", "s", "a"),
    *("table", "thead", "tbody", "tr", "th", "td"),
}


@pytest.fixture
async def site(tmp_path: Path, clock: ManualClock, new_store: bytes) -> AsyncIterator[Site]:
    async with open_site(tmp_path, clock, rules=RULES, new_store=new_store) as opened:
        opened.add("ania")
        yield opened


@every_row(
    ("written", "shown"),
    [
        ("**now**, ~~then~~", "<p><strong>now</strong>, <s>then</s></p>"),
        ("one\ntwo", "<p>one<br>\ntwo</p>"),
        ("# Big", '<p class="heading">Big</p>'),
        (
            "[the bill](https://a.example/7)",
            f'<p><a href="https://a.example/7" {LINK}>the bill</a> (https://a.example/7)</p>',
        ),
        (
            "[https://bank.example](https://a.example)",
            f'<p><a href="https://a.example" {LINK}>https://bank.example</a> (https://a.example)</p>',
        ),
        ("see https://a.example/x.", f'<p>see <a href="https://a.example/x" {LINK}>https://a.example/x</a>.</p>'),
        ("[](https://a.example)", f'<p><a href="https://a.example" {LINK}>https://a.example</a></p>'),
        ("![map](https://a.example/m.png)", f'<p><a href="https://a.example/m.png" {LINK}>map</a> (https://a.example/m.png)</p>'),
        ("![map](map.png)", "<p>map (map.png)</p>"),
        ("[write](mailto:a@b.example)", "<p>write (a@b.example)</p>"),
        ("[out](sign-out)", "<p>out (sign-out)</p>"),
        ("<b>bold</b>", "<p>&lt;b&gt;bold&lt;/b&gt;</p>"),
    ],
)  # fmt: skip
def test_markdown_is_shown_as_it_is_meant(written: str, shown: str) -> None:
    """A link says where it leads, a picture asks nobody, and headings leave the page its own."""
    assert markup_pages.shown(written).strip() == shown


class _Elements(HTMLParser):
    """Names what stands in a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


@pytest.mark.slow
@pytest.mark.parametrize(
    "around", ["{}", "[a]({})", "![{}](x)", "> {}", "[x][1]\n\n[1]: {}", "|a|\n|-|\n|{}|"]
)
def test_no_text_becomes_more_than_what_markdown_has(around: str) -> None:
    """Whatever stands in it: known elements, links to the web, and no word for a browser to act on."""
    for each in payloads(500):
        read = _Elements()
        read.feed(markup_pages.shown(around.format(each)))
        for tag, attributes in read.found:
            assert tag in ALLOWED, (each, tag)
            assert set(attributes) <= {"href", "target", "rel", "start", "class"}, (each, attributes)
            assert re.match(r"(?i)https?://", attributes.get("href") or "https://"), each
            assert tag != "a" or attributes["rel"] == "noopener noreferrer nofollow ugc", each


async def test_answers_and_notes_are_shown_as_meant_and_customers_words_as_text(site: Site) -> None:
    """The same characters are bold of a colleague and asterisks of a customer."""
    ticket = receive(site, body="Is it **free**? <i>Now</i>")
    ania, path = site.signed_in("ania"), f"/tickets/{ticket['ref']}"
    _, told = await post(ania, f"{path}/note", text="It is **not** free")
    assert told["ref"] == ticket["ref"]
    _, shown = await page(ania, path)
    assert "It is <strong>not</strong> free" in shown
    assert "Is it **free**? &lt;i&gt;Now&lt;/i&gt;" in shown
    status, _ = await post(ania, f"{path}/reply", text="- one\n- two", seen=_seen(shown))
    assert status == 200
    assert "<li>one</li>" in (await page(ania, path))[1]


@pytest.mark.slow
async def test_others_words_within_an_answer_stay_words(site: Site) -> None:
    """What is quoted to a customer, or a template of WhatsApp's, is no Markdown for having been sent."""
    ticket = receive(site)
    words = f"**Ours**: {markup.verbatim('Your **lamp** [is](https://a.example) #1')}"
    site.store.write_now(lambda tx: desk.reply(tx, site.context, ticket["ref"], agent="ania", text=words))
    _, shown = await page(site.browser(site.session("ania")), f"/tickets/{ticket['ref']}")
    assert "<strong>Ours</strong>: Your **lamp** [is](https://a.example) #1" in shown
    [(body, said)] = [
        (row["body"], row["visible_text"]) for row in rows(site, "messages", "direction = 'out'")
    ]
    assert said == "**Ours**: Your **lamp** [is](https://a.example) #1"
    assert body.startswith("**Ours**: Your \\*\\*lamp")


def _seen(shown: str) -> str:
    found = re.search(r'name="seen" value="([^"]*)"', shown)
    assert found is not None
    return found[1]


@pytest.mark.slow
@pytest.mark.parametrize("mark", ["[", "![a](", "_a", "<", "*"])
def test_no_text_keeps_the_desk_waiting(mark: str) -> None:
    """A pasted text of nothing but marks took the parser up to 13 s, at each look at its ticket, while all others waited."""
    text = mark * (190_000 // len(mark))
    paragraphs = "\n\n".join([(mark * 2_000)[:1_900]] * 10)
    began = time.process_time()
    for each in (text, paragraphs):
        assert markup_pages.shown(each).startswith("<")
        assert unmarked.words(each)
    assert time.process_time() - began < 2
