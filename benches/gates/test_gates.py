"""The gates' own tests: `python3 -m unittest discover -s benches/gates`."""

import tempfile
import unittest
from pathlib import Path

import callgrind
import strace
from deliveries import FORGED, GENUINE
from judge import broken, table
from limits import LIMITS
from traffic import Messages, Unexpected

# `main` costs 7 itself and calls `grow` and `malloc`; only the calls from outside the allocator are allocations.
PROFILE = """\
events: Ir
fl=(1) main.rs
fn=(1) main
10 3
+2 4
cfn=(2) alloc::raw_vec::RawVecInner<A>::finish_grow
calls=2 +5
* 100
cfn=(3) malloc@@GLIBC_2.2.5
calls=1 20
* 30

fn=(2)
12 6
cfn=(4) mi_malloc_aligned
calls=2 1
* 94
cfn=(7) clock_gettime
calls=1 1
* 1

fn=(4)
1 40
cfn=(5) mi_malloc
calls=2 1
* 54

fn=(5)
1 54
fn=(3)
20 30
fn=(6) sha2::sha256::compress256
1 1000
"""

SUMMARY = """\
syscall              calls
---------------- ---------
recvfrom               201
sendto                 200
---------------- ---------
total                  401
"""


def profile(text: str) -> callgrind.Profile:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "out"
        path.write_text(text)
        return callgrind.Profile.read(path)


class TestCallgrind(unittest.TestCase):
    def test_cost_of_what_is_called_counts_once(self) -> None:
        read = profile(PROFILE)
        self.assertEqual(read.instructions["main"], 7)
        self.assertEqual(read.instructions.total(), 7 + 6 + 40 + 54 + 30 + 1000)
        self.assertEqual(read.inclusive["main", "malloc"], 30)

    def test_figures_are_by_delivery_and_leave_sha_256_apart(self) -> None:
        figures = callgrind.figures(profile(PROFILE), 2)
        self.assertEqual(figures["instructions but SHA-256's"], 137 / 2)
        self.assertEqual(figures["instructions of SHA-256"], 500)
        self.assertEqual(figures["allocations"], 3 / 2)
        self.assertEqual(figures["clock readings"], 1 / 2)

    def test_callers_stand_behind_what_is_between(self) -> None:
        read = profile(PROFILE)
        self.assertEqual(read.callers(callgrind.ALLOCATE, read.calls), {"main": 3})

    def test_a_figure_that_vanished_is_no_success(self) -> None:
        for name in ("sha2", "mi_malloc", "clock_gettime"):
            text = PROFILE.replace("malloc@@GLIBC_2.2.5", "renamed").replace(name, "renamed")
            with self.subTest(name), self.assertRaises(Unexpected):
                callgrind.figures(profile(text), 1)


class TestStrace(unittest.TestCase):
    def test_the_total_is_no_call(self) -> None:
        self.assertEqual(strace.read(SUMMARY), {"recvfrom": 201, "sendto": 200})

    def test_words_are_no_table(self) -> None:
        for text in ("", "strace: Operation not permitted\n", SUMMARY.partition("total")[0]):
            with self.subTest(text), self.assertRaises(Unexpected):
                strace.read(text)


class TestJudge(unittest.TestCase):
    def setUp(self) -> None:
        self.limits = {"genuine": {"allocations": 22.6}}

    def test_a_limit_holds_up_to_itself(self) -> None:
        self.assertEqual(broken({"genuine": {"allocations": 22.6}}, self.limits), [])

    def test_what_is_over_is_said_and_by_how_much(self) -> None:
        said = broken({"genuine": {"allocations": 23.73}}, self.limits)
        self.assertEqual(said, ["genuine: allocations: 23.73 a delivery, 1.13 (5.0%) over 22.6"])
        self.assertIn("BROKEN", table({"genuine": {"allocations": 23.73}}, self.limits))

    def test_nothing_and_no_number_pass_no_limit(self) -> None:
        nothing: list[dict[str, dict[str, float]]] = [{}, {"genuine": {}}]
        for measured in (*nothing, {"genuine": {"allocations": float("nan")}}):
            with self.subTest(measured):
                self.assertEqual(len(broken(measured, self.limits)), 1)
        self.assertEqual(len(broken({"genuine": {"allocations": 1.0, "more": 1.0}}, self.limits)), 1)

    def test_limits_are_there(self) -> None:
        self.assertTrue(all(limit > 0 for scenario in LIMITS.values() for limit in scenario.values()))


class TestTraffic(unittest.TestCase):
    def test_messages_are_cut_wherever_their_bytes_break(self) -> None:
        sent = GENUINE.make(1) + GENUINE.make(2)
        for at in range(0, len(sent), 7):
            messages = Messages()
            heads = [*messages.add(sent[:at]), *messages.add(sent[at:])]
            self.assertEqual([head[:4] for head in heads], [b"post", b"post"], at)

    def test_only_the_signature_tells_a_forgery(self) -> None:
        genuine, forged = GENUINE.make(7), FORGED.make(7)
        differing = [at for at, (one, other) in enumerate(zip(genuine, forged, strict=True)) if one != other]
        start = genuine.index(b"sha256=") + len(b"sha256=")
        self.assertTrue(differing and all(start <= at < start + 64 for at in differing))
        self.assertNotEqual(genuine, GENUINE.make(8))


if __name__ == "__main__":
    unittest.main()
