"""`benches/run`, once everything is installed."""

import json
import shutil
import signal
import sys

from . import database, figures, process, rows, table, words
from .about import about
from .build import build
from .stage import Stage

ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupted(number, _):
    # An exception, so that the stage is cleared; nothing that follows may cut that short.
    for further in ENDING:
        signal.signal(further, signal.SIG_IGN)
    raise SystemExit(128 + number)


def measure(asked):
    built = asked.opsctl or build(with_journal="journal" in asked.only)
    with Stage(asked.cache) as stage:
        # A copy: what is measured stays the same, whatever is built in the meantime.
        binary = shutil.copy(built, stage.work / "measured")
        names = about(stage, binary, asked.rounds)
        asked_for = [getattr(database if name in words.LAB_ROWS else rows, name) for name in asked.only]
        return figures.collect(stage, binary, asked_for, asked.rounds, names)


def main():
    for number in ENDING:
        signal.signal(number, interrupted)
    process.adopt()
    asked = words.parse()
    try:
        found = measure(asked)
    except process.Failed as failed:
        sys.exit(f"run: error: {failed}")
    finally:
        process.end_everything()
    if asked.json:
        print(json.dumps(found.as_json(), indent=1))
    else:
        print(table.render(found))


main()
