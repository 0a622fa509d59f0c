"""What people write who come from elsewhere is answered with what they mean to write, and never in silence."""

from routing import rulebook
from routing.problems import ConfigError, Problem
from tests.rows import every_row

BASE = """
version: 1
agents: {ann: {email: ann@x.example}}
teams: {desk: {levels: {front: [ann]}}}
default: {team: desk}
route: [{id: a, when: WHEN, then: {team: desk}}]
"""


def told(when: str) -> list[str]:
    try:
        found: tuple[Problem, ...] = rulebook.load({"r.yaml": BASE.replace("WHEN", when)}).warnings
    except ConfigError as error:
        found = error.problems
    return [f"{each.severity}: {each.message} — {each.hint}" for each in found]


@every_row(
    ("when", "answer"),
    [
        ("{channel: mail}", "warning: no medium 'mail' is known — did you mean 'email'?"),
        ("{language: polish}", "warning: no language 'polish' is ever told — write two letters like pl"),
        ("{language: [pl, pt-BR]}", "warning: no language 'pt-BR' is ever told — write two letters like pl"),
        ("{and: [{channel: sms}]}", "error: no fact 'and' — write all: [condition, condition]"),
        ("{OR: [{channel: sms}]}", "error: no fact 'OR' — write any: [condition, condition]"),
        ("channel == sms",
         "error: no condition 'channel == sms' — a condition is written like {channel: email}"),
        (r"{text.words: ['fatura\w+']}",
         r"error: 'fatura\w+' looks like a pattern, and words stand for themselves — write text.regex, or \"invoice*\"".replace('\\"', '"')),
        ("{text.words: ['cat|dog']}",
         "error: 'cat|dog' looks like a pattern, and words stand for themselves — write text.regex, or \"invoice*\""),
        ("{text.words: ['.*cat.*']}",
         "error: '.*cat.*' looks like a pattern, and words stand for themselves — write text.regex, or \"invoice*\""),
    ],
)  # fmt: skip
def test_a_slip_is_answered(when: str, answer: str) -> None:
    assert told(when) == [answer]


@every_row(
    "when",
    [
        "{channel: EMAIL}", "{channel: pager}", "{language: [PL, el, none]}", "{language: any}", "{customer.language: haw}",
        "{text.words: ['C++', 'a.b', 'what?', '50%', 'e.g.', 'refund*', 'AT&T']}",
    ],
)  # fmt: skip
def test_what_is_right_is_not_answered(when: str) -> None:
    assert told(when) == []
