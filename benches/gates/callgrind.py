"""Instructions, allocations and clock readings of a run of deliveries, counted by valgrind's callgrind.

The format of its files: https://valgrind.org/docs/manual/cl-format.html
"""

import re
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from gateway import served
from traffic import Load, Unexpected

# Until everything that grows at first has grown: pools, buffers, tables.
WARM_UP = 300
# What the gateway's signal handler calls. callgrind writes and clears its counters there, so that one file
# holds what happened between two signals: the deliveries, and nothing of start or end.
AT_SIGNALS = "signal_hook_registry::register::*"

# A function's name is written once, and is its number from then on.
FUNCTION = re.compile(r"c?fn=\((\d+)\)(?: (.*))?")
# `malloc@@GLIBC_2.2.5`; `f'2` is `f` called by itself.
SUFFIX = re.compile(r"(@@?GLIBC_[\d.]+)?('\d+)?$")

ALLOCATE = re.compile(
    r"mi_(heap_|theap_)?(malloc|zalloc|calloc|mallocn|realloc|rezalloc|recalloc|new)(_\w+)?"
    r"|malloc|calloc|realloc|reallocarray|aligned_alloc|memalign|posix_memalign"
)
# An allocator's functions call each other; what counts is the call from outside.
ALLOCATOR = re.compile(r"_*(mi|libc)_\w+|(malloc|calloc|realloc|memalign)\w*")
CLOCK = re.compile(r"_*clock_gettime|gettimeofday")
COPY = re.compile(r"_*(memcpy|memmove|memset)\w*")
SHA_256 = re.compile(r"sha2::.*")
# Between those who want memory or the time and what gives it: of no interest to who looks for them.
BETWEEN = re.compile(
    r".*(Timespec|Instant|SystemTime)>?::(now|elapsed)"
    r"|.*RawVec(Inner)?(<.*>)?>?::(finish_grow|grow_\w+|reserve::do_reserve_and_handle)"
)

Call = tuple[str, str]


@dataclass
class Profile:
    """What one run of deliveries cost."""

    # By name of the function: instructions of its own.
    instructions: Counter[str] = field(default_factory=Counter)
    # By names of the caller and of the called: how often, and instructions there and in what is called from there.
    calls: Counter[Call] = field(default_factory=Counter)
    inclusive: Counter[Call] = field(default_factory=Counter)

    @classmethod
    def read(cls, path: Path) -> "Profile":
        """Reads a file with instructions as its only event, which is the default."""
        profile = cls()
        names: dict[str, str] = {}

        def name_of(line: str) -> str:
            match = FUNCTION.fullmatch(line)
            if match is None:
                raise Unexpected(f"{path}: a function without a number: {line}")
            number, name = match.groups()
            if name is not None:
                names[number] = SUFFIX.sub("", name)
            return names[number]

        caller = called = ""
        of_called = False
        for line in path.read_text().splitlines():
            if line.startswith("fn="):
                caller = name_of(line)
            elif line.startswith("cfn="):
                called = name_of(line)
            elif line.startswith("calls="):
                profile.calls[caller, called] += int(line.removeprefix("calls=").split()[0])
                # The cost on the line after it stands with the called function too.
                of_called = True
            elif line.startswith(("+", "-", "*", *"0123456789")):
                cost = int(line.split()[1])
                if of_called:
                    profile.inclusive[caller, called] += cost
                else:
                    profile.instructions[caller] += cost
                of_called = False
        return profile

    def instructions_in(self, functions: re.Pattern[str]) -> int:
        """Instructions of the functions with such names."""
        return sum(cost for name, cost in self.instructions.items() if functions.fullmatch(name))

    def allocations(self) -> int:
        """How often memory was asked for, or more of it."""
        from_outside = (call for call in self.calls if not ALLOCATOR.fullmatch(call[0]))
        return sum(self.calls[call] for call in from_outside if ALLOCATE.fullmatch(call[1]))

    def clock_readings(self) -> int:
        """How often a clock was read."""
        from_outside = (call for call in self.calls if not CLOCK.fullmatch(call[0]))
        return sum(self.calls[call] for call in from_outside if CLOCK.fullmatch(call[1]))

    def callers(self, functions: re.Pattern[str], counted: Counter[Call]) -> Counter[str]:
        """Who calls such functions, by `counted`, which is one of the counters of this profile."""
        between = self._between(functions)
        callers: Counter[str] = Counter()
        for (caller, called), value in counted.items():
            inside = functions.fullmatch(caller) or caller in between
            if not inside and (functions.fullmatch(called) or called in between):
                callers[caller] += value
        return callers

    def _between(self, functions: re.Pattern[str]) -> set[str]:
        """Those BETWEEN that call such functions, each other included."""
        found: set[str] = set()
        while True:
            more = {
                caller
                for caller, called in self.calls
                if BETWEEN.fullmatch(caller) and (functions.fullmatch(called) or called in found)
            }
            if more <= found:
                return found
            found |= more


def profile(binary: Path, folder: Path, load: Load, count: int, *, audit: bool) -> Profile:
    """Profiles a gateway that answers so many deliveries."""
    out = folder / "callgrind"
    tool = ["valgrind", "--tool=callgrind", "--trace-children=yes"]
    tool += [f"--callgrind-out-file={out}", f"--dump-before={AT_SIGNALS}"]
    with served(tool, binary, folder, audit=audit) as (traffic, gateway):
        traffic.send(gateway.address, range(WARM_UP), load)
        gateway.wink()
        traffic.send(gateway.address, range(WARM_UP, WARM_UP + count), load)
    # The first file ends with the wink, the second with SIGTERM.
    measured = out.with_suffix(".2")
    if not measured.exists():
        raise Unexpected(f"callgrind wrote no {measured.name}: is there still a function {AT_SIGNALS}?")
    return Profile.read(measured)


def figures(profile: Profile, count: int) -> dict[str, float]:
    """What is judged of a profile, for each delivery."""
    sha_256 = profile.instructions_in(SHA_256)
    counted = {
        "instructions but SHA-256's": profile.instructions.total() - sha_256,
        "instructions of SHA-256": sha_256,
        "allocations": profile.allocations(),
        "clock readings": profile.clock_readings(),
    }
    missing = [name for name, value in counted.items() if value == 0]
    if missing:
        raise Unexpected(f"no {', '.join(missing)}: the binary is stripped, or its functions have other names now")
    return {name: value / count for name, value in counted.items()}
