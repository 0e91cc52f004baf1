"""One row that was measured by script/bench's group `carry`, and the cells that tell of it."""

import statistics
from dataclasses import dataclass, field

HEAD = ["work", "beside", "tallyd", "the other", "ratio", "goal", ""]


@dataclass
class Finding:
    """One line of the table of the group `carry`."""

    key: str
    work: str
    goal: str
    beside: str = "-"
    own: str = "-"
    other: str = "-"
    ratios: list = field(default_factory=list)
    reached: bool | None = None  # None: not measured
    why_not: str = "not measured"
    rounds: list = field(default_factory=list)  # every figure, for results.json

    def cells(self):
        spread = "-"
        if self.ratios:
            spread = f"{statistics.median(self.ratios):.2f}"
            if len(self.ratios) > 1:
                spread += f" ({min(self.ratios):.2f} to {max(self.ratios):.2f})"
        end = self.why_not if self.reached is None else "reached" if self.reached else "missed"
        return [self.work, self.beside, self.own, self.other, spread, self.goal, end]


def middle(rounds, what):
    return statistics.median(one[what] for one in rounds)
