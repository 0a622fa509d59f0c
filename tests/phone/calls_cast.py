"""Who takes part when everybody calls: a desk set up somehow, callers and phones that do anything. All of it by the dice."""

import random
from typing import Any

from channels.twilio.simulator.scenario import Act, DeskIs, Phone

WORDS = (
    "invoices",
    "a person",
    "rachunek",
    "technical help",
    "orders, please",
    "¿qué?",
    "1",
    "x" * 300,
    "0 & <Hangup/>",
)
_MENU: list[dict[str, Any]] = [
    {"key": 1, "id": "billing", "say": {"en": "invoices", "pl": "faktury"}, "words": {"en": ["invoice*"]}},
    {
        "key": 2,
        "id": "technical",
        "say": {"en": "technical help", "pl": "pomoc"},
        "words": {"en": ["technical"]},
    },
]
_NESTED: list[dict[str, Any]] = [
    {
        "key": 3,
        "id": "orders",
        "say": {"en": "orders", "pl": "zamówienia"},
        "words": {"en": ["order*"]},
        "menu": [
            {"key": 1, "id": "late", "say": {"en": "a late order", "pl": "spóźnienie"}},
            {"key": 2, "id": "broken", "say": {"en": "a broken one", "pl": "uszkodzenie"}},
        ],
    },
    *_MENU,
]


def rules(agents: int) -> str:
    """Write the rules of a desk that is always open, its agents on three levels."""
    names = [f"agent{number}" for number in range(agents)]
    levels = {"l1": names[: agents // 2], "l2": names[agents // 2 : agents - 2], "lead": names[agents - 2 :]}
    people = "".join(
        f'  {name}: {{email: {name}@desk.example, phone: "{number_of(number)}", skills: [en, pl]}}\n'
        for number, name in enumerate(names)
    )
    shown = ", ".join(f"{name}: [{', '.join(each)}]" for name, each in levels.items() if each)
    return f"""
version: 1
calendars: {{always: {{timezone: Europe/Warsaw, open: {{mon-sun: "00:00-24:00"}}}}}}
agents:
{people}teams: {{support: {{levels: {{{shown}}}}}}}
sla: {{standard: {{calendar: always, first_response: 2h, resolution: 8h}}}}
conversations: {{voice: {{join: open, reopen_within: 3d}}}}
default: {{team: support, priority: normal, sla: standard}}
"""


def number_of(number: int) -> str:
    return f"+4860000{number:04}"


def desk_of(dice: random.Random) -> DeskIs:
    """Draw how the desk is set up: everything that changes a caller's way."""
    return DeskIs(
        phone={
            "languages": dice.choice((["en"], ["en", "pl"])),
            "menu": dice.choice(([], _MENU, _NESTED)),
            "ring": dice.choice(("all", "all", "turn")),
            "ring_s": dice.choice((8, 18)),
            "hold_s": dice.choice((0, 30, 120)),
            "record": dice.choice(("off", "ask", "notice")),
            "transcription": dice.choice(("none", "twilio")),
            "answer_within_s": 10,  # a busy machine is no slow store
            "offer_open_request": dice.random() < 0.7,
        }
    )


def acts(dice: random.Random) -> tuple[Act, ...]:
    """Draw what a caller does: sense and nonsense, maybe a hang-up somewhere, maybe a message at the end."""
    found = [_act(dice) for _ in range(dice.randrange(8))]
    if dice.random() < 0.35:
        found.insert(dice.randrange(len(found) + 1), Act(hang_up=True, after=dice.uniform(0, 70), maybe=True))
    seconds = dice.choice((1, 3, 20, 100))
    left = Act(
        leave=dice.choice(("", "Please call me back.")),
        seconds=seconds,
        hang_up=dice.random() < 0.3,
        maybe=True,
    )
    return (*found, left, left)


def _act(dice: random.Random) -> Act:
    luck, after = dice.random(), dice.choice((None, None, 0.5, dice.uniform(0, 12)))
    if luck < 0.65:
        return Act(
            press="".join(dice.choices("0123456789*#", k=dice.choice((1, 1, 1, 3)))), after=after, maybe=True
        )
    if luck < 0.85:
        return Act(say=dice.choice(WORDS), confidence=round(dice.random(), 2), after=after, maybe=True)
    return Act(silence=True, maybe=True)


def phone(number: str, dice: random.Random) -> Phone:
    """Draw how an agent's phone behaves when it is called."""
    luck = dice.random()
    if luck < 0.15:
        return Phone(number=number)  # rings, and nobody is there
    if luck < 0.25:
        return Phone(number=number, busy=luck < 0.2, unreachable=luck >= 0.2)
    if luck < 0.35:
        return Phone(number=number, declines=dice.uniform(0, 10))
    answers = dice.choice((1, 3, dice.uniform(0, 20)))
    if luck < 0.45:
        return Phone(number=number, answers=answers, machine=True)
    if luck < 0.52:
        return Phone(number=number, answers=answers, hangs_up=dice.uniform(0, 8))
    pressed = dice.choice(("1", "1", "1", "1", "3 1", "2", ""))
    pressed_after = dice.choice((None, 0.5, dice.uniform(0, 9)))
    return Phone(
        number=number,
        answers=answers,
        presses=pressed,
        presses_after=pressed_after,
        talks=dice.uniform(1, 240),
    )
