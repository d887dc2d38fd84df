"""The table of `make bench` as a picture (SVG): how many times the classic design each piece of work is done."""

from collections.abc import Iterator
from typing import Any
from xml.sax.saxutils import escape

WIDTH, LEFT, RIGHT, ROW, TOP = 760, 250, 70, 46, 64
OURS, GRID, INK = "#7c3aed", "#e5e5e5", "#262626"


def chart(rows: list[dict[str, Any]], classic: str) -> str:
    """Of the rows that were measured beside the classic design; the line at 1 is that design."""
    measured = [row for row in rows if row[classic]]
    most = max(row[classic]["greatest"] for row in measured)
    scale = (WIDTH - LEFT - RIGHT) / most
    height = TOP + ROW * len(measured) + 40
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#ffffff"/>',
        text(24, 34, "How many times the rate of the classic design", size=16, weight=600),
        *grid(int(most), scale, height),
    ]
    for number, row in enumerate(measured):
        parts += bars(row, classic, y=TOP + ROW * number, scale=scale)
    note = "1 is the classic design. A thin line goes from the least to the greatest ratio of a round."
    parts.append(text(LEFT, height - 10, note, size=11))
    return "\n".join([*parts, "</svg>", ""])


def grid(most: int, scale: float, height: int) -> Iterator[str]:
    for times in range(most + 1):
        x = LEFT + times * scale
        colour = INK if times == 1 else GRID
        yield f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{TOP - 10}" y2="{height - 40}" stroke="{colour}"/>'
        yield text(x, height - 28, str(times), size=11, anchor="middle")


def bars(row: dict[str, Any], classic: str, *, y: int, scale: float) -> Iterator[str]:
    ratio = row[classic]
    end = LEFT + ratio["median"] * scale
    yield text(LEFT - 12, y + 19, row["work"], size=13, anchor="end")
    yield f'<rect x="{LEFT}" y="{y + 4}" width="{end - LEFT:.1f}" height="22" rx="3" fill="{OURS}"/>'
    least, greatest = LEFT + ratio["least"] * scale, LEFT + ratio["greatest"] * scale
    yield f'<line x1="{least:.1f}" x2="{greatest:.1f}" y1="{y + 31}" y2="{y + 31}" stroke="{OURS}" stroke-width="2"/>'
    yield text(max(end, greatest) + 8, y + 20, f"{ratio['median']:.1f} x", size=14, weight=600)


def text(x: float, y: float, words: str, *, size: int, weight: int = 400, anchor: str = "start") -> str:
    style = f'font-size="{size}" font-weight="{weight}" text-anchor="{anchor}" fill="{INK}"'
    return f'<text x="{x:.1f}" y="{y}" {style}>{escape(words)}</text>'
