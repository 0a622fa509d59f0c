"""HTML as the text a person would read."""

from channels.email import html_text
from tests.rows import every_row


def read(html: str) -> str:
    return html_text.text_from_html(html, costly=True)


@every_row(
    ("html", "text"),
    [
        ("<ul><li>one</li><li>two<ul><li>inner</li></ul></li></ul>", "- one\n- two\n\n- inner"),
        ("<ol><li>a<li><p>b</p></ol><ol start=7><li>g</ol><ol start=x><li>h</ol>", "1. a\n2. b\n\n7. g\n\n1. h"),
        ("<ul><li></li><li><b>x</b></li></ul>", "- x"),
        ("<p>All <img src='cid:1' alt='😀'> good<img src='cid:2' alt='our logo'></p>", "All 😀 good"),
        ("<img src='cid:1' alt='Sale: 50 %'><img src='cid:2' alt=''>", "Sale: 50 %"),
        ("<p>foo<wbr>bar b\u00adaz \u200bx\ufeff</p>", "foobar baz x"),
        ("<details><summary>More</summary>text</details><figure>f<figcaption>c</figcaption></figure>", "More\ntext\nf\nc"),
        ("he<b>ll</b>o <i>w</i>orld", "hello world"),
        ("<p>می\u200cخواهم 👩\u200d🚒</p>", "می\u200cخواهم 👩\u200d🚒"),
    ],
    ids=["lists", "numbers", "empty item", "emoji", "only pictures", "invisible characters", "blocks", "inline", "joiners"],
)  # fmt: skip
def test_structure_is_kept(html: str, text: str) -> None:
    assert read(html) == text


@every_row(
    "style",
    ["display:none", "DISPLAY : NONE", "color:red;display: none !important", "visibility:hidden", "mso-hide:all", "font-size:0", "font-size: 0px;line-height:1px",
     "max-height:0px;overflow:hidden", "max-height:0"],
)  # fmt: skip
def test_what_no_reader_shows_is_left_out(style: str) -> None:
    assert read(f'<div style="{style}">preheader <b style="{style}">twice</b></div><p>hello</p>') == "hello"


@every_row(
    "style",
    [
        "font-size:0.9em",
        "font-size:0.5rem",
        "max-height:0.5em",
        "border-display:none",
        "overflow:hidden",
        "display:block",
    ],
)
def test_what_is_only_small_is_kept(style: str) -> None:
    assert (
        read(f'<div style="{style}">small</div><i style="display:none">x</i><p>hello</p>') == "small\n\nhello"
    )


def test_the_attribute_hidden_hides() -> None:
    assert read("<div hidden>a</div><p>hello</p>") == "hello"


def test_a_mail_that_hides_all_of_itself_is_shown() -> None:
    assert read("<div style='display:none'>hello</div>") == "hello"
