"""One more ticket's cost over the size of the store, drawn as SVG by hand: a picture needs no library here."""

import math
from pathlib import Path

_WIDTH, _HEIGHT, _LEFT, _BOTTOM, _TOP = 640, 320, 70, 270, 40


def draw(path: Path, points: list[tuple[int, float]], *, title: str, unit: str) -> None:
    """Write the file. points: (tickets in the store, cost), smallest store first; the x axis is logarithmic."""
    top = max(cost for _, cost in points) * 1.25
    first, last = math.log10(points[0][0]), math.log10(points[-1][0])

    def x(tickets: int) -> float:
        return _LEFT + 30 + (math.log10(tickets) - first) / ((last - first) or 1) * (_WIDTH - _LEFT - 100)

    def y(cost: float) -> float:
        return _BOTTOM - cost / top * (_BOTTOM - _TOP)

    steps = [top * part / 4 for part in range(5)]
    line = " ".join(f"{x(tickets):.1f},{y(cost):.1f}" for tickets, cost in points)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {_HEIGHT}" font-family="sans-serif" font-size="12">',
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="#fff"/>',
        f'<text x="{_LEFT}" y="22" font-size="14">{title}</text>',
        *(_grid_line(y(step), f"{step:.2f} {unit}") for step in steps),
        f'<polyline points="{line}" fill="none" stroke="#1f5f99" stroke-width="2"/>',
        *(
            _point(x(tickets), y(cost), f"{cost:.2f}", f"{tickets:,}".replace(",", " "))
            for tickets, cost in points
        ),
        f'<text x="{_WIDTH / 2}" y="{_HEIGHT - 8}" text-anchor="middle">tickets in the store</text>',
        "</svg>",
    ]
    path.write_text("\n".join(parts) + "\n")


def _grid_line(y: float, label: str) -> str:
    return (
        f'<line x1="{_LEFT}" x2="{_WIDTH - 20}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
        f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#555">{label}</text>'
    )


def _point(x: float, y: float, cost: str, tickets: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="#1f5f99"/>'
        f'<text x="{x:.1f}" y="{y - 10:.1f}" text-anchor="middle">{cost}</text>'
        f'<text x="{x:.1f}" y="{_BOTTOM + 18}" text-anchor="middle" fill="#555">{tickets}</text>'
    )
