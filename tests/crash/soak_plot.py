"""Draws what tests/crash/soak.py has seen: memory, descriptors and latency over time, as SVG."""
import collections
import math

Sample = collections.namedtuple("Sample", "second memory_kib descriptors p50_ms p99_ms")

WIDTH, PANEL, GAP, LEFT, RIGHT, TOP = 720, 120, 44, 64, 16, 28
POINTS_MAX = 240  # of a line; each is the median of the seconds it stands for
STYLE = ("text{font:12px sans-serif;fill:#333}.axis{stroke:#bbb;stroke-width:1;fill:none}"
         "polyline{fill:none;stroke-width:1.5}.a{stroke:#1f5fa8}.b{stroke:#b3541e}"
         "@media(prefers-color-scheme:dark){text{fill:#ddd}.axis{stroke:#666}"
         ".a{stroke:#7db3ee}.b{stroke:#f0a070}}")


def slope(values):
    """Of the line through them by least squares, per step."""
    n = len(values)
    middle, mean = (n - 1) / 2, sum(values) / n
    spread = sum((i - middle) ** 2 for i in range(n))
    return sum((i - middle) * (v - mean) for i, v in enumerate(values)) / spread if spread else 0.0


def thinned(values):
    step = -(-len(values) // POINTS_MAX)
    groups = [sorted(values[i:i + step]) for i in range(0, len(values), step)]
    return [group[len(group) // 2] for group in groups]


def nice(value):
    """The next 1, 2 or 5 times a power of ten."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


class Panel:
    """One pair of axes; `at` maps a value to 0..1."""

    def __init__(self, number, title, ticks, at):
        self.top = TOP + number * (PANEL + GAP)
        self.at = at
        self.parts = [f'<text x="{LEFT}" y="{self.top - 8}">{title}</text>']
        for tick in ticks:
            y = self.y(tick)
            self.parts.append(f'<path class="axis" d="M{LEFT} {y}H{WIDTH - RIGHT}"/>'
                              f'<text x="{LEFT - 8}" y="{y + 4}" text-anchor="end">{tick:g}</text>')

    def y(self, value):
        return round(self.top + PANEL * (1 - min(1.0, max(0.0, self.at(value)))), 1)

    def line(self, kind, values):
        values = thinned(values)
        width = (WIDTH - LEFT - RIGHT) / max(1, len(values) - 1)
        points = " ".join(f"{LEFT + i * width:.1f},{self.y(v):g}" for i, v in enumerate(values))
        self.parts.append(f'<polyline class="{kind}" points="{points}"/>')


def from_zero(number, title, values):
    most = nice(max(values))
    panel = Panel(number, title, (0, most / 2, most), lambda value: value / most)
    panel.line("a", values)
    return panel


def latency(number, samples):
    low, high = 0.1, 1000
    panel = Panel(number, "latency in ms of each second, median (blue) and p99 (orange)",
                  (0.1, 1, 10, 100, 1000),
                  lambda value: math.log10(max(value, low) / low) / math.log10(high / low))
    panel.line("a", [s.p50_ms for s in samples])
    panel.line("b", [s.p99_ms for s in samples])
    return panel


def svg(samples):
    panels = (from_zero(0, "memory (RSS) in MiB", [s.memory_kib / 1024 for s in samples]),
              from_zero(1, "open descriptors", [s.descriptors for s in samples]),
              latency(2, samples))
    height = TOP + len(panels) * (PANEL + GAP)
    minutes = samples[-1].second / 60
    foot = (f'<text x="{LEFT}" y="{height - 18}">0</text><text x="{WIDTH - RIGHT}" '
            f'y="{height - 18}" text-anchor="end">{minutes:.0f} min</text>')
    body = "\n".join(part for panel in panels for part in panel.parts)
    return (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
            f'width="{WIDTH}" height="{height}" role="img">\n'
            f"<title>tallyd under mixed load: memory, descriptors, latency</title>\n"
            f"<style>{STYLE}</style>\n{body}\n{foot}\n</svg>\n")
