"""A star in a list that stands for nothing is told: the value would silently match nothing."""

from routing import rulebook
from tests.rows import every_row

BASE = """
version: 1
agents: {ann: {email: ann@x.example}}
teams: {desk: {levels: {front: [ann]}}}
default: {team: desk}
lists: {friends: VALUES}
"""


def told(values: str, **brought: tuple[str, ...]) -> list[str]:
    return [
        each.message
        for each in rulebook.load({"rules.yaml": BASE.replace("VALUES", values)}, lists=brought).warnings
    ]


@every_row("value", ["*@acme.example", "acme.*", "*", "*.acme.*", "a*b"])
def test_a_star_in_the_wrong_place_is_told(value: str) -> None:
    assert told(f'["{value}"]') == [
        f"'{value}' in list 'friends' matches nothing: '*' is understood as \"*.acme.com\" only"
    ]


@every_row("value", ["*.acme.example", "image/*", "acme.example", "ann@acme.example"])
def test_what_is_understood_is_not_told(value: str) -> None:
    assert told(f'["{value}"]') == []


def test_of_a_file_the_first_is_named_and_the_rest_counted() -> None:
    (message,) = told(
        "{file: friends.csv}", friends=("ok.example", "*@a.example", "*@b.example", "*@c.example")
    )
    assert message.startswith("'*@a.example' and 2 more in list 'friends' matches nothing")
