"""The table in docs/benchmarks.md, between its two marks; all around it is written by hand."""
import machine
from figures import table

BEGIN = "<!-- figures: written by `make bench DOCS=1` -->"
END = "<!-- end of figures -->"


def markdown(figures, described):
    lines = ["", f"Measured on: {machine.sentence(described)}", "", "| what | value | limit | holds | |", "|---|---:|---:|---|---|"]
    lines += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in table(figures)]
    return "\n".join([*lines, ""])


def rewrite(path, figures, described):
    text = path.read_text()
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{path.name} lacks the marks between which the figures stand: {BEGIN} and {END}")
    path.write_text(before + BEGIN + "\n" + markdown(figures, described) + "\n" + END + after)
