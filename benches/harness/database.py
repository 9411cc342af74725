"""Backups and restores of a database in the lab, beside what a person would type for the same: `pg_dump`, `gzip`, `pg_restore`, `psql`.

Both go the same way: over SSH to the lab's host, and with `docker compose exec` into the container of the server. What a person types is not
synced, has no checksum and no manifest, and is not looked at afterwards; opsctl's time is that of the whole run.
"""

import fcntl
import json
import os
import secrets
import shlex
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path

from .build import ROOT
from .figures import at_most
from .process import Failed, end, strays

SMALL, LARGE = "64MiB", os.environ.get("OPSCTL_BENCH_SIZE", "1GiB")
HOST, FOLDER = "opsctl-lab-app", "/var/backups/opareta/bench"
STACK = "/opt/opareta/infrastructure/docker"
EXEC = f"docker compose --project-directory {STACK} -f {STACK}/docker-compose.prod.yml exec -T postgres-argus"
NEW = "argus_db_by_hand"
CREATE = f"{EXEC} psql -qXU argus -d postgres -c 'DROP DATABASE IF EXISTS {NEW}' -c 'CREATE DATABASE {NEW}'"

BY_HAND_GZIP, BY_HAND_CUSTOM = "pg_dump | gzip", "pg_dump -Fc"
OPSCTL_GZIP, OPSCTL_CUSTOM = "opsctl, .sql.gz", "opsctl, .dump"
ARCHIVE_BY_HAND, PLAIN_BY_HAND = "pg_restore", "gzip -d | psql"
ARCHIVE_LOADED, PLAIN_LOADED = "opsctl loads .dump", "opsctl loads .sql.gz"


def backup(round):
    """The size is the same for all; the manifest, the checksum and the sync are opsctl's own."""
    lab = Lab.of(round)
    lab.fill(LARGE)
    took = {
        BY_HAND_GZIP: lambda: lab.on_host(f"{EXEC} pg_dump -U argus argus_db | gzip >{FOLDER}/by-hand.sql.gz"),
        OPSCTL_GZIP: lambda: lab.back_up("opsctl.sql.gz").wall,
        BY_HAND_CUSTOM: lambda: lab.on_host(f"{EXEC} pg_dump -U argus -Fc argus_db >{FOLDER}/by-hand.dump"),
        OPSCTL_CUSTOM: lambda: lab.back_up("opsctl.dump").wall,
    }
    took = {name: took[name]() for name in round.turns(took)}
    compare(round, f"a backup of {LARGE}", took, {OPSCTL_GZIP: BY_HAND_GZIP, OPSCTL_CUSTOM: BY_HAND_CUSTOM})
    for name, file in ((BY_HAND_GZIP, "by-hand.sql.gz"), (BY_HAND_CUSTOM, "by-hand.dump"), (OPSCTL_CUSTOM, "opsctl.dump")):
        round.note(f"a backup of {LARGE}", name, "MB", int(lab.said(f"stat -c %s {FOLDER}/{file}")) / 1e6)


def restore(round):
    """The same two files. What opsctl needs to load one is the time of that step: the plan has its checks and the comparison besides."""
    lab = Lab.of(round)
    lab.fill(LARGE)
    for file in ("opsctl.sql.gz", "opsctl.dump"):
        if not lab.has(file):
            lab.back_up(file)
    load = f"psql -qXU argus -d {NEW} -o /dev/null"
    took = {
        ARCHIVE_BY_HAND: lambda: lab.by_hand(f"{EXEC} pg_restore -U argus -d {NEW} <{FOLDER}/opsctl.dump"),
        ARCHIVE_LOADED: lambda: lab.trial("opsctl.dump"),
        PLAIN_BY_HAND: lambda: lab.by_hand(f"gzip -dc {FOLDER}/opsctl.sql.gz | {EXEC} {load}"),
        PLAIN_LOADED: lambda: lab.trial("opsctl.sql.gz"),
    }
    took = {name: took[name]() for name in round.turns(took)}
    compare(round, f"loading a backup of {LARGE}", took, {ARCHIVE_LOADED: ARCHIVE_BY_HAND, PLAIN_LOADED: PLAIN_BY_HAND})


def flat(round):
    """The most memory that opsctl itself had, with a small database and with a large one."""
    lab = Lab.of(round)
    most = {}
    for size in (SMALL, LARGE):
        lab.fill(size)
        most[size] = {"backup": lab.back_up("flat.dump").memory, "trial restore": lab.run("trial", "flat.dump").memory}
    for what, mb in most[SMALL].items():
        name = f"opsctl, {what}"
        round.note("the most memory of opsctl", name, f"MB with {SMALL}", mb)
        round.note("the most memory of opsctl", name, f"MB with {LARGE}", most[LARGE][what])
        round.note("the most memory of opsctl", name, f"{SMALL} = 1", most[LARGE][what] / mb, at_most(1.1))


def compare(round, group, took, pairs):
    for name, seconds in took.items():
        round.note(group, name, "s", seconds)
    for name, base in pairs.items():
        round.note(group, name, f"{base} = 1", took[name] / took[base], at_most(1.1))


@dataclass(frozen=True)
class Ended:
    """Seconds, the most MB that the process itself had, and what it printed."""

    wall: float
    memory: float
    said: str


class Lab:
    """The lab's host, over SSH as its user `deploy`."""

    def __init__(self, stage, binary):
        self.stage, self.binary = stage, binary
        said = subprocess.run(
            ["bash", "-c", f"source {shlex.quote(str(ROOT / 'tests/lib.sh'))}; lab_inventory app"], capture_output=True, text=True
        )
        if said.returncode != 0:
            raise Failed(f"the lab did not come up:\n{said.stderr}")
        self.inventory = said.stdout.strip()
        # A drill has the host for itself, and waits for its turn likewise.
        self.turn = open(Path(tempfile.gettempdir()) / "opsctl-drill-app.lock", "w")
        fcntl.flock(self.turn, fcntl.LOCK_EX)
        self.config = f"{os.path.dirname(self.inventory)}/ssh_config"
        self.on_host(f"rm -rf {FOLDER}; mkdir -p {FOLDER}")

    @staticmethod
    def of(round):
        return lab(round.stage, str(round.binary))

    def end(self):
        self.on_host(f"rm -rf {FOLDER}; {EXEC} psql -qXU argus -d postgres -c 'DROP DATABASE IF EXISTS {NEW}' 2>/dev/null")
        self.tool("fill-database", "--empty")
        self.turn.close()

    def tool(self, name, *words):
        ended = subprocess.run([ROOT / "tests/lab" / name, *words], capture_output=True, text=True)
        if ended.returncode != 0:
            raise Failed(f"`tests/lab/{name}`: {ended.stderr}")

    def fill(self, size):
        self.tool("fill-database", "--size", size)

    def ssh(self, line):
        script = f"set -o pipefail; {line}"
        argv = ["ssh", "-F", self.config, f"deploy@{HOST}", f"sudo bash -c {shlex.quote(script)}"]
        return self.measured(argv, {})

    def on_host(self, line):
        """Seconds."""
        return self.ssh(line).wall

    def said(self, line):
        return self.ssh(line).said

    def has(self, file):
        return self.said(f"test -e {FOLDER}/{file} && echo yes || true") != ""

    def by_hand(self, line):
        self.on_host(CREATE)
        return self.on_host(line)

    def back_up(self, file):
        self.on_host(f"rm -f {FOLDER}/{file} {FOLDER}/{file}.json")
        return self.run("backup", file)

    def trial(self, file):
        """Seconds of the step that loads it."""
        lines = self.run("trial", file).said.splitlines()
        events = [event for event in map(json.loads, lines) if event.get("step") == "load" and "type" in event]
        at = {event["type"]: datetime.fromisoformat(event["at"]) for event in events}
        return (at["step_finished"] - at["step_started"]).total_seconds()

    def run(self, runbook, file):
        settings = {
            "OPSCTL_INVENTORY": self.inventory,
            "OPSCTL_STATE_DIR": str(self.stage.work / "state"),
            "OPSCTL_OPERATOR": "bench",
        }
        argv = [self.binary, "run", f"database-{runbook}", "database=argus", f"file={FOLDER}/{file}", "--yes", "--json"]
        return self.measured(argv, self.stage.environment() | settings)

    def measured(self, argv, settings):
        name = self.stage.work / f"said-{secrets.token_hex(4)}"
        with open(name, "w+") as out, open(self.stage.work / "log", "w+") as log:
            begin = time.perf_counter()
            process = subprocess.Popen(
                argv, env=os.environ | settings, stdin=subprocess.DEVNULL, stdout=out, stderr=log, start_new_session=True
            )
            most = 0
            while process.poll() is None:
                most = max(most, peak(process.pid))
                time.sleep(0.02)
            wall = time.perf_counter() - begin
            end(strays)
            out.seek(0)
            log.seek(0)
            said = out.read()
            if process.returncode != 0:
                raise Failed(f"`{' '.join(map(str, argv))}` ended with {process.returncode}:\n{log.read()[-2000:]}")
        name.unlink()
        return Ended(wall, most, said)


def peak(pid):
    """The most that a process had so far, in MB. Its own: what `wait4` tells has that of whoever started it in it."""
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    return 0


@cache
def lab(stage, binary):
    made = Lab(stage, binary)
    stage.at_end.append(made.end)
    return made
