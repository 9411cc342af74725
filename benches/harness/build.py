"""What is measured of the crate itself: opsctl as it is released, and the program that measures the journal."""

import os
import subprocess
import sys
from pathlib import Path

from .process import Failed

ROOT = Path(__file__).parents[2]
JOURNAL = ["bench", "--locked", "--bench", "journal"]


def build(with_journal):
    """Gives the path of opsctl. It is built last: the other leaves one there that shares its features with the tests."""
    print("run: building opsctl", file=sys.stderr)
    if with_journal:
        cargo(*JOURNAL, "--no-run")
    cargo("build", "--release", "--locked")
    return ROOT / "target/release/opsctl"


def cargo(*words, **environment):
    """Gives what it printed."""
    ended = subprocess.run(["cargo", "--quiet", *words], cwd=ROOT, env=os.environ | environment, capture_output=True, text=True)
    if ended.returncode != 0:
        raise Failed(f"`cargo {' '.join(words)}` ended with {ended.returncode}:\n{ended.stderr}")
    return ended.stdout
