"""Tables fit the terminal, colour is only where it is wanted, and nothing from outside steers the screen."""

import io

import pytest

from intake import terminal


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


ROWS = [
    {"ref": "ABC1234", "subject": "Πότε θα έρθει η παραγγελία μου; " * 4, "team": "support"},
    {"ref": "ABC1235", "subject": "注文はいつ届きますか", "team": "billing"},
    {"ref": "ABC1236", "subject": "é\u0301\x1b[2J\nx", "team": ""},
]


@pytest.mark.parametrize("width", [40, 60, 80])
def test_a_table_is_never_wider_than_the_terminal(width: int) -> None:
    lines = terminal.table(ROWS, ("ref", "subject", "team"), width=width, stretch="subject")
    assert max(map(terminal.width_of, lines)) <= width
    assert len(lines) == 4


def test_columns_stand_under_each_other_whatever_the_script() -> None:
    lines = terminal.table(ROWS[:2], ("subject", "team"), width=60, stretch="subject")
    starts = {terminal.width_of(line[: line.rindex(" ")]) for line in lines}
    assert len(starts) == 1


def test_a_cell_cannot_steer_the_terminal() -> None:
    text = "\n".join(terminal.table(ROWS, ("ref", "subject"), width=200, stretch="subject"))
    assert "\x1b" not in text
    assert len(text.splitlines()) == 4


def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert terminal.coloured("x", "red", Screen()) == "\x1b[31mx\x1b[0m"
    assert terminal.coloured("x", "red", io.StringIO()) == "x"
    monkeypatch.setenv("NO_COLOR", "1")
    assert terminal.coloured("x", "red", Screen()) == "x"


def test_progress_is_one_line_on_a_terminal_and_quiet_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(terminal.Progress, "BAR_EVERY_S", 0)
    for sink, is_shown in ((Screen(), True), (io.StringIO(), False)):
        bar = terminal.Progress("taking in", total=10, stream=sink)
        for _ in range(10):
            bar.step()
        bar.close()
        assert ("100%" in sink.getvalue()) is is_shown
        assert "\n" not in sink.getvalue()


def test_a_progress_without_an_end_is_no_error() -> None:
    bar = terminal.Progress("x", total=0, stream=Screen())
    bar.step(5)
    bar.close()
