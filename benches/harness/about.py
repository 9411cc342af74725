"""What a reader has to know beside the figures: versions, the machine, the line."""

import importlib.metadata
import os
import platform
import subprocess


def about(stage, binary, rounds):
    near, far = (f"{stage.round_trip[place] * 1000:.2f} ms" for place in ("near", "far"))
    return {
        "versions": ", ".join(
            [said(binary, "--version"), said("ssh", "-V").split(",")[0]]
            + [f"{name} {importlib.metadata.version(name)}" for name in ("ansible-core", "pyinfra")]
            + [f"Python {platform.python_version()}"]
        ),
        "machine": f"{os.cpu_count()} CPUs, the disk has {said('findmnt', '-n', '-o', 'FSTYPE', '-T', stage.work)}",
        "round trip": f"{near} on loopback, {far} over the slow line",
        "rounds": rounds,
    }


def said(*argv):
    ended = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=True)
    return ended.stdout.strip()
