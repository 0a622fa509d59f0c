"""The demo's customers who text and call: played where an account's api_url is this machine."""

from typing import Any

from channels.twilio.phone.menu import Choice
from channels.twilio.simulator.scenario import Act, CallIn, Phone, Scenario, Step, TextIn
from intake import cli, played_beside, terminal
from intake.commands import played_page, simulate
from intake.played_beside import Accounts, NotPlayable
from intake.settings import Settings
from intake.wiring import Wired

CALLER, WRITER = "+48600100200", "+48600100201"


def accounts_of(settings: Settings, medium: str) -> Accounts | None:
    """Find who can be played; None when there is no such account, or it asks the real Twilio."""
    try:
        return played_beside.accounts_of(settings, medium)
    except NotPlayable:
        return None


def play(wired: Wired) -> bool:
    """Play a text and a call, as far as there are accounts for them; whether anything was played."""
    played = False
    for medium, scenario in (("sms", _text()), ("voice", None)):
        accounts = accounts_of(wired.settings, medium)
        if accounts is None:
            continue
        played = True
        found = scenario or _call(wired, accounts)
        try:
            result = simulate.played(wired, accounts, found)
        except cli.Failed as error:
            terminal.say(f"  {error}", colour="yellow")
            continue
        for line in played_page.lines(result):
            terminal.say(line)
    return played


def _text() -> Scenario:
    steps = (
        Step(text=TextIn(from_="Marta", body="Hello, where is my parcel? Order 4711.")),
        Step(text=TextIn(from_="Marta", body="It was to come on Friday.")),
    )
    return Scenario(name="Marta texts twice", steps=steps, people={"Marta": WRITER})


def _call(wired: Wired, accounts: Accounts) -> Scenario:
    """Have somebody call: through the first choices of the menu to whoever has a phone, else to the voicemail."""
    options: Any = accounts.options["voice"]
    language = [Act(press="1", maybe=True)] if len(options.languages) > 1 else []
    phones = {
        name: Phone(number=agent.phone, answers=4, presses="1", talks=40)
        for name, agent in wired.context.rulebook.agents.items()
        if agent.phone
    }
    acts = (
        *language,
        *_pressed(options.menu),
        Act(leave="Hello, it is about my last invoice.", finish="#", maybe=True),
    )
    call = CallIn(from_="Adam", does=acts)
    return Scenario(name="Adam calls", steps=(Step(call=call),), people={"Adam": CALLER}, phones=phones)


def _pressed(menu: tuple[Choice, ...]) -> list[Act]:
    """Press the first choice of each level."""
    if not menu:
        return []
    return [Act(press=menu[0].digit, maybe=True), *_pressed(menu[0].menu)]
