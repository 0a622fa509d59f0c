"""Keeps the figures of the web's long runs: pages whose lines are cut, answers that cross, texts that would run."""

from bench.results import Results
from tests.web.chat_torture import Outcome
from tests.web.reply_race import Result

CUTS = "chat cuts"
RACES = "crossing answers"
TEXTS = "hostile texts"


def record_cuts(outcome: Outcome, *, pages: int, restarts: int, cut_s: float) -> None:
    """Write what became of the lines of pages whose connections never lived long."""
    results = Results()
    results.begin(CUTS, is_quick=False)
    head = ["Pages", "Lines", "Answers", "Connections", "Restarts", "Lost, doubled or misplaced", "Seconds"]
    row = [pages, outcome.lines, outcome.answers, outcome.connections, restarts, len(outcome.faults)]
    row.append(round(outcome.seconds))
    title = f"Chats cut every {cut_s:g} s, their daemon killed"
    results.table(CUTS, title, head, [[str(cell) for cell in row]])


def record_race(result: Result, *, seconds: float) -> None:
    """Write what two browsers sent that answered the same ticket at once."""
    results = Results()
    results.begin(RACES, is_quick=False)
    results.note(
        RACES,
        f"Two browsers answered the same ticket {result.rounds} times at once: {result.doubled} sent twice, {result.none} not sent, "
        f"{result.lost} texts lost ({seconds:.0f} s).",
    )


def record_texts(texts: int, pages: int, *, shown: int, got_out: int, seconds: float) -> None:
    """Write whether any text ran, asked somebody outside or became markup."""
    results = Results()
    results.begin(TEXTS, is_quick=False)
    results.note(
        TEXTS,
        f"{texts} texts that would run, by every channel and field, on {pages} pages in Chromium: {shown} seen as text, {got_out} ran, "
        f"asked outside or became markup ({seconds:.0f} s).",
    )
