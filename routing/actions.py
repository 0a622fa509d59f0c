"""What rules and ladder steps do: one value for an effect, whoever asked for it."""

from typing import Any

import msgspec


class Action(msgspec.Struct, frozen=True):
    """An effect that intake carries out. value: JSON. rule: the id of the rule, or "ladder/step" of a ladder.

    reply: a template's name · notify: assignee, agent, team, a level, an agent's name or an address · note: text ·
    ignore, spam: true · level: names in order of preference · priority: a name · tags, untag: names.
    """

    kind: str
    value: Any
    rule: str
