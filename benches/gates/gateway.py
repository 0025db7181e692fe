"""One gateway with everything on, under a tool that counts."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from deliveries import SECRET
from traffic import Address, Traffic, Unexpected

CONFIGURATION = """\
[server]
listen = ["127.0.0.1:0"]
[admin]
listen = "127.0.0.1:0"
[log]
{log}
[routes.hook]
path = "/hook"
provider = "github"
secrets = [{{ value = "{secret}", id = "gates" }}]
upstream = "http://{host}:{port}"
[routes.hook.rate_limit]
per_source = {{ rate = "100000000/1m", burst = 1000000 }}
failures = {{ rate = "100000000/1m", burst = 1000000 }}
per_route = {{ rate = "100000000/1m", burst = 1000000 }}
"""
# How long a start, a reload or a drain may take: valgrind runs a program about fifty times slower than it is.
PATIENCE = 40.0
# Tells the gateway's process id, which `exec` keeps, before it becomes the gateway: a tool may stand between.
TELL_AND_BECOME = 'echo $$ >"$1"; shift; exec "$@"'


@contextmanager
def served(tool: list[str], binary: Path, folder: Path, *, audit: bool) -> Iterator[tuple[Traffic, "Gateway"]]:
    """Traffic, and a gateway for it under a tool.

    The first CPU is the gateway's, which has one serving thread then; sender and upstream share the last one.
    """
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[-1:])
    try:
        pinned = ["taskset", "-c", str(cpus[0]), *tool]
        with Traffic() as traffic, Gateway(pinned, binary, folder, traffic.upstream, audit=audit) as gateway:
            yield traffic, gateway
    finally:
        os.sched_setaffinity(0, cpus)


class Gateway:
    """A gateway that listens, from the start of the `with` block to its end."""

    address: Address

    def __init__(self, tool: list[str], binary: Path, folder: Path, upstream: Address, *, audit: bool):
        host, port = upstream
        log = f'audit = "{folder / "audit.jsonl"}"' if audit else ""
        self.configuration = folder / "hookward.toml"
        self.configuration.write_text(CONFIGURATION.format(secret=SECRET, host=host, port=port, log=log))
        self.pid_file = folder / "pid"
        self.output = folder / "output"
        command = [*tool, "sh", "-c", TELL_AND_BECOME, "sh", str(self.pid_file)]
        command += [str(binary), "run", "-c", str(self.configuration)]
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)

    def __enter__(self) -> Self:
        try:
            host, _, port = self._logged("listening")["address"].rpartition(":")
            self.address = host, int(port)
        except BaseException:
            self._kill()
            raise
        return self

    def __exit__(self, failure: object, *_: object) -> None:
        try:
            self._signal(signal.SIGTERM)
            code = self.process.wait(PATIENCE)
        except BaseException:
            self._kill()
            raise
        if code != 0 and failure is None:
            raise Unexpected(f"the gateway, or what counts it, ended with {code}:\n{self._last_words()}")

    def wink(self) -> None:
        """Has it handle a signal, and nothing else: with no file to be read, a reload ends where it begins."""
        away = self.configuration.rename(self.configuration.with_suffix(".away"))
        self._signal(signal.SIGHUP)
        self._logged("the configuration was not reloaded; the old one stays")
        away.rename(self.configuration)

    def _logged(self, message: str) -> dict[str, str]:
        """Waits for a line of its log. To ask it instead would be a request that is counted."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            for line in self.output.read_text(errors="replace").splitlines():
                if f'"message":"{message}"' in line:
                    event: dict[str, str] = json.loads(line)
                    return event
            if ended:
                break
            time.sleep(0.02)
        raise Unexpected(f"the gateway did not say {message!r}:\n{self._last_words()}")

    def _signal(self, number: signal.Signals) -> None:
        if self.process.poll() is None:
            os.kill(int(self.pid_file.read_text()), number)

    def _kill(self) -> None:
        try:
            self._signal(signal.SIGKILL)
        except (OSError, ValueError):
            pass  # It did not come as far as to tell its process id.
        self.process.kill()
        self.process.wait()

    def _last_words(self) -> str:
        return "\n".join(self.output.read_text(errors="replace").splitlines()[-15:])
