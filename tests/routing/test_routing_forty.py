"""The forty rules that a desk writes: each is three lines at most and tested, and its test notices when it is gone."""

import re
from functools import cache
from pathlib import Path

import msgspec
import pytest

from intake import rule_files
from routing import cases, rulebook
from routing.rulebook import Rulebook
from tests.rows import every_row

FOLDER = Path(__file__).parents[2] / "config" / "examples" / "forty"
LONGEST = 3
HARMLESS = "{tags: [harmless]}"


class Said(msgspec.Struct, frozen=True):
    """One of the forty. places: how the first line of each of its entries begins; gone: what is written instead.

    gone: None = another `then`; else (what stands in the entry, what stands there instead).
    """

    words: str
    places: tuple[str, ...]
    gone: tuple[str, str] | None = None


FORTY = (
    Said("by recipient", ("- id: applicants",)),
    Said("VIP by list or organization", ("- id: vip\n",)),
    Said("VIP and down is urgent", ("- id: vip-down",)),
    Said("by language, relaxed after a while", ("- id: in-their-language",)),
    Said("an outage wakes who is on call", ("- id: outage",)),
    Said("everybody who asks about the open incident is told", ("- id: known-incident",)),
    Said("closed: say when we answer, once in twelve hours", ("- id: closed",)),
    Said("another text over Christmas", ("- id: over-christmas",)),
    Said("a receipt for mail and form only", ("default:",),
         ("reply: {email: received, form: received}", "reply: {sms: received}")),
    Said("robots get none", ("- id: robots",)),
    Said("newsletters are ignored and kept", ("- id: newsletters",)),
    Said("the spam score", ("- id: spam-score",)),
    Said("never again from this sender", ("- id: never-again",)),
    Said("alerts of one host are one ticket", ("- {id: one-host",), ("within: 24h", "within: 1m")),
    Said("OK closes it", ("- {id: host-is-fine",)),
    Said("the order number into a field", ("order: {type: text",), ("order[", "harmless[")),
    Said("the form's topic to a team", ("- id: form-topic",)),
    Said("the phone menu's choice to a team", ("- id: phone-menu",)),
    Said("who hangs up is called back", ("- id: hung-up",)),
    Said("a voicemail's transcript routes again", ("- {id: voicemail",)),
    Said("hi, and then refund", ("- id: refund",)),
    Said("a text within three days joins", ("sms: {join",), ("join: open, ", "")),
    Said("invoices as PDF are to be paid", ("- id: invoices",)),
    Said("both words", ("- id: cancels-a-contract",)),
    Said("a ticket that one of us opened gets no receipt", ("- id: written-by-us",)),
    Said("the third ticket in a week is the lead's", ("- id: third-in-a-week",)),
    Said("a silent customer is reminded, it is solved, it is closed",
         ("- {id: remind", "- {id: solve", "- {id: shut")),
    Said("a reply after closing is a linked new ticket", ("email: {reopen_within",),
         ("then: follow_up", "then: new")),
    Said("thanks do not reopen", ("- {id: thanks",)),
    Said("the customer replies while the assignee is away", ("- {id: assignee-away",)),
    Said("nobody took it for a quarter of an hour", ("- {id: nobody-took-it",)),
    Said("assigned but untouched: the next one", ("- {id: untouched",)),
    Said("the assignee hears at 80 %", ("- {at: first_response 80%",), ("notify: assignee", "tags: harmless")),
    Said("the lead hears at the breach", ("- {at: first_response breach, level: lead, notify: lead}\n    - {at: res",),
         ("level: lead, notify: lead", "tags: harmless")),
    Said("targets by priority", ("first_response: {urgent: 30m",),
         ("{urgent: 30m, high: 2h, normal: 4h, low: 8h}", "4h")),
    Said("a supplier stops the resolution, with a word a week", ("supplier: {calendar",),
         ("update: 5 working days, pause: [on_hold]", "update: 9 working days")),
    Said("waiting for a supplier has targets of its own", ("- {id: supplier",)),
    Said("I call you on Thursday at 15:00", ("- {at: promise breach",), ("notify: lead", "tags: harmless")),
    Said("the weekend's rota", ("- {days: sat-sun",), ("agents: [rui, tomek]", "agents: [nikos]")),
    Said("hand-over at 17:00", ("- {id: evening",)),
    Said("unacknowledged for ten minutes: the second one", ("- {at: unacknowledged",),
         ("notify: lead, by: urgent", "tags: harmless")),
    Said("a low score to the lead", ("- {id: low-score",)),
    Said("at night to who is on call, by day to l2", ("- id: stolen-at-night", "- id: stolen-by-day")),
    Said("opted out: no reply", ("- id: opted-out",)),
)  # fmt: skip
PLACES = [(said, place) for said in FORTY for place in said.places]


@cache
def sources() -> rule_files.Sources:
    return rule_files.read(FOLDER / "rules", FOLDER / "replies")


def text() -> str:
    return sources().files["rules.yaml"]


@cache
def book() -> Rulebook:
    return rulebook.load(sources().files, lists=sources().lists, replies=sources().replies.keys())


def entry(place: str) -> str:
    """The lines of an entry: its first, and what stands deeper below it."""
    assert text().count(f" {place}") + text().count(f"\n{place}") == 1, place
    start = text().rindex("\n", 0, text().index(place)) + 1
    first, *rest = text()[start:].splitlines()
    depth = len(first) - len(first.lstrip())
    below = []
    for line in rest:
        if len(line) - len(line.lstrip()) <= depth or line.lstrip().startswith("#"):
            break
        below.append(line)
    return "\n".join([first, *below])


def without(said: Said, place: str) -> str:
    """The rules with an entry that does something harmless instead."""
    written = entry(place)
    if said.gone is not None:
        old, new = said.gone
        assert written.count(old) == 1
        changed = written.replace(old, new)
    elif written.lstrip().startswith("- {"):
        changed = re.sub(r"then: \{.*\}\}$", f"then: {HARMLESS}}}", written)
    else:
        changed = re.sub(r"then: .*", f"then: {HARMLESS}", written)
    assert changed != written
    return text().replace(written, changed)


def test_there_are_forty() -> None:
    assert len(FORTY) >= 40
    assert len({said.words for said in FORTY}) == len(FORTY)


def test_all_of_them_pass_their_tests() -> None:
    assert cases.run(book()) == ()
    assert book().warnings == ()


def test_every_rule_is_one_of_the_forty_and_touched_by_a_test() -> None:
    ids = {rule.id for rule in book().rules} | {each.rule.id for each in book().react}
    assert ids - cases.touched(book()) == set()
    listed = " ".join(f"{place}\n" for _, place in PLACES)
    assert [each for each in ids if not re.search(rf"id: {each}\b", listed)] == []


@every_row("place", [place for _, place in PLACES], ids=str.strip)
def test_none_is_longer_than_three_lines(place: str) -> None:
    assert len(entry(place).splitlines()) <= LONGEST


@pytest.mark.slow
@pytest.mark.parametrize(
    ("said", "place"), PLACES, ids=[f"{each.words}: {place.strip()}" for each, place in PLACES]
)
def test_a_test_notices_when_one_of_them_does_something_else(said: Said, place: str) -> None:
    mutant = rulebook.load(
        {**sources().files, "rules.yaml": without(said, place)},
        lists=sources().lists,
        replies=sources().replies.keys(),
    )
    assert any(cases.run_case(mutant, case) for case in mutant.tests)
