"""What texts and calls may cost: how much goes to one number, to numbers that begin alike, and to everybody in a day.

It is counted in segments, which is what a text is paid by; where they are dearer each counts as several
(`phone.cost_factors`). A WhatsApp message and a call are one, an MMS is three: 0.022 USD against 0.0083 in the USA
(2026-11). All three budgets are one conditional statement (intake.counters), so that a crowd cannot slip through. A message
is counted when it is about to go out, and again when somebody sends it once more. People may go on until twice as much
as machines: whoever makes a machine talk until its budget is used up does not silence the desk.

What is used up raises the alarm in the same transaction as the first message that it holds back: an event, a figure, a
warning in the log; once an hour for each budget.
"""

import sys
from typing import Any

import msgspec
from sqlalchemy import bindparam, select

from channels import phone_numbers
from channels.contract import OutboundMessage
from channels.twilio import segments
from intake import counters, events
from intake.counters import Take
from intake.sections import Phone
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement

DAY_US = 24 * counters.HOUR_US
NUMBER, PREFIX, DAY = "phone_number", "phone_prefix", "phone_day"
NAMES = (NUMBER, PREFIX, DAY)
ALARM = "phone_budget_alarm"
PEOPLE_FACTOR = 2
MMS_UNITS = 3
_SMS = "sms"

_c = schema.counters.c
_USED = Statement(
    select(_c.name, _c.used).where(
        ((_c.name == NUMBER) & (_c.key == bindparam("number")))
        | ((_c.name == PREFIX) & (_c.key == bindparam("prefix")))
        | ((_c.name == DAY) & (_c.key == "")),
        _c.window_start >= bindparam("oldest"),
        _c.window_start <= bindparam("now"),
    )
)


class Budget(msgspec.Struct, frozen=True):
    """One limit. name, key: of its counter; most: how many units; whom: in words; number: who was to get more."""

    name: str
    key: str
    most: int
    whom: str
    number: str

    @property
    def sentence(self) -> str:
        return f"{self.most} segments and calls went to {self.whom} within a day, and more are not paid for"


def units(medium: str, outbound: OutboundMessage) -> int:
    """Return how many segments a message is paid as."""
    if medium != _SMS:
        return 1
    if outbound.attachments or outbound.extra.get("media"):
        return MMS_UNITS
    return max(segments.figures(outbound.text, own=outbound.from_.address).segments, 1)


def take(tx: Tx, limits: Phone, number: str, *, is_persons: bool, units: int = 1) -> Budget | None:
    """Count a message or call; the narrowest budget that it would break, and then none of the wider ones has counted it."""
    budgets = _budgets(limits, number, is_persons=is_persons)
    cost = units * factor(limits, number)
    wanted = [
        Take(name=each.name, key=each.key, limit=each.most, window_us=DAY_US, units=cost) for each in budgets
    ]
    broken = counters.take_all(tx, wanted)
    return None if broken is None else budgets[broken]


def count(tx: Tx, limits: Phone, number: str) -> None:
    """Count a call that has been made, whatever the budgets say: the next one hears of it."""
    cost = factor(limits, number)
    made = [(each.name, each.key) for each in _budgets(limits, number, is_persons=True)]
    wanted = [Take(name=name, key=key, limit=sys.maxsize, window_us=DAY_US, units=cost) for name, key in made]
    counters.take_all(tx, wanted)


def used_up(tx: Tx, limits: Phone, number: str, *, is_persons: bool, units: int = 1) -> Budget | None:
    """Return the budget that a message would break, without counting it; None = there is room."""
    budgets = _budgets(limits, number, is_persons=is_persons)
    prefix = next((each.key for each in budgets if each.name == PREFIX), "")
    rows = tx.all(_USED, number=number, prefix=prefix, oldest=tx.now - DAY_US, now=tx.now)
    used, cost = {row[0]: int(row[1]) for row in rows}, units * factor(limits, number)
    return next((each for each in budgets if used.get(each.name, 0) + cost > each.most), None)


def factor(limits: Phone, number: str) -> int:
    """Return as how many segments one counts that goes to a number: what the longest beginning of it says, else 1."""
    fitting = (each for each in limits.cost_factors if number.startswith(each))
    return limits.cost_factors.get(max(fitting, key=len, default=""), 1)


def alarm(tx: Tx, budget: Budget) -> None:
    """Say loudly that a budget is used up, unless that was said within the hour."""
    if not counters.take(tx, ALARM, f"{budget.name}:{budget.key}", limit=1):
        return
    told: dict[str, Any] = {
        "budget": budget.name,
        "key": budget.key,
        "most": budget.most,
        "number": budget.number,
    }
    events.record(tx, "phone_budget_used_up", **told)
    tx.signal("told", [("phone_budget_used_up", told)])


def prefix_of(number: str, digits: int) -> str:
    """Return the country code and so many digits of a number in E.164; of one that is none, its beginning."""
    return number[: 1 + phone_numbers.country_code_length(number) + digits]


def forget(tx: Tx) -> int:
    """Remove some counters that count nothing any more; how many. They name numbers."""
    return sum(counters.forget(tx, name, window_us=DAY_US) for name in NAMES) + counters.forget(tx, ALARM)


def _budgets(limits: Phone, number: str, *, is_persons: bool) -> list[Budget]:
    """Return the budgets, the narrowest first. A WhatsApp name is no number, and has no beginning that others share."""
    factor = PEOPLE_FACTOR if is_persons else 1
    prefix = prefix_of(number, limits.prefix_digits)
    alike = f"numbers that begin with {prefix}"
    return [
        Budget(NUMBER, number, limits.budget_per_number * factor, number, number),
        *(
            [Budget(PREFIX, prefix, limits.budget_per_prefix * factor, alike, number)]
            if phone_numbers.e164(number)
            else []
        ),
        Budget(DAY, "", limits.budget_per_day * factor, "customers", number),
    ]
