"""The rows of the result, and how they are printed."""
from dataclasses import dataclass


@dataclass
class Row:
    work: str
    ours: str
    peer: str
    ratio: float | None
    target: str  # ">= 0.5 x", "<= 40 MB": what `ratio` is held to
    met: bool | None  # None: could not be measured

    @property
    def verdict(self):
        return {True: "met", False: "not met", None: "NOT MEASURED"}[self.met]


def at_least(work, ours, peer, ratio, bound, unit=" x"):
    return Row(work, ours, peer, ratio, f">= {bound:g}{unit}", ratio >= bound)


def at_most(work, ours, peer, ratio, bound, unit=" x"):
    return Row(work, ours, peer, ratio, f"<= {bound:g}{unit}", ratio <= bound)


def failed(work, reason):
    return Row(work, "-", str(reason).replace("\n", " ")[:160], None, "", None)


def short(value):
    if value is None:
        return "-"
    return f"{value:.0f}" if value >= 100 else f"{value:.3g}"


def render(rows):
    """A Markdown table, padded so that it also reads well in a terminal."""
    cells = [("work", "ours", "peer or limit", "ratio", "target", "")]
    cells += [(r.work, r.ours, r.peer, short(r.ratio), r.target, r.verdict) for r in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(cells[0]))]
    lines = ["| " + " | ".join(c.ljust(w) for c, w in zip(line, widths)) + " |" for line in cells]
    lines.insert(1, "|" + "|".join("-" * (w + 2) for w in widths) + "|")
    return "\n".join(lines)


def rate(value):
    return f"{value:,.0f}/s"


def ms(value):
    return f"{value:.2f} ms" if value < 10 else f"{value:.0f} ms"


def seconds(value):
    return f"{value:.2f} s" if value >= 1 else ms(value * 1e3)


def mb(kb):
    return f"{kb / 1024:.1f} MB"
