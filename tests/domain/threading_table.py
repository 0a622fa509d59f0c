"""The rules of threading as a table, and the rows that follow from it: who writes, how proven, what they refer to.

Written from the rules, not from the code: each line says what its row must become, and the first that fits decides.
"""

import itertools
from collections.abc import Iterator

import msgspec

SENDERS = ("customer", "copied", "other", "stranger", "agent", "ambiguous")
PROOFS = ("pass", "fail", "none", "temperror", "vouched")
REFERENCES = ("own address", "another's address", "wrong address", "our id", "held id", "tag", "nothing")
STATES = ("open", "solved", "solved long ago", "closed", "merged")
COPIES = ("nobody new", "somebody new")

ANY = frozenset({"*"})

# reference, proof, sender, state -> what becomes of it
_OUTCOMES = (
    ("wrong address|tag|nothing", "*", "*", "*", "new"),
    ("*", "fail", "*", "*", "linked"),
    ("*", "vouched", "ambiguous", "*", "linked"),  # nobody can vouch for a From that names two
    ("*", "*", "other|stranger|agent|ambiguous", "*", "suggested"),
    ("*", "*", "*", "solved long ago|closed", "linked"),  # a follow-up
    ("*", "*", "*", "solved", "reopened"),
    ("*", "*", "*", "*", "joined"),
)
# reference, proof: joined, and said to be unverified
_FLAGGED = (("held id", "none|temperror"),)
# proof, sender: may let others take part in the ticket where the mail lands
_MAY_ADD = (("pass|vouched", "customer|copied|other|stranger"),)


class Row(msgspec.Struct, frozen=True):
    sender: str
    proof: str
    reference: str
    copied: str
    state: str


class Outcome(msgspec.Struct, frozen=True):
    """place: new, linked, suggested, joined, reopened. is_flagged: told to be unverified. has_added: the one copied."""

    place: str
    is_flagged: bool = False
    has_added: bool = False


def rows() -> Iterator[Row]:
    for values in itertools.product(SENDERS, PROOFS, REFERENCES, COPIES, STATES):
        row = Row(*values)
        # An agent who is proven to be one is no stranger: that mail is an order, told elsewhere.
        if row.sender != "agent" or row.proof in ("fail", "none", "temperror"):
            yield row


def expected(row: Row) -> Outcome:
    place = next(
        outcome
        for *wanted, outcome in _OUTCOMES
        if _fits(wanted, (row.reference, row.proof, row.sender, row.state))
    )
    joins = place in ("joined", "reopened")
    return Outcome(
        place,
        is_flagged=joins and any(_fits(wanted, (row.reference, row.proof)) for wanted in _FLAGGED),
        has_added=row.copied == "somebody new"
        and any(_fits(wanted, (row.proof, row.sender)) for wanted in _MAY_ADD),
    )


def _fits(wanted: tuple[str, ...] | list[str], actual: tuple[str, ...]) -> bool:
    return all(each == "*" or value in each.split("|") for each, value in zip(wanted, actual, strict=True))
