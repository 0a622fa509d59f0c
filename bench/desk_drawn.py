"""What people ask the desk for, drawn at random from what a store of desk_fixture has."""

import random
import sqlite3
from collections.abc import Callable

from bench import desk_fixture
from intake import refs
from intake.web.access import Who

ADMIN = Who(kind="agent", name="root", role="admin")


class Drawn:
    """Draws, always the same in the same order."""

    def __init__(self, bare: sqlite3.Connection) -> None:
        self._bare, self.chance = bare, random.Random(1)
        [(self.count,)] = bare.execute("SELECT count(*) FROM tickets").fetchall()
        self._words = desk_fixture.Words(random.Random(20_261_122)).known

    def somebody(self) -> Who:
        chance = self.chance
        if chance.random() < 0.25:
            return ADMIN
        teams = frozenset(chance.sample(desk_fixture.TEAMS, chance.randint(1, 3)))
        return Who(kind="agent", name=chance.choice(desk_fixture.AGENTS), teams=teams)

    def team(self) -> str:
        return self.chance.choice(desk_fixture.TEAMS)

    def kinds(self) -> tuple[Callable[[], str], ...]:
        return (
            self.common, self._rare, self._two, self._beginning, self._number, self._phone, self._address, self._ref,
            self._filtered, self._nothing, self._misspelt,
        )  # fmt: skip

    def ref(self) -> str:
        return self._ref()

    def common(self) -> str:
        return self.chance.choice(self._words[:200])

    def _rare(self) -> str:
        return self.chance.choice(self._words[2_000:])

    def _two(self) -> str:
        return f"{self.common()} {self.chance.choice(self._words[:3_000])}"

    def _beginning(self) -> str:
        return f"{self.common()} {self.chance.choice(self._words)[:4]}"

    def _number(self) -> str:
        return f"AB-{self.chance.randrange(0, self.count, 4):07}/26"

    def _phone(self) -> str:
        return f"{600 + self.chance.randrange(0, 100)} {self.chance.randrange(1_000):03} 777"

    def _address(self) -> str:
        number = self.chance.randrange(1, self.count // 3)
        [(value,)] = self._bare.execute(
            "SELECT value FROM identities WHERE customer_id = ?", (number,)
        ).fetchall()
        return str(value)

    def _ref(self) -> str:
        return refs.ref_from_number(self.chance.randrange(self.count), desk_fixture.REF_KEY)

    def _filtered(self) -> str:
        return f"{self.common()} status:open team:{self.team()}"

    def _misspelt(self) -> str:
        """Return a long word with a letter too many, or with two that changed places as well."""
        word = self.chance.choice([each for each in self._words[:5_000] if len(each) > 8])
        place = self.chance.randrange(1, len(word) - 3)
        slipped = f"{word[:place]}q{word[place:]}"
        return slipped if self.chance.random() < 0.5 else f"{slipped[:-2]}{slipped[-1]}{slipped[-2]}"

    def _nothing(self) -> str:
        return f"{self.common()} qqqqqq"
