"""The tools, each given the same work: step K appends the line K to a file on every host, and no step begins before the last has ended.

Each gets its fastest plain form: no facts gathered, no interpreter searched for, as many hosts at once as there are. Where `hold` is
given, the step in the middle waits for the other end of that FIFO, so that a tool can be looked at while it runs.
"""

import json
import os
import sys
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .process import Command
from .stage import PLACES


@dataclass(frozen=True)
class Work:
    """So many steps on the hosts of a place."""

    place: str
    steps: int
    hold: Path = None

    def lines(self, folder, host):
        """A line for the shell for each step; `host` is how the tool at hand writes the name of the host."""
        for step in range(1, self.steps + 1):
            hold = f"; cat {self.hold}" if self.hold and step == (self.steps + 1) // 2 else ""
            yield f"echo {step} >> {folder}/{host}{hold}"


def write(folder, name, text):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)


SCRIPT = """\
on_host() {{
    host=$1
    ssh=(ssh -F {config} -S {sockets}/$host)
    "${{ssh[@]}}" -M -f -N "$host"
    for line in "${{lines[@]}}"; do "${{ssh[@]}}" "$host" "$line" || exit; done
    "${{ssh[@]}}" -O exit "$host"
}}
set -e
for host in {hosts}; do
    lines=({lines})
    on_host "$host" {background}
done
for _ in {hosts}; do {wait}; done
"""


def loop(stage, work, _):
    """A bash loop over one ControlMaster for each host: no record, no receipt, no check."""
    folder = stage.work / "loop"
    lines = " ".join(f'"{line}"' for line in work.lines(stage.lines, "$host"))
    hosts = PLACES[work.place]
    background, wait = ("", ":") if len(hosts) == 1 else ("&", "wait -n")
    names = " ".join(hosts)
    text = SCRIPT.format(
        config=stage.ssh_config, sockets=stage.sockets, hosts=names, lines=lines, background=background, wait=wait
    )
    write(folder, "loop.sh", text)
    return Command(["bash", "loop.sh"], stage.environment(), folder)


ANSIBLE = """\
[defaults]
home = {home}/.ansible
forks = {forks}
interpreter_python = {python}
[ssh_connection]
pipelining = {pipelining}
ssh_common_args = -F {config}
control_path_dir = {sockets}
"""


def ansible(stage, work, _, *, pipelining):
    folder = stage.work / "ansible"
    hosts = PLACES[work.place]
    write(folder, "hosts", "".join(f"{host}\n" for host in hosts))
    lines = work.lines(stage.lines, "{{ inventory_hostname }}")
    tasks = [{"name": f"step {step}", "ansible.builtin.shell": line} for step, line in enumerate(lines, 1)]
    # JSON is YAML.
    write(folder, "play.yml", json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    config = ANSIBLE.format(
        home=stage.home,
        forks=len(hosts),
        python=os.path.realpath(sys.executable),
        pipelining=pipelining,
        config=stage.ssh_config,
        sockets=stage.sockets,
    )
    write(folder, "ansible.cfg", config)
    settings = {"ANSIBLE_CONFIG": f"{folder}/ansible.cfg"}
    return Command(["ansible-playbook", "-i", "hosts", "play.yml"], stage.environment() | settings, folder)


def pyinfra(stage, work, _):
    folder = stage.work / "pyinfra"
    hosts = []
    for host in PLACES[work.place]:
        data = {
            "ssh_hostname": "127.0.0.1",
            "ssh_port": stage.ports[host],
            "ssh_user": stage.user,
            "ssh_key": str(stage.keys / "user"),
            "ssh_known_hosts_file": str(stage.keys / "known_hosts"),
            "ssh_strict_host_key_checking": "yes",
        }
        hosts.append((host, data))
    write(folder, "inventory.py", f"hosts = {hosts!r}\n")
    lines = list(work.lines(stage.lines, "{host.name}"))
    deploy = f"from pyinfra import host\nfrom pyinfra.operations import server\n\nfor line in {lines!r}:\n"
    write(folder, "deploy.py", deploy + "    server.shell(commands=[line.format(host=host)])\n")
    return Command(["pyinfra", "-y", "inventory.py", "deploy.py"], stage.environment(), folder)


def opsctl(stage, work, binary, *, receipts=True, sync=True):
    """The variants say what the guarantees cost. opsctl has no switch that turns one off, so it is given other circumstances: steps
    that are said to read, which leave no receipt; its own state in memory, and a host where `sync` does nothing."""
    hosts = PLACES[work.place]
    folder = stage.work / "opsctl"
    state = (stage.work if sync else stage.memory) / "state"
    entries = {
        host: {
            "address": f"ssh://{host if sync else 'unsynced'}",
            "ssh_config": str(stage.ssh_config),
            "state_dir": f"{stage.work}/kept/{host}",
        }
        for host in hosts
    }
    write(folder, "opsctl.yaml", json.dumps({"name": "bench", "hosts": entries}))
    each = {"for_each": "{{ " + json.dumps(hosts) + " }}", "parallel": len(hosts)} if len(hosts) > 1 else {}
    host = "{{ item }}" if each else hosts[0]
    kind = {} if receipts else {"reads": True}
    steps = [
        {"id": f"s{number}", "title": f"Line {number}", "on": host, "do": {"command": {"shell": line} | kind}, "undo": "none"} | each
        for number, line in enumerate(work.lines(stage.lines, host), 1)
    ]
    head = {"runbook": "bench", "title": "Lines", "risk": "disruptive", "steps": steps}
    write(folder / "runbooks", "bench.yaml", json.dumps(head))
    settings = {"OPSCTL_STATE_DIR": str(state), "OPSCTL_OPERATOR": "bench"}
    return Command([binary, "run", "bench", "--yes"], stage.environment() | settings, folder)


LOOP, OPSCTL, PIPELINED = "bash loop", "opsctl", "ansible, pipelined"
TOOLS = {
    LOOP: loop,
    OPSCTL: opsctl,
    PIPELINED: partial(ansible, pipelining=True),
    "ansible": partial(ansible, pipelining=False),
    "pyinfra": pyinfra,
}
VARIANTS = {
    "without receipts": partial(opsctl, receipts=False),
    "without sync": partial(opsctl, sync=False),
    "without either": partial(opsctl, receipts=False, sync=False),
}
