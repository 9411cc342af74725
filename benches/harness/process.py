"""Starts what is measured, says what it cost, and leaves nothing of it behind.

This process is the *subreaper* of all that is below it: what a tool puts into the background, such as ssh's master, becomes a child
of this one, and not of init. So all of a tool's processes can be found and ended, their memory can be summed up, and their CPU time
counts when they are reaped. A *service* (sshd, the proxy) is a subreaper likewise: what it starts is the host's side, and not counted.
"""

import ctypes
import os
import resource
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36

libc = ctypes.CDLL(None, use_errno=True)
services = []


class Failed(Exception):
    """A tool did not do what it was asked."""


@dataclass(frozen=True)
class Command:
    """What to start, and with which environment and folder."""

    argv: list
    env: dict
    cwd: Path


@dataclass(frozen=True)
class Cost:
    """Of a command from its start to its end: seconds, and seconds of CPU of all its processes on this side of the connection."""

    wall: float
    cpu: float


def adopt():
    """Makes this process the parent of all that loses its own below it."""
    libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def serve(argv, **options):
    """Starts a service, which dies with this process even if that is killed."""

    def before():
        adopt()
        libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)

    service = subprocess.Popen(argv, stdin=subprocess.DEVNULL, start_new_session=True, preexec_fn=before, **options)
    services.append(service)
    return service


def start(command, log):
    return subprocess.Popen(
        command.argv,
        env=command.env,
        cwd=command.cwd,
        stdin=subprocess.DEVNULL,
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def measure(command, log, at_middle=None):
    """Runs a command to its end. `at_middle` is called with it after its start. What it left in the background is ended."""
    before = cpu_of_the_dead()
    with open(log, "w+") as output:
        begin = time.perf_counter()
        process = start(command, output)
        if at_middle:
            at_middle(process)
        status = process.wait()
        wall = time.perf_counter() - begin
        end(strays)
        if status != 0:
            output.seek(0)
            said = output.read()[-2000:]
            raise Failed(f"`{' '.join(map(str, command.argv))}` ended with {status}:\n{said}")
    return Cost(wall, cpu_of_the_dead() - before)


def cpu_of_the_dead():
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def below(root, without=()):
    """The processes below one, but those in `without` and what is below them."""
    children = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                # The name in parentheses may hold anything; after it come the state and the parent.
                parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
                children.setdefault(int(parent), []).append(int(entry.name))
    found, left = [], [root]
    while left:
        for child in children.get(left.pop(), ()):
            if child not in without:
                found.append(child)
                left.append(child)
    return found


def end(find):
    """Ends the processes that `find` finds below this one, until it finds none: asked first, killed after five seconds."""
    asked = time.monotonic()
    told = set()
    while pids := find():
        number = signal.SIGTERM if time.monotonic() < asked + 5 else signal.SIGKILL
        for pid in pids:
            if (pid, number) not in told:
                told.add((pid, number))
                with suppress(ProcessLookupError):
                    os.kill(pid, number)
            # One that is the child of another is reaped by that, or becomes a child of this one.
            with suppress(ChildProcessError):
                os.waitpid(pid, os.WNOHANG)
        time.sleep(0.002)


def strays():
    """All that is below this process and belongs to no service: a tool that runs, and what one left in the background."""
    return below(os.getpid(), without={service.pid for service in services})


def end_everything():
    end(lambda: below(os.getpid()))
    services.clear()


def memory():
    """The proportional set size, in MB, of the tool that runs: a page that several processes share counts once in all."""
    total = 0
    for pid in strays():
        with suppress(OSError):
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
            total += sum(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total * 1024 / 1e6
