"""Where everything is measured: a private sshd on loopback, a slow line to it, and homes for the tools. All of it is gone afterwards.

One sshd stands for every host: as `near`, as `far` through the line with its round trip time, and under the twenty names `h01` to
`h20`. A second one, `unsynced`, is a host where `sync` does nothing. Both give sessions an empty home, so that nobody's start-up files are
measured, and nothing is left in one.
"""

import os
import pwd
import secrets
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

from . import process
from .process import Failed

ROUND_TRIP_MS = 10
MANY = [f"h{number:02}" for number in range(1, 21)]
PLACES = {"near": ["near"], "far": ["far"], "many": MANY}

SSHD = """\
ListenAddress 127.0.0.1
Port {port}
HostKey {keys}/host
AuthorizedKeysFile {keys}/user.pub
PidFile none
UsePAM no
StrictModes no
PermitRootLogin yes
PasswordAuthentication no
UseDNS no
MaxStartups 200
MaxSessions 200
LogLevel ERROR
SetEnv HOME={home} PATH={path}
"""

# What a host's sessions find their programs in.
HOST_PATH = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin"

CLIENT = """\
Host {name}
    HostName 127.0.0.1
    Port {port}
    User {user}
    IdentityFile {keys}/user
    IdentitiesOnly yes
    UserKnownHostsFile {keys}/known_hosts
    GlobalKnownHostsFile /dev/null
    StrictHostKeyChecking yes
    ControlMaster no
    ControlPath none
    LogLevel ERROR
"""


class Stage:
    """Use it in a `with`."""

    def __init__(self, cache):
        self.cache = Path(cache)
        self.user = pwd.getpwuid(os.getuid()).pw_name
        name = f"opsctl-bench-{secrets.token_hex(4)}"
        # On a real disk, since syncing is part of what is measured; sockets want a short path, and no syncing wants memory.
        self.at_end = []
        self.work, self.sockets, self.memory = self.cache / name, Path("/tmp") / name, Path("/dev/shm") / name

    def __enter__(self):
        try:
            for folder in (self.work, self.sockets, self.memory):
                folder.mkdir(mode=0o700)
            self.home, self.keys, self.lines = (self.make(name) for name in ("home", "keys", "lines"))
            self.open()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        for end in self.at_end:
            end()
        process.end_everything()
        for folder in (self.work, self.sockets, self.memory):
            shutil.rmtree(folder, ignore_errors=True)

    def make(self, name):
        folder = self.work / name
        folder.mkdir()
        return folder

    def open(self):
        for name in ("host", "user"):
            argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "bench", "-f", self.keys / name]
            subprocess.run(argv, check=True)
        echo = self.echo()
        port = free_port()
        self.serve_ssh("sshd", port)
        unsynced = free_port()
        self.serve_ssh("unsynced", unsynced, self.without_sync())
        line = self.delayed(port, echo)
        self.round_trip = {"near": round_trip(echo), "far": round_trip(line[1])}
        self.ports = {"near": port, "far": line[0], "unsynced": unsynced} | dict.fromkeys(MANY, port)
        self.write_client()

    def without_sync(self):
        """A PATH on which `sync` does nothing."""
        folder = self.make("without-sync")
        (folder / "sync").symlink_to(shutil.which("true"))
        return f"{folder}:{HOST_PATH}"

    def serve_ssh(self, name, port, path=HOST_PATH):
        config, log = self.keys / name, self.keys / f"{name}.log"
        config.write_text(SSHD.format(port=port, keys=self.keys, home=self.home, path=path))
        # Where the server runs as root it wants this folder, as any other does; anybody else's does without.
        if os.getuid() == 0:
            Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        # It insists on being started by its full path.
        program = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin:/sbin")
        with open(log, "w") as output:
            server = process.serve([program, "-D", "-e", "-f", config], stdout=output, stderr=output)
        while not answers(port):
            if server.poll() is not None:
                raise Failed(f"sshd does not start:\n{log.read_text()}")
            time.sleep(0.01)

    def write_client(self):
        key = (self.keys / "host.pub").read_text()
        (self.keys / "known_hosts").write_text("".join(f"[127.0.0.1]:{port} {key}" for port in set(self.ports.values())))
        self.ssh_config = self.keys / "ssh_config"
        hosts = [
            CLIENT.format(name=name, port=port, user=self.user, keys=self.keys) for name, port in self.ports.items()
        ]
        self.ssh_config.write_text("".join(hosts))

    def echo(self):
        """The port of a server that sends back what it gets, for measuring a round trip."""
        listener = socket.create_server(("127.0.0.1", 0))

        def serve():
            while True:
                connection, _ = listener.accept()
                connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                while piece := connection.recv(1):
                    connection.sendall(piece)

        threading.Thread(target=serve, daemon=True).start()
        return listener.getsockname()[1]

    def delayed(self, *targets):
        """The ports that lead to others through the slow line."""
        program = Path(__file__).with_name("delay.py")
        argv = [sys.executable, program, str(ROUND_TRIP_MS), *map(str, targets)]
        proxy = process.serve(argv, stdout=subprocess.PIPE, text=True)
        return [int(proxy.stdout.readline()) for _ in targets]

    def environment(self):
        """What every tool is given: nothing of this person's, and a home that goes."""
        return {
            "PATH": f"{self.cache}/venv/bin:{os.environ['PATH']}",
            "HOME": str(self.home),
            "TMPDIR": str(self.sockets),
            "XDG_RUNTIME_DIR": str(self.sockets),
            "LC_ALL": "C.UTF-8",
        }

    def clear(self):
        """No step has been done on any host."""
        for file in self.lines.iterdir():
            file.unlink()

    def check(self, place, steps):
        """Every step took effect on every host, once and in order."""
        wanted = [str(step) for step in range(1, steps + 1)]
        for host in PLACES[place]:
            file = self.lines / host
            lines = file.read_text().split() if file.exists() else []
            if lines != wanted:
                raise Failed(f"the steps on `{host}` left other lines than 1 to {steps}: {lines}")


def free_port():
    """One that no address of this machine uses."""
    with socket.socket() as probe:
        probe.bind(("", 0))
        return probe.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port)).close()
        return True
    except OSError:
        return False


def round_trip(port, tries=50):
    """In seconds, the median."""
    times = []
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for _ in range(tries):
            begin = time.perf_counter()
            connection.sendall(b".")
            connection.recv(1)
            times.append(time.perf_counter() - begin)
    return statistics.median(times)
