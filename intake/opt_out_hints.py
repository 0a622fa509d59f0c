"""Free words that read like "leave me alone": suggested to an agent, who decides; never more than that.

Any reasonable way of saying it counts in the United States, a mail and a voicemail included, and has to be honoured
within ten business days (47 CFR 64.1200(a)(10), in force since 2025-04-11). So each is kept with the day by which
somebody has to decide: weekdays are counted, holidays are not left out, which is early and never late.

Phrases are looked for in the folded words, in every language at once: a customer writes in any. What a phrase may not
go on with ("don't call me before ten") is left alone.
"""

from datetime import timedelta

import re2
from sqlalchemy import bindparam, select

from channels.contract import Identity
from channels.twilio import keywords
from intake import events, instants, opt_outs
from intake.model import Arrival, Context
from intake.opt_out_phrases import PHRASES
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import folding

MAX_CHARACTERS = 4_000
SAID_CHARACTERS = 200
HOW = "words"
_FRIDAY = 4
_j = schema.journal.c
_SETTLED = Statement(select(_j.ticket_id, _j.message_id).where(_j.id == bindparam("id")))

# What turns one of these phrases into something else when it follows at once.
_GOES_ON = (
    "(?:back|before|after|until|at (?:work|night|home)|during|between|tomorrow|today|on (?:mon|tue|wed|thu|fri|sat|sun|week)|"
    "auf (?:der|die)? ?arbeit|vor|nach \\d|avant|apres|antes|despues|depois|przed|po \\d|prima|dopo|voor|na \\d|fore|efter|pred|до|перед|раньше|после|в (?:дверь|домофон|звонок)|"
    "(?:from|of) (?:the |a |an |my |your )?(?:\\S+ )?(?:plan|invoice|bill|trial|tier|package|insurance|statement|renewal))"
)
# And when it stands right before.
_GOES_BEFORE = "(?:don t|do not|dont|never|won t|wouldn t|can t|cannot|didn t|did not|doesn t|not|why|pourquoi|por que|perche|warum|dlaczego|waarom|varfor|proc|почему|neden|once|sonra|kadar|nie|ne|no|nao|non|niet|inte|не)"


def _compiled(phrases: tuple[str, ...]) -> "re2._Regexp[str]":
    options = re2.Options()
    options.max_mem = 32 << 20  # in the 8 MB of the default long texts are matched a hundred times slower
    options.log_errors = False
    return re2.compile(" (?:" + "|".join(phrases).replace("~", "(?: \\S+){0,3}") + ")", options)


_PATTERNS = tuple(_compiled(phrases) for phrases in PHRASES.values())
_WORDS_MAX = 12
# Said with "please" an END or CANCEL may be about anything.
_STOPS = frozenset(each for said in keywords.STOPS.values() for each in said if " " not in each) - {
    "end", "quit", "cancel", "停止",
} | {"unsub", "enough", "basta", "genug", "assez", "dosc", "dosyc", "chega", "genoeg", "yeter", "хватит", "прекратите"}  # fmt: skip
_BESIDE = frozenset(
    folding.fold(
        "please pls plz now it this that all ok okay thanks thank you just already immediately again no more of i said "
        "bitte jetzt sofort danke damit endlich svp merci s il vous plait maintenant por favor ya gracias ahora "
        "prosze juz teraz dziekuje obrigado ja agora per favore grazie adesso ora alsjeblieft aub nu dank snalla tack "
        "prosim hned dekuji lutfen artik пожалуйста уже спасибо"
    ).split()
)
_AFTER = re2.compile(f"\\S* {_GOES_ON}\\S* ")
_BEFORE = re2.compile(f" {_GOES_BEFORE}$")


def found(text: str) -> str | None:
    """Return the words, folded, by which a text reads like a wish to be left alone; None = it does not."""
    said = folding.fold(text[:MAX_CHARACTERS])
    words_alone = said.split()
    if len(words_alone) <= _WORDS_MAX and _is_bare(words_alone):
        return said.strip()
    for match in (each for pattern in _PATTERNS for each in pattern.finditer(said)):
        words = match.group()
        end = match.start() + len(words.rstrip())
        if _AFTER.match(said[end:]) or _BEFORE.search(said[: match.start()]):
            continue
        return str(words).strip()
    return None


def _is_bare(words: list[str]) -> bool:
    """Whether a text says stop, please and nothing else: "please unsubscribe", "STOP STOP", "no more pls"."""
    return any(each in _STOPS for each in words) and all(each in _STOPS | _BESIDE for each in words)


def look(tx: Tx, context: Context, arrival: Arrival) -> None:
    """Suggest it where a message that a person wrote reads so."""
    message = arrival.message
    if message.automatic or arrival.problem is not None or message.sender is None:
        return
    text = message.visible_text or message.text
    if not context.consent.suggest or found(text) is None:  # most messages: nothing is asked of the store
        return
    row = tx.one(_SETTLED, id=arrival.received.id)
    ticket_id, message_id = row if row is not None else (None, None)
    if message_id is not None:
        suggest(
            tx,
            context,
            message.sender,
            text,
            medium=message.kind,
            ticket_id=ticket_id,
            message_id=message_id,
        )


def suggest(
    tx: Tx,
    context: Context,
    identity: Identity,
    text: str,
    *,
    medium: str,
    ticket_id: int | None,
    message_id: int,
) -> bool:
    """Note the suggestion, once for each message; false when there is none. text: what they said, in whatever way."""
    if not context.consent.suggest or found(text) is None or opt_outs.is_noted(tx, message_id):
        return False
    if opt_outs.holding(tx, (identity,), medium) is not None:
        return False
    days = context.consent.decide_days
    due_at = due(tx.now, days)
    said = " ".join(text.split())[:SAID_CHARACTERS]
    opt_out_id = opt_outs.write(
        tx, identity, "suggested", how=HOW, said=said, message_id=message_id, due_at=due_at
    )
    events.record(
        tx,
        "opt_out_suggested",
        ticket_id=ticket_id,
        customer_id=opt_outs.customer_of(tx, identity),
        actor="customer",
        suggestion=str(opt_out_id),
        value=identity.value,
        medium=medium,
        message=str(message_id),
        due_at=instants.rfc3339_from_us(due_at),
    )
    return True


def due(now_us: int, weekdays: int) -> int:
    """Return the same time of day so many weekdays later, microseconds UTC. Friday and one day are Monday."""
    at = instants.datetime_from_us(now_us)
    while weekdays:
        at += timedelta(days=1)
        weekdays -= at.weekday() <= _FRIDAY
    return instants.us_from_datetime(at)
