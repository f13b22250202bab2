"""What was measured: a row each, with its limit and whether it holds."""
import dataclasses
import math
import statistics


@dataclasses.dataclass(frozen=True)
class Figure:
    scenario: str
    what: str
    value: float
    unit: str = ""
    digits: int = 1
    limit: float | None = None
    at_least: bool = False  # the limit is the least that is wanted, not the most
    note: str = ""

    @property
    def shown(self):
        return f"{self.value:.{self.digits}f} {self.unit}".strip()

    @property
    def limit_shown(self):
        return "" if self.limit is None else f"{'≥' if self.at_least else '≤'} {self.limit:g} {self.unit}".strip()

    @property
    def holds(self):
        if self.limit is None:
            return None
        return self.value >= self.limit if self.at_least else self.value <= self.limit

    @property
    def verdict(self):
        return {None: "", True: "yes", False: "NO"}[self.holds]

    def as_json(self):
        return {**dataclasses.asdict(self), "holds": self.holds}


RATIO = "×"


def quantile(samples, share):
    """The nearest rank: a value that was measured."""
    ordered = sorted(samples)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def latency(scenario, what, samples, note=""):
    """Rows of the median and the 99th percentile of some milliseconds."""
    said = ", ".join(filter(None, [f"n = {len(samples)}", note]))
    return [Figure(scenario, f"{what}, p50", statistics.median(samples), "ms", 1, note=said),
            Figure(scenario, f"{what}, p99", quantile(samples, 0.99), "ms", 1)]


def ratio(scenario, what, over, under, limit=None, of=statistics.median):
    """Of the medians, or of what else is said, of two lists of blocks of samples; the note says how far the blocks are apart."""
    whole = of(sum(over, [])) / of(sum(under, []))
    each = [of(a) / of(b) for a, b in zip(over, under)]
    note = f"blocks {min(each):.2f} to {max(each):.2f}" if len(each) > 1 else ""
    return Figure(scenario, what, whole, RATIO, 2, limit, note=note)


def table(figures):
    """Rows of text: what, value, limit, whether it holds, note."""
    return [[f.what, f.shown, f.limit_shown, f.verdict, f.note] for f in figures]


def print_table(figures):
    rows = [["", "value", "limit", "holds", ""], *table(figures)]
    widths = [max(len(row[i]) for row in rows) for i in range(5)]
    for row in rows:
        line = f"{row[0]:<{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]:<{widths[3]}}  {row[4]}"
        print(line.rstrip())
