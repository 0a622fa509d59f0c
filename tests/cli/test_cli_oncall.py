"""`intake oncall`: who has it now and next, and what the desk changes, as a person and as a program see it."""

import re
from pathlib import Path
from typing import Any

import icalendar  # type: ignore[import-untyped]
import pytest

from intake import cli
from routing import cases, lint, rulebook

RULES = """version: 1
calendars:
  always: {timezone: UTC, open: {mon-sun: "00:00-24:00"}}
agents:
  ania: {email: ania@desk.example, phone: "+48600000001", urgent: [call, email]}
  ewa: {email: ewa@desk.example}
  tomek: {email: tomek@desk.example}
schedules:
  nights:
    timezone: Europe/Warsaw
    layers: [{rotate: weekly, from: 2026-01-05, handover: "mon 09:00", agents: [ania, ewa]}]
  weekend:
    timezone: Europe/Lisbon
    layers: [{days: sat-sun, rotate: weekly, from: 2026-01-10, handover: "sat 09:00", agents: [tomek]}]
teams:
  ops: {levels: {front: [ania], oncall: {schedule: nights}, lead: [tomek]}}
default: {team: ops}
"""


@pytest.fixture
def rota(desk: Path) -> Path:
    (desk / "config" / "rules.yaml").write_text(RULES, encoding="utf-8")
    for template in (desk / "config" / "replies").glob("*.md"):
        template.unlink()  # they are compiled at each command, and say nothing here
    return desk


AT = ("--at", "2026-11-12T12:00+01:00")


def test_each_schedule_is_one_object(rota: Path, intake: Any) -> None:
    nights, weekend = intake("oncall", *AT, "--json").objects
    assert nights == {
        "schedule": "nights",
        "timezone": "Europe/Warsaw",
        "now": {
            "agent": "ania",
            "since": "2026-11-09T09:00:00+01:00",
            "until": "2026-11-16T09:00:00+01:00",
            "why": "layer",
            "instead_of": None,
            "email": True,
            "phone": True,
            "away": False,
        },
        "next": {
            "agent": "ewa",
            "since": "2026-11-16T09:00:00+01:00",
            "until": "2026-11-23T09:00:00+01:00",
            "why": "layer",
            "instead_of": None,
            "email": True,
            "phone": False,
            "away": False,
        },
        "gap": None,
    }
    assert (weekend["now"]["agent"], weekend["next"]["agent"]) == (None, "tomek")
    assert weekend["gap"]["until"] == "2026-11-14T09:00:00+00:00"


def test_people_see_now_next_the_gap_and_the_days(rota: Path, intake: Any) -> None:
    shown = intake("oncall", *AT).out
    assert (
        "now   ania          since Mon 2026-11-09 09:00, until Mon 2026-11-16 09:00  [email, phone]" in shown
    )
    assert "next  ewa           from Mon 2026-11-16 09:00" in shown
    assert "[email, no phone]" in shown
    assert "gap   nobody is on call from Thu 2026-11-12 11:00 until Sat 2026-11-14 09:00" in shown
    (strip,) = re.findall(r"ania +([█·]+)", shown)
    assert strip == "█" * (4 * 12 + 4) + "·" * (7 * 12 - 52)


def test_a_month_is_drawn_in_as_many_columns(rota: Path, intake: Any) -> None:
    shown = intake("oncall", *AT, "--days", "28").out
    (strip,) = re.findall(r"ania +([█·]+)", shown)
    assert len(strip) == 84


def test_taken_hours_are_shown_at_once(rota: Path, intake: Any) -> None:
    (done,) = intake("oncall", "take", "nights", "--as", "tomek", "--for", "4h", "--json").objects
    assert (done["agent"], done["kind"]) == ("tomek", "taken")
    now = intake("oncall", "--json").objects[0]["now"]
    assert (now["agent"], now["why"], now["until"]) == ("tomek", "taken", done["until"])
    assert now["instead_of"] == done["instead_of"] in ("ania", "ewa")


def test_of_two_who_take_the_same_hours_the_second_reads_whose_they_are(rota: Path, intake: Any) -> None:
    assert intake("oncall", "take", "nights", "--as", "tomek").code == 0
    holder = intake("oncall", "--json").objects[0]["now"]["instead_of"]
    other = "ewa" if holder == "ania" else "ania"
    done = intake("oncall", "take", "nights", "--as", other)
    assert (done.code, done.err.count("\n")) == (cli.WRONG_INPUT, 1)
    assert "tomek has 'nights' from" in done.err
    assert intake("oncall", "take", "nights", "--as", other, "--instead-of", "tomek").code == 0


def test_a_swap_and_its_release(rota: Path, intake: Any) -> None:
    before = intake("oncall", "--json").objects[0]["now"]["agent"]
    swapped = intake("oncall", "swap", "nights", "--as", "ania", "--with", "ewa", "--json").objects
    assert len(swapped) == 2
    now = intake("oncall", "--json").objects[0]["now"]
    assert (now["agent"] != before, now["why"]) == (True, "swapped")
    assert intake("oncall", "release", "nights", "--as", "ewa").code == 0
    assert intake("oncall", "--json").objects[0]["now"]["agent"] == before


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (
            ("take", "night", "--as", "ewa"),
            "there is no schedule 'night' in the rules: did you mean 'nights'?",
        ),
        (("take", "nights", "--as", "eva"), "did you mean 'ewa'?"),
        (("take", "nights", "--as", "tomek", "--from", "soon"), "'soon' is no moment"),
        (("take", "nights", "--as", "tomek", "--for", "long"), "'long' is no length of time"),
        (("take", "nights", "--as", "tomek", "--until", "2026-01-05T09:00"), "before they begin"),
        (("release", "nights", "--as", "ewa"), "ewa has taken or swapped no hours"),
        (("page", "nights"), "only test notices are sent by hand"),
        (("page", "--test", "anja"), "did you mean 'ania'?"),
        (("link", "nihgts"), "did you mean 'nights'?"),
        (("ics",), "say whose shifts"),
        (("--at", "soon"), "'soon' is no moment"),
    ],
)
def test_what_cannot_be_meant_is_one_sentence(
    rota: Path, intake: Any, arguments: tuple[str, ...], sentence: str
) -> None:
    done = intake("oncall", *arguments)
    assert (done.code, sentence in done.err, done.err.count("\n")) == (cli.WRONG_INPUT, True, 1), done.err


def test_hours_to_give_back_are_named_as_they_are_shown(rota: Path, intake: Any) -> None:
    """Of two that tomek has the second is copied from the sentence that asks which."""
    for day in ("2027-03-01", "2027-03-02"):
        assert (
            intake("oncall", "take", "nights", "--as", "tomek", "--from", f"{day}T18:30", "--for", "2h").code
            == 0
        )
    asked = intake("oncall", "release", "nights", "--as", "tomek")
    assert "say which with --from (Mon 2027-03-01 18:30, Tue 2027-03-02 18:30), or --all" in asked.err
    (done,) = intake(
        "oncall", "release", "nights", "--as", "tomek", "--from", "Tue 2027-03-02 18:30", "--json"
    ).objects
    assert done["from"] == "2027-03-02T18:30:00+01:00"


def test_who_is_away_is_shown_as_such(rota: Path, intake: Any) -> None:
    """tomek took the hours and went away: nobody is reached, and the line says so."""
    assert intake("oncall", "take", "nights", "--as", "tomek").code == 0
    assert intake("agents", "away", "tomek", "--as", "tomek").code == 0
    assert intake("oncall", "--json").objects[0]["now"]["away"] is True
    assert ", is away" in intake("oncall").out


def test_a_test_notice_says_what_went_and_what_cannot(rota: Path, intake: Any) -> None:
    done = intake("oncall", "page", "--test", "ania", "--json").objects
    assert [(each["way"], each["sent"]) for each in done] == [
        ("email", True),
        ("call", False),
        ("sms", False),
    ]
    assert done[1]["why_not"] == "nothing in this configuration reaches agents by call"
    (mail,) = intake("outbox", "list", "--json").objects
    assert (mail["to"], mail["ticket"]) == ("ania@desk.example", None)


def test_a_test_notice_goes_to_whoever_is_on_call(rota: Path, intake: Any) -> None:
    intake("oncall", "take", "nights", "--as", "tomek")
    assert intake("oncall", "page", "--test", "nights", "--json").objects[0]["agent"] == "tomek"


def test_the_calendar_is_printed_as_another_s_reader_wants_it(rota: Path, intake: Any) -> None:
    done = intake("oncall", "ics", "tomek")
    calendar = icalendar.Calendar.from_ical(done.out)
    assert {str(each["SUMMARY"]) for each in calendar.walk("VEVENT")} == {"On call: weekend"}
    assert icalendar.Calendar.from_ical(intake("oncall", "ics", "--as", "ania").out).walk("VEVENT")


def test_a_link_is_renewed(rota: Path, intake: Any) -> None:
    first = intake("oncall", "link", "nights").out
    assert first == intake("oncall", "link", "nights").out
    assert first.startswith("/oncall/schedule.nights.0.")
    assert intake("oncall", "link", "nights", "--renew").out.startswith("/oncall/schedule.nights.1.")


def test_options_before_the_command_count(rota: Path, intake: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """-c stands before or behind `take`."""
    monkeypatch.chdir(rota / "config")
    before = intake("oncall", "-c", "intake.yaml", "take", "nights", "--as", "tomek", "--json")
    assert before.objects[0]["agent"] == "tomek"
    assert intake("oncall", "release", "nights", "--as", "tomek", "-c", "intake.yaml").code == 0


def test_check_tells_the_first_gap_and_who_is_left_alone(rota: Path, intake: Any) -> None:
    said = intake("check").out
    assert "warning[oncall-gap] nobody is on call for 'weekend'" in said
    assert "Europe/Lisbon)" in said
    assert "'nights'" not in said


def test_rules_without_schedules_say_so(desk: Path, intake: Any) -> None:
    done = intake("oncall")
    assert (done.code, done.err) == (0, "the rules have no schedules: nobody is on call\n")


def test_the_rulebook_of_the_guide_is_without_fault() -> None:
    guide = (Path(__file__).parents[2] / "docs" / "on-call.md").read_text(encoding="utf-8")
    (block,) = re.findall(r"```yaml\n(.*?)```", guide, re.DOTALL)
    book = rulebook.load({"rules.yaml": block})
    assert (book.warnings, cases.run(book)) == ((), ())
    assert lint.dated(book, book.schedules["platform-247"].overrides[0].start) == ()


def test_who_is_away_and_takes_hours_is_told(rota: Path, intake: Any) -> None:
    assert intake("agents", "away", "tomek").code == 0
    taken = intake("oncall", "take", "nights", "--as", "tomek", "--for", "1h")
    assert (taken.code, "tomek is away, and who is away is not called" in taken.err) == (0, True)
