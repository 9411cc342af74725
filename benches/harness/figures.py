"""What was measured, round by round, and the figures that follow from it."""

import statistics
import sys
from dataclasses import dataclass, field

from . import process
from .tools import TOOLS, VARIANTS, Work


@dataclass(frozen=True)
class Aim:
    limit: float
    is_ceiling: bool

    def is_met(self, value):
        return value <= self.limit if self.is_ceiling else value >= self.limit

    def __str__(self):
        return f"at {'most' if self.is_ceiling else 'least'} {self.limit:g}"


def at_most(limit):
    return Aim(limit, True)


def at_least(limit):
    return Aim(limit, False)


@dataclass
class Figure:
    """One value for each round."""

    values: list = field(default_factory=list)
    aim: Aim = None

    @property
    def median(self):
        return statistics.median(self.values)


@dataclass
class Found:
    """Figures by group, tool and column, and the measurements behind them."""

    about: dict
    figures: dict = field(default_factory=dict)
    measured: list = field(default_factory=list)

    def as_json(self):
        figures = [
            {"group": group, "name": name, "column": column, "median": figure.median, "min": min(figure.values)}
            | {"max": max(figure.values), "values": figure.values}
            | ({"aim": str(figure.aim), "met": figure.aim.is_met(figure.median)} if figure.aim else {})
            for (group, name, column), figure in self.figures.items()
        ]
        return self.about | {"figures": figures, "measured": self.measured}


class Round:
    def __init__(self, number, stage, binary, found):
        self.number, self.stage, self.binary, self.found = number, stage, binary, found
        self.tools = list(TOOLS)
        self.costs = {}

    def turns(self, names):
        """Each round begins with another one, so that none always comes after the same."""
        names = list(names)
        first = self.number % len(names)
        return names[first:] + names[:first]

    def each(self, measure):
        costs = {tool: measure(tool) for tool in self.turns(self.tools)}
        return {tool: costs[tool] for tool in self.tools}

    def run(self, command, at_middle=None):
        return process.measure(command, self.stage.work / "log", at_middle)

    def work(self, tool, work, at_middle=None):
        """Has a tool do some work, and checks that it did."""
        self.stage.clear()
        cost = self.run((TOOLS | VARIANTS)[tool](self.stage, work, self.binary), at_middle)
        self.stage.check(work.place, work.steps)
        entry = {"round": self.number, "tool": tool, "place": work.place, "steps": work.steps}
        self.found.measured.append(entry | {"wall_s": cost.wall, "cpu_s": cost.cpu})
        return cost

    def steps(self, tool, place, steps):
        """What so many steps cost, measured once a round."""
        key = (tool, place, steps)
        if key not in self.costs:
            self.costs[key] = self.work(tool, Work(place, steps))
        return self.costs[key]

    def step_more(self, tool, place, steps=51):
        """Seconds for one step more, from a run of many and a run of one."""
        return (self.steps(tool, place, steps).wall - self.steps(tool, place, 1).wall) / (steps - 1)

    def note(self, group, name, column, value, aim=None):
        figure = self.found.figures.setdefault((group, name, column), Figure(aim=aim))
        figure.values.append(value)


def collect(stage, binary, rows, rounds, about):
    found = Found(about)
    # What is done only once (files that are read for the first time, caches) is no round's.
    warm = Round(0, stage, binary, Found({}))
    for tool in warm.tools:
        warm.steps(tool, "near", 1)
    for number in range(rounds):
        print(f"run: round {number + 1} of {rounds}", file=sys.stderr)
        round = Round(number, stage, binary, found)
        for row in rows:
            row(round)
    return found
