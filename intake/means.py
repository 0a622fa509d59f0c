"""What this configuration can do of what rules ask for: told to the lint, so that nothing is promised in vain."""

from collections.abc import Collection

import msgspec
from sqlalchemy import bindparam, select

from channels import loading
from intake import effects, reaching
from intake.settings import Settings
from intake.store import schema
from intake.store.engine import Tx
from intake.store.statements import Statement
from routing import action_text, lint_words
from routing.lint import Means
from routing.rulebook import Rulebook

TEXTS_MAX = 5_000
OUTWARD = frozenset(("hand_off", "webhook", "rating", "incident", "promise", "snooze", "block"))
"""Actions that need a doer of their own; the others are fields of the ticket."""

_m = schema.messages.c
_TEXTS = Statement(
    select(_m.subject, _m.body, _m.visible_text)
    .where(_m.direction == "in")
    .order_by(_m.id.desc())
    .limit(bindparam("limit"))
)


def of(settings: Settings, templates: Collection[tuple[str, str]]) -> Means:
    """What can be sent, said and done. templates: (name, language) of the reply templates that are there."""
    able = frozenset(
        module.MEDIUM
        for module in (loading.module_for(channel.kind) for channel in settings.channels.values())
        if hasattr(module.Channel, "deliver")
    )
    media = able if "sms" in able else able - {"voice"}  # who has called is answered by a text
    ways = frozenset(way for way, medium in reaching.MEDIA.items() if medium in able)
    kinds = frozenset(action_text.ACTIONS) - (OUTWARD - frozenset(effects.DOERS))
    choices = frozenset(
        each for channel in settings.channels.values() for each in getattr(channel.options, "choices", ())
    )
    return Means(media=media, templates=frozenset(templates), ways=ways, kinds=kinds, choices=choices)


def with_counts(means: Means, rulebook: Rulebook, tx: Tx) -> Means:
    """The means with how often each word of the rules occurs in the newest messages of customers."""
    rows = tx.all(_TEXTS, limit=TEXTS_MAX)
    written = (f"{subject}\n{body if visible is None else visible}" for subject, body, visible in rows)
    shares, count = lint_words.shares(rulebook, written)
    return msgspec.structs.replace(means, shares=shares, texts=count)
