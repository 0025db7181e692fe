"""System calls of a run of deliveries, counted by strace."""

from collections import Counter
from pathlib import Path

from gateway import served
from traffic import Load, Unexpected

# A gateway that is busy finds something to do on every connection whenever it asks. This delay, in microseconds,
# gives sender and upstream the time for that, so that the figure does not depend on how fast they are.
WHEN_BUSY = ["--inject=epoll_wait,epoll_pwait:delay_enter=2000"]


def calls(binary: Path, folder: Path, load: Load, shorter: int, longer: int) -> dict[str, float]:
    """System calls for each delivery, by name. What start and end cost is in both runs, and so in neither."""
    difference = run(binary, folder, load, longer)
    difference.subtract(run(binary, folder, load, shorter))
    return {name: times / (longer - shorter) for name, times in difference.most_common()}


def run(binary: Path, folder: Path, load: Load, count: int) -> Counter[str]:
    """All system calls of a gateway that answers so many deliveries."""
    out = folder / "strace"
    tool = ["strace", "--follow-forks", "--summary-only", "--summary-columns=name,calls", f"--output={out}"]
    tool += WHEN_BUSY if load.rate is None else []
    with served(tool, binary, folder, audit=False) as (traffic, gateway):
        traffic.send(gateway.address, range(count), load)
    return read(out.read_text())


def read(summary: str) -> Counter[str]:
    """Reads the table that strace writes: names and how often they were called."""
    counted: Counter[str] = Counter()
    for line in summary.splitlines():
        match line.split():
            case ["total", _]:
                return counted
            case [name, times] if times.isdigit():
                counted[name] += int(times)
    raise Unexpected(f"strace wrote no table, but: {summary!r}")
