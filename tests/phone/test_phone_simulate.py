"""`intake simulate`: scenario files are linted like rules, and a configuration that cannot be played says what to change."""

import re
from pathlib import Path

import msgspec
import pytest

from channels.twilio import sms, voice
from channels.twilio.simulator import scenario
from intake import cli, played_beside, scenarios
from intake.commands import played_page, simulate
from intake.played_beside import NotPlayable
from intake.playing import Play
from intake.sections import Http
from intake.settings import ChannelSettings, Settings
from routing.problems import ConfigError
from tests.phone.live import GoLive, Live
from tests.rows import every_row

SID = "AC" + "a" * 32
GOOD = """\
name: Somebody calls
people: {jan: "+48600100200"}
steps:
  - call: {from: jan}
"""

# what -> (the text, where, a part of the sentence)
WRONG = {
    "no name": ("steps: []\n", "1:1", "'name' is missing"),
    "an unknown key": (GOOD + "colour: red\n", "5:1", "colour"),
    "an unknown step": (GOOD + "  - ring: {}\n", "5:5", "ring"),
    "two steps in one": (
        GOOD.replace("call: {from: jan}", "{call: {from: jan}, wait: 3}"),
        "4:5",
        "call and wait",
    ),
    "an empty step": (GOOD + "  - {}\n", "5:5", "nothing"),
    "a person of no name": (GOOD.replace("from: jan", "from: jna"), "4:18", "'jna' is nobody"),
    "a person of no name in what is expected": (GOOD + "  - expect: {tickets: [{of: eve}]}\n", "5:29", "eve"),
    "an act that does nothing": (GOOD.replace("jan}", "jan, does: [{hear: x}]}"), "4:30", "does nothing"),
    "an act that does two things": (
        GOOD.replace("jan}", 'jan, does: [{press: "1", say: x}]}'),
        "4:30",
        "press and say",
    ),
    "a wait that is none": (GOOD + "  - wait: soon\n", "5:11", "'soon' is no time"),
    "a phone without a number": (GOOD + "phones: {ewa: {answers: 3}}\n", "5:10", "'ewa' has no number"),
    "an instant without a zone": (GOOD + "at: 2026-11-10T10:00\n", "5:5", "no instant"),
    "a number that is text": (
        GOOD + "phones: {ewa: {number: '+48600000001', answers: soon}}\n",
        "5:49",
        "number",
    ),
    "broken YAML": ("name: [\n", "2:1", ""),
}


@every_row("what", WRONG)
def test_a_scenario_is_refused_for(what: str) -> None:
    text, where, sentence = WRONG[what]
    with pytest.raises(ConfigError) as refused:
        scenarios.from_text(text, file="call.yaml")
    found = [f"{each.file}:{each.line}:{each.column} {each.message}" for each in refused.value.problems]
    assert any(each.startswith(f"call.yaml:{where} ") and sentence in each for each in found), found


def test_every_scenario_of_the_suite_is_well_written() -> None:
    folder = Path(__file__).parent / "scenarios"
    assert len([scenarios.read(each).name for each in folder.glob("*.yaml")]) >= 60


def test_the_scenario_in_the_documents_is_well_written() -> None:
    text = (Path(__file__).parents[2] / "docs" / "phone.md").read_text()
    shown = [each for each in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL) if "\nsteps:" in each]
    assert [scenarios.from_text(each, file="phone.md").name for each in shown] == [
        "Jan presses 2, anna is busy, ben takes the call"
    ]


def test_every_key_of_a_scenario_is_documented() -> None:
    text = (Path(__file__).parents[2] / "docs" / "phone.md").read_text()
    section = text.split("## Trying it without an account")[1].split("\n## ")[0]
    own = (
        scenario.Act,
        scenario.Phone,
        scenario.CallIn,
        scenario.TextIn,
        scenario.AgentDoes,
        scenario.Report,
    )
    every = (*own, scenario.ProviderDoes, scenario.Expected, scenario.ExpectedTicket, scenario.ExpectedText)
    keys = {field.encode_name for each in every for field in msgspec.structs.fields(each)}
    assert not {key for key in keys if not re.search(rf"\b{key}\b", section)}


def settings_with(**options: object) -> Settings:
    given: dict[str, object] = {
        "account_sid": SID,
        "auth_token": "x",
        "numbers": ("+48221234567",),
        "api_url": "http://127.0.0.1:8089",
    }
    given |= {"public_url": "https://help.example.com", **options}
    return Settings(
        path=Path("intake.yaml"),
        folder=Path("var"),
        rules=Path("rules.yaml"),
        replies=Path("replies"),
        outgoing=None,
        channels={"phone": ChannelSettings("twilio.voice", voice.Options(**given))},  # type: ignore[arg-type]
        http=Http(),
    )


UNPLAYABLE: dict[str, tuple[dict[str, object], str]] = {
    "an account that asks Twilio": (
        {"api_url": "https://api.twilio.com"},
        "set its api_url: http://127.0.0.1:8089",
    ),
    "an address of another machine": ({"api_url": "http://192.0.2.1:8089"}, "set its api_url"),
    "no token": ({"auth_token": ""}, "has no auth_token"),
    "no public address": ({"public_url": ""}, "has no public_url"),
    "no numbers": ({"numbers": ()}, "has no numbers"),
}


@every_row("what", UNPLAYABLE)
def test_one_sentence_says_what_to_change_about(what: str) -> None:
    options, sentence = UNPLAYABLE[what]
    with pytest.raises(NotPlayable, match=sentence):
        played_beside.accounts_of(settings_with(**options), "voice")


def test_an_account_of_the_kind_is_needed() -> None:
    with pytest.raises(NotPlayable, match=r"no account of kind twilio\.sms is set up"):
        played_beside.accounts_of(settings_with(), "sms")


def test_accounts_of_one_account_at_twilio_are_played_together() -> None:
    texts = sms.Options(
        account_sid=SID,
        auth_token="x",
        numbers=("+48221234567",),
        api_url="http://127.0.0.1:8089",
        public_url="https://help.example.com",
    )
    found = settings_with()
    found.channels["texts"] = ChannelSettings("twilio.sms", texts)
    accounts = played_beside.accounts_of(found, "voice")
    assert (accounts.named, accounts.port) == ({"voice": "phone", "sms": "texts"}, 8089)


def test_a_file_that_is_not_there_is_said_to_be_so() -> None:
    with pytest.raises(cli.WrongInput, match=r"there is no file nowhere\.yaml"):
        simulate.read("nowhere.yaml")


async def played(go_live: GoLive, text: str) -> tuple[Live, Play]:
    live = await go_live()
    play = Play(scenarios.from_text(text, file="call.yaml"), live)
    await play.run()
    return live, play


async def test_the_transcript_says_who_did_what_and_which_ticket_came_of_it(go_live: GoLive) -> None:
    _, play = await played(go_live, GOOD.replace("call: {from: jan}", 'text: {from: jan, body: "Hello"}'))
    lines = list(played_page.lines(play))
    assert lines[0] == "Somebody calls"
    assert "jan  « Hello" not in lines
    assert any(each.endswith("jan  » Hello") for each in lines)
    assert f"  ticket {play.tickets[0]['ref']}  new, team support" in "\n".join(lines)
    assert lines[-1] == "  as expected"


async def test_what_is_not_as_expected_is_said(go_live: GoLive) -> None:
    """Each kind of expectation can fail."""
    text = GOOD.replace("call: {from: jan}", 'text: {from: jan, body: "Hello"}') + (
        "  - expect: {count: 2, texts_count: 1, asked: {Messages: 1}, opted_out: [jan],"
        " heard: [x], rang: {jan: 1}, calls: [{of: jan}], texts: [{to: jan}],"
        " tickets: [{of: jan, team: billing, messages: 2, says: Goodbye, attachments: 1, tags: [x]}]}\n"
    )
    _, play = await played(go_live, text)
    assert len(play.failures) == 13, play.failures
    assert all(each.startswith("step 2: ") for each in play.failures)


@pytest.mark.slow
async def test_the_same_seed_plays_the_same_to_the_letter(go_live: GoLive) -> None:
    told = []
    for folder in ("first", "second"):
        live = await go_live(folder=folder)
        await Play(scenarios.from_text(GOOD, file="call.yaml"), live).run()
        told.append([each.form for each in live.studio.webhooks.exchanges])
        await live.stop()
    assert told[0] == told[1]
