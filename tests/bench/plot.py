"""The ratios as bars, each with its limit: an SVG of our own, which any browser shows."""
import html

from figures import RATIO

WIDTH, LEFT, RIGHT, ROW, TOP, BAR = 860, 330, 70, 30, 44, 16
GOOD, BAD, INK, FAINT = "#3b7ea1", "#c4503a", "#444444", "#bbbbbb"


def bars(figures):
    """(label, how many times the reference, the most that it may be, holds): of a rate the inverse, so that longer is worse."""
    for figure in figures:
        if figure.unit != RATIO:
            continue
        value, limit, label = figure.value, figure.limit, figure.what
        if figure.at_least:
            value, limit, label = 1 / value, 1 / limit, f"time of {label}"
        yield label, value, limit, figure.holds is not False


def svg(figures):
    rows = list(bars(figures))
    most = max([1.5, *(value for _, value, _, _ in rows), *(limit for _, _, limit, _ in rows if limit)]) * 1.05
    scale = (WIDTH - LEFT - RIGHT) / most
    height = TOP + ROW * len(rows) + 24
    out = [f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}" '
           'font-family="sans-serif" font-size="13">',
           f'<rect width="{WIDTH}" height="{height}" fill="white"/>',
           text(10, 22, "Times the reference, which stands behind the slash; the mark is the limit", INK)]
    bottom = TOP + ROW * len(rows)
    out.append(f'<line x1="{LEFT + scale:.1f}" y1="{TOP - 8}" x2="{LEFT + scale:.1f}" y2="{bottom}" stroke="{FAINT}"/>')
    out.append(text(LEFT + scale - 4, bottom + 16, "1", INK))
    for number, (label, value, limit, holds) in enumerate(rows):
        y = TOP + ROW * number
        out.append(text(LEFT - 8, y + BAR - 3, label, INK, "end"))
        out.append(f'<rect x="{LEFT}" y="{y}" width="{scale * value:.1f}" height="{BAR}" fill="{GOOD if holds else BAD}"/>')
        end = value
        if limit:
            x = LEFT + scale * limit
            out.append(f'<line x1="{x:.1f}" y1="{y - 4}" x2="{x:.1f}" y2="{y + BAR + 4}" stroke="{INK}" stroke-width="2"/>')
            end = max(value, limit)
        out.append(text(LEFT + scale * end + 6, y + BAR - 3, f"{value:.2f}", INK))
    return "\n".join([*out, "</svg>"]) + "\n"


def text(x, y, words, colour, anchor="start"):
    return f'<text x="{x:.1f}" y="{y:.1f}" fill="{colour}" text-anchor="{anchor}">{html.escape(words)}</text>'
