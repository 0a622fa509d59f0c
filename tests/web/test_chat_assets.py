"""What a visitor's browser loads: how many bytes, by what address, in which languages, and what is not in it."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import Any

import pytest
import rjsmin
from aiohttp import ClientSession

from channels.webchat import assets
from channels.webchat.assets import Assets
from tests.web import chat_desk

# gzip -9. What is added has to be worth it: these are raised only for something that a visitor notices.
LAUNCHER_MAX_BYTES = 4_096
PANEL_MAX_BYTES = 18_750
WORDS_MAX_BYTES = 2_300
SELDOM_MAX_BYTES = 1_200
ALL_MAX_BYTES = 25_600
FILE_MAX_LINES = 300
LANGUAGES = ("de", "el", "en", "es", "fr", "pl", "pt")
# For whole numbers, as CLDR 47 has them (unicode.org/cldr/charts/47/supplemental/language_plural_rules.html).
PLURALS = {
    "de": {"one", "other"},
    "el": {"one", "other"},
    "en": {"one", "other"},
    "es": {"one", "many", "other"},
    "fr": {"one", "many", "other"},
    "pl": {"one", "few", "many", "other"},
    "pt": {"one", "many", "other"},
}
FORBIDDEN = ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", 'setAttribute("style"',
    "document.cookie", "pushState", "window.onmessage", "https://cdn", "@import", "url(")  # fmt: skip
_PHYSICAL = re.compile(
    r"(?:margin|padding|border|inset)-(?:left|right)|(?<![\w-])(?:left|right)\s*:|text-align:\s*(?:left|right)|float:"
)


@pytest.fixture(scope="module")
def made() -> Assets:
    return Assets()


def test_the_launcher_is_within_its_bytes(made: Assets) -> None:
    """The launcher, which every page view loads, is 4 KB packed at most."""
    assert len(made.launcher.packed) <= LAUNCHER_MAX_BYTES


@pytest.mark.parametrize("name", ["panel.js", *(f"strings.{each}.js" for each in LANGUAGES)])
def test_each_module_is_within_its_bytes(made: Assets, name: str) -> None:
    """Panel and words stay within their own gates."""
    most = PANEL_MAX_BYTES if name == "panel.js" else WORDS_MAX_BYTES
    assert len(made.modules[name].packed) <= most


@pytest.mark.parametrize("name", assets.SELDOM)
def test_what_few_pages_load_is_within_its_bytes_too(made: Assets, name: str) -> None:
    """Each is asked for when it is needed, and is small then as well."""
    assert len(made.modules[name].packed) <= SELDOM_MAX_BYTES


def test_all_that_a_visitor_loads_is_within_its_bytes(made: Assets) -> None:
    """Launcher, panel and the longest words are 25 KB packed at most."""
    words = max(len(each.packed) for name, each in made.modules.items() if name.startswith("strings."))
    assert len(made.launcher.packed) + len(made.modules["panel.js"].packed) + words <= ALL_MAX_BYTES


def test_nothing_else_is_served(made: Assets) -> None:
    """Every module that is sent has a gate of its own here."""
    assert set(made.modules) == {"panel.js", *assets.SELDOM, *(f"strings.{each}.js" for each in LANGUAGES)}


def test_every_language_says_everything() -> None:
    """No language lacks a text that another has, nor has one that the others lack."""
    keys = {each: set(_words(each)) for each in LANGUAGES}
    assert all(keys[each] == keys["en"] for each in LANGUAGES), {k: keys["en"] ^ v for k, v in keys.items()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_plural_is_complete(language: str) -> None:
    """A text that counts has each form that the language counts with."""
    counted = {key: forms for key, forms in _words(language).items() if isinstance(forms, dict)}
    assert set(counted) == {key for key, forms in _words("en").items() if isinstance(forms, dict)}
    assert {key: set(forms) for key, forms in counted.items()} == dict.fromkeys(counted, PLURALS[language])


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_place_is_filled_in_every_language(language: str) -> None:
    """A translation names what the English text names, and nothing else."""
    for key, text in _words(language).items():
        assert _places(text) <= _places(_words("en")[key]), key
        assert _places(text) >= _places(_words("en")[key]) - {"count"}, key


def test_every_text_that_is_asked_for_is_there() -> None:
    """What the panel says by name is among the words, and every word is said somewhere."""
    code = "".join(text for name, text in assets._sources().items() if not name.startswith("strings."))
    asked = set(re.findall(r'say\("(\w+)"', code))
    assert asked <= set(_words("en"))
    named = set(re.findall(r'"(\w+)"', code))
    dynamic = {each for each in _words("en") if each.startswith(("why_", "ended"))} | {"offline", "refused"}
    assert set(_words("en")) - named - dynamic == set()


def test_words_do_not_shout_and_name_no_markup() -> None:
    """Texts are plain: no exclamation mark, no tag."""
    for language in LANGUAGES:
        for text in _texts(language):
            assert not set(text) & set("!<>¡"), text


@pytest.mark.parametrize("what", FORBIDDEN)
def test_sources_hold_nothing_that_a_strict_policy_forbids(what: str) -> None:
    """No markup from text, no code from text, no style attribute, no cookie, nothing of the page's own is replaced."""
    assert [name for name, text in assets._sources().items() if what in rjsmin.jsmin(text)] == []


@pytest.mark.parametrize("name", ["launcher.js", "style.js"])
def test_directions_are_logical(name: str) -> None:
    """Styles know start and end, never left and right, so that a page from right to left is a mirror."""
    (css,) = re.findall(r"= `(.*?)`;", assets._sources()[name], re.DOTALL)
    assert _PHYSICAL.findall(css) == []


def test_modules_share_one_scope() -> None:
    """No two modules of the panel have a name alike at their top, so that they can be sent as one."""
    text = assets.joined(assets._sources(), "panel.js")
    names = re.findall(r"^(?:export )?(?:async )?(?:const|let|class|function) (\w+)", text, re.MULTILINE)
    top = re.findall(
        r"^(?:export )?(?:async )?(?:class|function) (\w+)|^const ([A-Z_]+) ", text, re.MULTILINE
    )
    flat = [one or other for one, other in top]
    assert len(flat) == len(set(flat))
    assert set(flat) <= set(names)
    assert "import {" not in text


def test_joining_puts_what_is_needed_first() -> None:
    """A module stands after what it imports, once, and exports only what the entry exports."""
    sources = {
        "a.js": 'import { b } from "./b.js";\nimport { c } from "./c.js";\nexport function a() { return b + c; }\n',
        "b.js": 'import { c } from "./c.js";\nexport const b = c;\n',
        "c.js": "export const c = 1;\n",
    }
    expected = "const c = 1;\nconst b = c;\nexport function a() { return b + c; }\n"
    assert assets.joined(sources, "a.js") == expected


def test_a_style_sheet_is_sent_without_blanks() -> None:
    """What is quoted stays as it is."""
    source = "const css = `\n:host {\n  color: red;\n}\n`;\nconst a = `b: ${c} ; { d }`;\n"
    assert (
        assets._with_brief_styles(source)
        == "const css = `\n:host{color:red}`;\nconst a = `b: ${c} ; { d }`;\n"
    )


@pytest.mark.parametrize(
    "name", [*(each.name for each in (resources.files("channels.webchat") / "widget").iterdir())]
)
def test_files_stay_readable(name: str) -> None:
    """No file of the widget is longer than the house allows."""
    assert assets._sources()[name].count("\n") <= FILE_MAX_LINES


async def test_addresses_change_with_the_content(made: Assets) -> None:
    """A module is kept for ever under its version; under another one it is sent, and not kept."""
    async with chat_desk.serve(chat_desk.Desk()) as origin, ClientSession() as browser:
        own = await browser.get(f"{origin}/chat/assets/{made.version}/panel.js")
        other = await browser.get(f"{origin}/chat/assets/{'0' * 16}/panel.js")
        assert own.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert other.headers["Cache-Control"] == "no-cache"
        assert await own.read() == await other.read() == made.modules["panel.js"].content
        assert made.version in made.launcher.content.decode()


async def test_a_launcher_that_is_known_is_not_sent_again(made: Assets) -> None:
    """Whoever has the launcher gets 304 and no bytes."""
    async with chat_desk.serve(chat_desk.Desk()) as origin, ClientSession() as browser:
        answer = await browser.get(f"{origin}/chat/widget.js", headers={"If-None-Match": made.launcher.tag})
        assert (answer.status, await answer.read()) == (304, b"")


async def test_no_other_file_of_the_folder_is_served() -> None:
    """A name that is no module is not found, whatever it looks like."""
    async with chat_desk.serve(chat_desk.Desk()) as origin, ClientSession() as browser:
        for name in ("lines.js", "launcher.js", "..", "%2e%2e%2fassets.py", "strings.xx.js"):
            answer = await browser.get(f"{origin}/chat/assets/{'0' * 16}/{name}")
            assert answer.status == 404, name


@cache
def _words(language: str) -> dict[str, Any]:
    """Read a file of words: each line is a key and a JavaScript literal that is Python's too, but for the bare keys."""
    text = assets._sources()[f"strings.{language}.js"]
    rows = (line.strip().rstrip(",").partition(": ") for line in text.splitlines() if line.startswith("  "))
    return {
        key: ast.literal_eval(re.sub(r"(?<=[{ ])(one|few|many|other): ", r'"\1": ', value))
        for key, _, value in rows
    }


def _texts(language: str) -> Iterator[str]:
    for text in _words(language).values():
        yield from text.values() if isinstance(text, dict) else (text,)


def _places(text: Any) -> set[str]:
    whole = "".join(text.values()) if isinstance(text, dict) else text
    return set(re.findall(r"\{(\w+)\}", whole))


def test_private_names_are_short_and_texts_stay() -> None:
    """What no page can see is named by a letter or two; colours, and what stands in a text, are as written."""
    source = {"a.js": 'class A { #chat = 1; say() { return this.#chat + "#chat=" + "#fade" + this?.#say; } }'}
    assert assets.brief(source) == {
        "a.js": 'class A { #g = 1; say() { return this.#g + "#chat=" + "#fade" + this?.#h; } }'
    }
