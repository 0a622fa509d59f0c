"""What an automatic answer that says "we are late" must never be: sent twice for one delay, or after the answer came.

A reply of a ladder's step is such an answer, and so is the template of this name in a rule.
"""

from datetime import datetime

from routing.actions import Action

TEMPLATE = "delayed"
ONCE = "the customer was told of this delay before"
ANSWERED = "the customer has had an answer since they wrote"
# Of these an answer is no end: somebody is owed a word after it.
_AFTER_ANSWERS = ("update", "promise")


def run_of(action: Action, cause: str) -> str | None:
    """The delay that a reply tells of: one target's one run, or what a rule waited for. None = it tells of none.

    cause: unique for what made the rule act.
    """
    told: str | None = action.options.get("run_of")
    return told or (cause if action.value == TEMPLATE else None)


def is_answered(run_of: str, *, answered_at: datetime | None, wrote_at: datetime) -> bool:
    """Whether nobody waits any more. answered_at: a person's last public answer; wrote_at: the customer's last words."""
    target = run_of.partition("/")[0]
    return target not in _AFTER_ANSWERS and answered_at is not None and answered_at >= wrote_at
