"""What rules and ladder steps do: one value for an effect, whoever asked for it."""

from typing import Any

import msgspec


class Action(msgspec.Struct, frozen=True, omit_defaults=True):
    """An effect that intake carries out. value: JSON. rule: the id of the rule, or "ladder/step" of a ladder.

    reply: a template's name (option once_s) · notify: assignee, agent, team, a level, an agent's or a team's name, or
    an address (options by, ack_within_s) · note: text · ignore, spam, close, block, rating: true · level: names in order of preference
    (option relaxed: skills need not be known) · team, agent, priority, status, sla, nature, language: a name, None = none · tags, untag: names ·
    skills: {need, relax_s} · field.NAME: text, None = empty · reopen: false · route: "again" ·
    promise, snooze: an instant as RFC 3339, or {seconds} · incident, webhook, hand_off: a name.
    """

    kind: str
    value: Any
    rule: str
    options: dict[str, Any] = {}
