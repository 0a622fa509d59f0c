"""Canned replies: which variant, whose, what they are filled in with, and what is wrong with a file."""

import os
from pathlib import Path
from typing import Any

import pytest

from intake import canned, tickets
from intake.canned import Canned, Filled
from intake.desk import DeskError
from tests.domain.world import World


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    found = tmp_path / "canned"
    found.mkdir()
    return found


def _write(folder: Path, **texts: str) -> Canned:
    for name, text in texts.items():
        (folder / f"{name.replace('__', '.')}.md").write_text(text)
    return canned.read(folder)


def _fill(world: World, texts: Canned, name: str, row: dict[str, Any]) -> Filled:
    def look(tx: Any) -> Filled:
        ticket = tickets.load(tx, row["id"])
        assert ticket is not None
        return canned.fill(tx, world.context, ticket, texts.named(name, language=ticket.language))

    return world.store.read_now(look)


def test_folder_that_is_not_there_has_no_texts(tmp_path: Path) -> None:
    """Nobody has to have any."""
    assert len(canned.read(tmp_path / "none")) == 0


@pytest.mark.parametrize(("language", "wanted"), [("pl", "pl"), ("pl-PL", "pl"), ("fr", "en"), (None, "en")])
def test_variant_is_the_customers_else_english(folder: Path, language: str | None, wanted: str) -> None:
    texts = _write(folder, hi__en="Hello", hi__pl="Cześć", hi__es="Hola")
    assert texts.named("hi", language=language).language == wanted


def test_text_in_one_language_is_used_for_all(folder: Path) -> None:
    assert _write(folder, hi__pl="Cześć").named("hi", language="en").language == "pl"


def test_name_that_is_nearly_right_is_suggested(folder: Path) -> None:
    with pytest.raises(DeskError, match="did you mean 'hello'"):
        _write(folder, hello__en="Hello").named("helo", language="en")


def test_head_names_title_team_and_shortcut(folder: Path) -> None:
    """Lines on top are no part of the text; without them the name is the title."""
    texts = _write(
        folder,
        a_b__en="Title: Once more\nTeam: support, billing\nShortcut: om\n\nText\n",
        c__en="Title later\nText",
    )
    named, bare = texts.named("a_b", language=None), texts.named("c", language=None)
    assert (named.title, named.teams, named.shortcut, named.source) == (
        "Once more",
        ("support", "billing"),
        "om",
        "Text\n",
    )
    assert (bare.title, bare.source) == ("c", "Title later\nText")


def test_text_of_a_team_is_not_offered_to_others(folder: Path) -> None:
    texts = _write(folder, ours__en="Team: support\n\nText", all__en="Text")
    assert [each.name for each in texts.fitting(language="en", teams=frozenset({"billing"}))] == ["all"]
    assert [each.name for each in texts.fitting(language="en", teams=frozenset({"support"}))] == [
        "all",
        "ours",
    ]


def test_customers_words_stay_words(world: World, folder: Path) -> None:
    """A name that is Markdown is none in the answer."""
    ticket = world.ticket(world.receive("**Jan** <jan@customer.example>"))
    filled = _fill(world, _write(folder, hi__en="Dear {{ customer.name }},"), "hi", ticket)
    assert filled.text == r"Dear \*\*Jan\*\*,"


def test_empty_variable_leaves_a_gap_that_conditions_see(world: World, folder: Path) -> None:
    """Where it is written, it is marked; where it is asked for, it is not there."""
    ticket = world.ticket(world.receive())
    texts = _write(
        folder,
        hi__en="{% if customer.organization %}From{% else %}To{% endif %} {{ customer.organization }} {{ ticket.ref }}",
    )
    filled = _fill(world, texts, "hi", ticket)
    assert filled.gaps == ("customer.organization",)
    assert canned.gaps(filled.text) == ("customer.organization",)
    assert filled.text.startswith("To ")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Dear [[customer.name]],", ("customer.name",)),
        (r"Dear \[\[customer.name\]\],", ("customer.name",)),
        ("[[customer.name]] [[ticket.ref]] [[customer.name]]", ("customer.name", "ticket.ref")),
        ("See [[wiki]] and a[[0]]", ()),
    ],
)
def test_gaps_are_our_variables_alone(text: str, found: tuple[str, ...]) -> None:
    """What agents write in brackets of their own is sent."""
    assert canned.gaps(text) == found


@pytest.mark.parametrize(
    ("name", "text", "line", "problem"),
    [
        ("Hi.en", "Hello", 1, "it is called like"),
        ("hi", "Hello", 1, "it is called like"),
        ("hi.en", "Title: x\n\nDear {{ customer.nam }}", 3, "did you mean 'customer.name'"),
        ("hi.en", "{% for x in range(9) %}a{% endfor %}", 1, "a loop goes over"),
        ("hi.en", "Title: x\n", 2, "says nothing"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(
    folder: Path, name: str, text: str, line: int, problem: str
) -> None:
    """With its line; the others are there."""
    (folder / f"{name}.md").write_text(text)
    texts = _write(folder, good__en="Hello")
    (fault,) = texts.faults
    assert (fault.line, problem in fault.message, len(texts)) == (line, True, 1)


def test_file_that_is_no_text_is_left_out(folder: Path) -> None:
    (folder / "hi.en.md").write_bytes(b"\xff\xfe\x00")
    assert [each.message for each in canned.read(folder).faults] == ["it cannot be read as UTF-8 text"]


def test_folder_is_read_again_when_a_file_changes(folder: Path) -> None:
    """And only then."""
    watched = canned.Folder(folder)
    _write(folder, hi__en="One")
    first = watched.now
    assert watched.now is first
    (folder / "hi.en.md").write_text("Two")
    os.utime(folder / "hi.en.md", ns=(1, 1))
    assert watched.now.named("hi", language=None).source == "Two"
