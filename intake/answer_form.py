"""What an agent's answer has beside its text: the name it comes from, who gets a copy, a signature, what it answers."""

from channels import markup
from channels.contract import Address
from intake import instants, loops, tickets
from intake.model import Context, Ticket
from intake.store.engine import Tx
from intake.threads import Said

QUOTE_MAX_CHARACTERS = 10_000
COPIES_MAX = 50
_CUT = "[…]"

# {name} wrote on {day}: as mail clients of the language introduce a quote, so that readers fold it away.
_WROTE = {
    "cs": "Dne {day} {name} napsal(a):",
    "da": "Den {day} skrev {name}:",
    "de": "Am {day} schrieb {name}:",
    "el": "Στις {day} ο/η {name} έγραψε:",
    "en": "On {day}, {name} wrote:",
    "es": "El {day}, {name} escribió:",
    "fi": "{name} kirjoitti {day}:",
    "fr": "Le {day}, {name} a écrit :",
    "it": "Il giorno {day} {name} ha scritto:",
    "ja": "{day} {name} のメール:",
    "nl": "Op {day} schreef {name}:",
    "no": "Den {day} skrev {name}:",
    "pl": "Dnia {day} {name} napisał(a):",
    "pt": "Em {day}, {name} escreveu:",
    "ro": "În data de {day}, {name} a scris:",
    "ru": "{day}, {name} написал(а):",
    "sv": "Den {day} skrev {name}:",
    "tr": "{day} tarihinde {name} şunu yazdı:",
    "uk": "{day} {name} пише:",
}


def from_name(context: Context, agent: str) -> str:
    """Return the sender's name: the agent's where customers may see it, with the organization's; "" = only the latter."""
    name = context.answers.names.get(agent, "")
    return f"{name} ({context.organization})" if name and context.organization else name


def copies(tx: Tx, context: Context, ticket: Ticket, to: Address) -> tuple[Address, ...]:
    """Return the others who take part by mail: they read what their colleague reads."""
    accounts = context.accounts.values()
    found = [
        person.value
        for person in tickets.participants(tx, ticket.id)
        if person.kind == "email"
        and person.value != to.address.lower()
        and not loops.is_robot(person.value)
        and not loops.is_ours(accounts, person.value)
    ]
    return tuple(Address(value) for value in found[:COPIES_MAX])


def without_words(tx: Tx, context: Context, ticket: Ticket) -> Address | None:
    """Return whom a mail on a ticket goes to where nobody has written yet: the first who takes part; None = nobody does."""
    accounts = context.accounts.values()
    people = (each.value for each in tickets.participants(tx, ticket.id) if each.kind == "email")
    found = next((each for each in people if not loops.is_ours(accounts, each)), None)
    return None if found is None else Address(found)


def below(context: Context, ticket: Ticket, said: Said | None, *, agent: str) -> str:
    """Return what stands below an answer: the signature, then what it answers. Others' words in it are marked."""
    answers = context.answers
    of_team = answers.signatures.get(ticket.team or "", answers.signature)
    signature = answers.signatures.get(agent, of_team).strip()
    parts = [f"\n\n-- \n{signature}\n"] if signature else []
    if answers.quote and said is not None and said.text.strip():
        parts.append(f"\n\n{_quote(ticket, said)}\n")
    return "".join(parts)


def _quote(ticket: Ticket, said: Said) -> str:
    day = instants.datetime_from_us(said.at).strftime("%Y-%m-%d")
    name = markup.verbatim(" ".join((said.author_name or said.author).split())[:100])
    wrote = _WROTE.get(ticket.language or "", _WROTE["en"]).format(day=day, name=name)
    text = said.text.strip()
    lines = text[:QUOTE_MAX_CHARACTERS].splitlines() + ([_CUT] if len(text) > QUOTE_MAX_CHARACTERS else [])
    return "\n".join([wrote, *(f"> {markup.verbatim(line)}" if line.strip() else ">" for line in lines)])
