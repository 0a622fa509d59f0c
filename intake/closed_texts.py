"""The text that a caller may ask for while we are closed: words of the admin's, a link say, by a template of the account.

It is offered only to who would get it: a number that may be mobile, that has not said STOP, in a country that may be
texted, and that has not had this text for so many hours (`calls.text_back_hours`). It goes the way of every automatic
answer (intake.answering), past the one gate of consent and budget.
"""

import msgspec

from channels import phone_numbers
from channels.contract import Identity
from intake import answering, answering_by_phone, counters, instants, lateness, opt_outs, permission
from intake.call_rows import Call
from intake.model import Account, Context, Ticket
from intake.reactions import Cause
from intake.store.engine import Tx
from routing.actions import Action

ASKED = "text_asked"  # the word of a call's timeline
LATE_US = 3_600 * 1_000_000
_RULE = "closed_text"  # who says it, as the ticket's history has it


def may_be_offered(tx: Tx, context: Context, account: str, caller: Identity | None) -> bool:
    """Whether a caller would get the text now."""
    template = template_of(context, account)
    texting = _texting(context)
    if not template or texting is None or caller is None or caller.kind != "phone":
        return False
    number = caller.value
    if phone_numbers.is_dear(number) or phone_numbers.country(number) not in permission.countries(texting):
        return False
    if opt_outs.holding(tx, (caller,), answering_by_phone.SMS) is not None:
        return False
    return answering_by_phone.is_textable(tx, number) and not _had_it(tx, context, template, number)


def template_of(context: Context, account: str) -> str:
    """Return the template of an account's text; "" = it has none, or there is no such template."""
    known = context.accounts.get(account)
    template = known.closed_text if known is not None else ""
    return template if any(name == template for name, _ in context.replies.known) else ""


def is_asked(before: Call, after: Call) -> bool:
    """Whether the caller asks for it by what was told now."""
    return _asked_at(before) is None and _asked_at(after) is not None


def was_asked(call: Call) -> bool:
    return _asked_at(call) is not None


def answer(tx: Tx, context: Context, ticket: Ticket, call: Call, *, cause: Cause) -> Ticket:
    """Send the text that was asked for; why it was not sent is an event of the ticket."""
    template, asked_us = template_of(context, call.account), _asked_at(call)
    if not template or asked_us is None or cause.occasion is None:
        return ticket
    is_late = tx.now - asked_us > LATE_US
    happened = msgspec.structs.replace(
        cause.occasion,
        cause=f"{cause.name}:{ASKED}",
        once_s=_once_s(context),
        refusal=f"the call was told of {lateness.words(asked_us, tx.now)}" if is_late else None,
    )
    return answering.reply(tx, context, ticket, Action("reply", template, _RULE), happened)


def _asked_at(call: Call) -> int | None:
    asked = next((each.at for each in call.timeline if each.what == ASKED), None)
    return None if asked is None else instants.us_from_datetime(asked)


def _texting(context: Context) -> Account | None:
    able = (each for each in context.accounts.values() if each.medium == answering_by_phone.SMS)
    return next((each for each in able if each.can_deliver), None)


def _had_it(tx: Tx, context: Context, template: str, number: str) -> bool:
    window_us = int(_once_s(context) * 1_000_000)
    key = answering.once_key(template, number)
    return counters.is_used_up(tx, answering.ONCE, key, limit=1, window_us=window_us)


def _once_s(context: Context) -> float:
    return context.calls.text_back_hours * 3_600
