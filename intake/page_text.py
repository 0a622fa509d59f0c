"""What a page says: one sentence for a call, one text of the GSM alphabet's 160 characters.

Both go to a telephone that others may hear or see, so they name the team, the priority, when it is due and the ref, and
what the ticket is about only where `oncall.subject` allows it; never who the customer is, nor a word that they wrote in
the body. A ref is spelt, sign by sign: it has no letter that is heard as a digit.
"""

import re
from datetime import tzinfo

from channels.twilio import segments
from intake.notice_page import Page, zone_of_agent
from intake.notice_text import Line

TEXT_MAX = 160  # septets of one SMS; see channels.twilio.segments
SUBJECT_SPOKEN_MAX = 120
ANSWER = "Reply 1 to take it on, 2 to pass it on."
TEST_SENTENCE = "This is a test call{of}. There is nothing to do. It shows that calls reach you, {agent}."
TEST_TEXT = "Test{of}: texts reach you, {agent}. Reply 1 to show that you have read it."
_UNSPOKEN = re.compile(r"[^\w\s.,:;!?'+%-]+")
_BLANKS = re.compile(r"\s+")


def sentence(page: Page, agent: str) -> str:
    """Return what a call reads, without the keys."""
    ticket, told = page.ticket, [_kind(page)]
    told.append(f"Reference {spelt(ticket.ref)}.")
    due = _due(page, agent)
    told += [f"It is {due}."] if due else []
    subject = _spoken(ticket.subject)[:SUBJECT_SPOKEN_MAX].strip()
    told += [f"It is about: {subject}."] if page.context.oncall.subject and subject else []
    organization = _spoken(page.context.organization)
    return " ".join([f"{organization}." if organization else "", *told]).strip()


def text(page: Page, agent: str) -> str:
    """Return one SMS: nothing in it forces another alphabet, and nothing that is asked for is cut off."""
    due = _due(page, agent)
    head = f"{page.ticket.ref}: {_kind(page, is_spoken=False)}{f', {due}' if due else ''}."
    room = TEXT_MAX - len(ANSWER) - 2
    head = _plain(head)[:room].strip()
    subject = _plain(page.ticket.subject) if page.context.oncall.subject else ""
    left = room - len(head) - 1
    about = _cut(subject, left) if subject and left > 10 else ""
    return " ".join(each for each in (head, about, ANSWER) if each)


def test_sentence(organization: str, agent: str) -> str:
    return TEST_SENTENCE.format(of=_of(organization), agent=_spoken(agent))


def test_text(organization: str, agent: str) -> str:
    room = TEXT_MAX - len(TEST_TEXT.format(of="", agent=_plain(agent)))
    of = _of(_plain(organization))
    return _plain(TEST_TEXT.format(of=of if len(of) <= room else "", agent=agent))[:TEXT_MAX]


def calling_sentence(organization: str, ref: str) -> str:
    """Return what an agent hears before the customer of a ticket is called."""
    name = _spoken(organization)
    return f"{f'{name}. ' if name else ''}Ticket {spelt(ref)}."


def spelt(ref: str) -> str:
    """Return a ref as it is said: "K, 7, F"."""
    return ", ".join(ref)


def _of(organization: str) -> str:
    return f" of {organization}" if organization else ""


def _kind(page: Page, *, is_spoken: bool = True) -> str:
    ticket = page.ticket
    clean = _spoken if is_spoken else _plain
    team = f" of team {clean(ticket.team)}" if ticket.team else ""
    head = f"{ticket.priority.capitalize()} ticket{team}"
    return f"{head}." if is_spoken else head


def _due(page: Page, agent: str) -> str:
    """Return when it is due, on the clock of who is told, without its zone: "due at 10:42", "late since 09:15"."""
    told = page.notice.told
    if told is None or told.urgency is None:
        return ""
    zone = zone_of_agent(page.context, agent) or page.zone
    return _written(told.urgency, page, zone).replace("due ", "due at ", 1)


def _written(line: Line, page: Page, zone: tzinfo) -> str:
    today = page.now.astimezone(zone).date()
    times = [each.astimezone(zone) for each in line.at]
    return line.text.format(*(f"{at:%H:%M}" if at.date() == today else f"{at:%a %H:%M}" for at in times))


def _spoken(words: str) -> str:
    """Return words without signs that a voice reads out one by one."""
    return _BLANKS.sub(" ", _UNSPOKEN.sub(" ", words)).strip()


def _plain(words: str) -> str:
    """Return words in characters that count one each in the GSM alphabet; what has no like there is a question mark."""
    plainer = segments.plainer(_BLANKS.sub(" ", words)).strip()
    return "".join(
        each if segments.figures(each).units == 1 and not _forces(each) else "?" for each in plainer
    )


def _forces(character: str) -> bool:
    return segments.figures(character).encoding != segments.GSM


def _cut(words: str, most: int) -> str:
    return words if len(words) <= most else words[: most - 3].rstrip() + "..."
