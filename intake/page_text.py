"""What a page says: one sentence for a call, one text of the GSM alphabet's 160 characters.

A call speaks the agent's language, a text English: without its own letters, which would make it three.

Both go to a telephone that others may hear or see, so they name the team, the priority, when it is due and the ref, and
what the ticket is about only where `oncall.subject` allows it; never who the customer is, nor a word that they wrote in
the body. A ref is spelt, sign by sign: it has no letter that is heard as a digit.
"""

import re
from datetime import tzinfo

from channels.twilio import segments
from channels.twilio.phone import page_words, says
from intake.model import Account, Context
from intake.notice_page import Page, zone_of_agent
from intake.notice_text import Line

TEXT_MAX = 160  # septets of one SMS; see channels.twilio.segments
SUBJECT_SPOKEN_MAX = 120
ANSWER = "Reply 1 to take it on, 2 to pass it on."
TEST_TEXT = "Test{of}: texts reach you, {agent}. Reply 1 to show that you have read it."
_UNSPOKEN = re.compile(r"[^\w\s.,:;!?'+%-]+")
_BLANKS = re.compile(r"\s+")


def language_of(context: Context, account: Account | None, agent: str) -> str:
    """Return what an agent hears in a call: what the account says, else the first language among their skills."""
    person = context.rulebook.agents.get(agent)
    asked, otherwise = ("", ()) if account is None else (account.agents_language, account.spoken)
    return page_words.spoken(asked=asked, known=() if person is None else person.skills, otherwise=otherwise)


def sentence(page: Page, agent: str, language: str = page_words.DEFAULT) -> str:
    """Return what a call reads, without the keys."""
    ticket = page.ticket
    what = page_words.word(language, ticket.priority)
    team = _spoken(ticket.team or "")
    told = [page_words.word(language, "of_team" if team else "no_team", what=what, team=team)]
    told.append(page_words.word(language, "reference", ref=spelt(ticket.ref)))
    told += _spoken_due(page, agent, language)
    subject = _spoken(ticket.subject)[:SUBJECT_SPOKEN_MAX].strip()
    if page.context.oncall.subject and subject:
        told.append(page_words.word(language, "about", what=subject))
    organization = _spoken(page.context.organization)
    return " ".join([f"{organization}." if organization else "", *told]).strip()


def text(page: Page, agent: str) -> str:
    """Return one SMS: nothing in it forces another alphabet, and nothing that is asked for is cut off."""
    due = _due(page, agent)
    head = f"{page.ticket.ref}: {_kind(page)}{f', {due}' if due else ''}."
    room = TEXT_MAX - len(ANSWER) - 2
    head = _plain(head)[:room].strip()
    subject = _plain(page.ticket.subject) if page.context.oncall.subject else ""
    left = room - len(head) - 1
    about = _cut(subject, left) if subject and left > 10 else ""
    return " ".join(each for each in (head, about, ANSWER) if each)


def test_sentence(organization: str, agent: str, language: str) -> str:
    key, name = ("test", _spoken(organization)) if _spoken(organization) else ("test_alone", "")
    return page_words.word(language, key, organization=name, agent=_spoken(agent))


def test_text(organization: str, agent: str) -> str:
    room = TEXT_MAX - len(TEST_TEXT.format(of="", agent=_plain(agent)))
    of = _of(_plain(organization))
    return _plain(TEST_TEXT.format(of=of if len(of) <= room else "", agent=agent))[:TEXT_MAX]


def calling_sentence(organization: str, ref: str, language: str = page_words.DEFAULT) -> str:
    """Return what an agent hears before the customer of a ticket is called."""
    name = _spoken(organization)
    return f"{f'{name}. ' if name else ''}{page_words.word(language, 'ticket', ref=spelt(ref))}"


def spelt(ref: str) -> str:
    """Return a ref as it is said: "K, 7, F"."""
    return ", ".join(ref)


def _of(organization: str) -> str:
    return f" of {organization}" if organization else ""


def _kind(page: Page) -> str:
    ticket = page.ticket
    team = f" of team {_plain(ticket.team)}" if ticket.team else ""
    return f"{ticket.priority.capitalize()} ticket{team}"


def _due(page: Page, agent: str) -> str:
    """Return when it is due, on the clock of who is told, without its zone: "due at 10:42", "late since 09:15"."""
    told = page.notice.told
    if told is None or told.urgency is None:
        return ""
    zone = zone_of_agent(page.context, agent) or page.zone
    return _written(told.urgency, page, zone).replace("due ", "due at ", 1)


def _spoken_due(page: Page, agent: str, language: str) -> list[str]:
    """Say when it is due, on the clock of who is told, in their language; [] = at no time."""
    told = page.notice.told
    if told is None or told.urgency is None or not told.urgency.at:
        return []
    zone = zone_of_agent(page.context, agent) or page.zone
    local, today = told.urgency.at[0].astimezone(zone), page.now.astimezone(zone).date()
    day = "" if local.date() == today else f"{says.words(language, 'days')[local.weekday()]} "
    key = "late" if told.urgency.at[0] <= page.now else "due"
    return [page_words.word(language, key, time=f"{day}{local:%H:%M}")]


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
