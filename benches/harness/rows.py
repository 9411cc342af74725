"""The rows: each is a function that takes one round's measurements and notes the figures that follow from them.

Nearly all figures are ratios of two measurements of the same round: what the machine is like, and what else it does at the time, is in
both. `round.steps` measures once a round, however many rows ask.
"""

import json
import os
import shutil
import statistics
import time

from . import process
from .build import JOURNAL, cargo
from .figures import at_least, at_most
from .process import Command
from .tools import LOOP, OPSCTL, PIPELINED, VARIANTS, Work

# The difference between a run of this many steps and a run of one is what fifty steps cost.
STEPS = 51
NEAR, FAR = "one step more on one host", "one step more over the slow line"


def startup(round):
    words = {"true": [shutil.which("true")], "opsctl --version": [round.binary, "--version"]}
    costs = {name: [] for name in words}
    for _ in range(40):
        for name in round.turns(words):
            command = Command(words[name], round.stage.environment(), round.stage.work)
            costs[name].append(round.run(command).wall)
    for name in words:
        round.note("start-up", name, "true = 1", statistics.median(costs[name]) / statistics.median(costs["true"]))


def steps(round):
    total, more = round.each(lambda tool: round.steps(tool, "near", STEPS)), round.each(lambda tool: round.step_more(tool, "near"))
    compare(round, f"{STEPS} steps on one host, the connection included", walls(total), {(OPSCTL, LOOP): at_most(0.60)})
    compare(round, NEAR, more, {(OPSCTL, LOOP): at_most(0.60), (PIPELINED, OPSCTL): at_least(20)})
    compare(round, f"CPU of {STEPS} steps on one host", {tool: cost.cpu for tool, cost in total.items()})


def far(round):
    total, more = round.each(lambda tool: round.steps(tool, "far", STEPS)), round.each(lambda tool: round.step_more(tool, "far"))
    compare(round, f"{STEPS} steps over the slow line, the connection included", walls(total))
    compare(round, FAR, more, {(PIPELINED, OPSCTL): at_least(8)})
    line = round.stage.round_trip["far"] - round.stage.round_trip["near"]
    for tool, cost in more.items():
        trips = (cost - round.step_more(tool, "near")) / line
        round.note(FAR, tool, "round trips", trips, at_most(1.15) if tool == OPSCTL else None)


def hosts(round):
    compare(round, "5 steps on each of 20 hosts, all at once", walls(round.each(lambda tool: round.steps(tool, "many", 5))))


def journal(round):
    """A program of the crate writes both ways in turns, record by record, and says how many nanoseconds each took at the median."""
    took = json.loads(cargo(*JOURNAL, TMPDIR=str(round.stage.work)))
    for name in took:
        round.note("one durable record", name, "append + fdatasync = 1", took[name] / took["append + fdatasync"])


def memory(round):
    """While the step in the middle waits for the other end of a FIFO."""
    used = {}
    for tool in round.turns(round.tools):
        hold = round.stage.work / "hold"
        hold.unlink(missing_ok=True)
        os.mkfifo(hold)

        def look(running):
            until_held(hold, running, lambda: used.__setitem__(tool, process.memory()))

        round.work(tool, Work("near", STEPS - 1, hold), at_middle=look)
    group = f"memory in the middle of {STEPS - 1} steps, with ssh"
    for tool, mb in used.items():
        round.note(group, tool, "MB", mb, at_most(12) if tool == OPSCTL else None)
        round.note(group, tool, f"{LOOP} = 1", mb / used[LOOP])


def guarantees(round):
    more = {tool: round.step_more(tool, "near", 201) for tool in round.turns([OPSCTL, *VARIANTS])}
    for tool, cost in more.items():
        round.note("what the guarantees cost a step", tool, f"{OPSCTL} = 1", cost / more[OPSCTL])


def walls(costs):
    return {tool: cost.wall for tool, cost in costs.items()}


def compare(round, group, values, aims=()):
    """Each tool beside the loop, and beside opsctl. An aim is for a tool and what it is compared with."""
    for base in (LOOP, OPSCTL):
        for tool, value in values.items():
            round.note(group, tool, f"{base} = 1", value / values[base], dict(aims).get((tool, base)))


def until_held(fifo, running, look):
    """Looks when somebody reads the FIFO, and then lets the reader go on."""
    while running.poll() is None:
        try:
            writer = os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            # Nobody reads yet.
            time.sleep(0.002)
            continue
        look()
        os.close(writer)
        return
