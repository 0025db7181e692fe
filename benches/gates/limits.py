"""What one delivery may cost: the one place where limits stand.

A limit is what was measured and a little more: 5 % of instructions, and less than one whole allocation or clock
reading. Lower it whenever a change makes the figure smaller. A change that raises it says in its commit why that
is worth it. The figures do not depend on how fast or how busy a machine is; they do depend on the compiler, and
a little on the processor, because valgrind shows its AVX to the program (but no SHA extensions).
"""

LIMITS: dict[str, dict[str, float]] = {
    "genuine": {
        "instructions but SHA-256's": 52_300,
        "instructions of SHA-256": 60_500,
        "allocations": 23.6,
        "clock readings": 20.2,
        "system calls, busy": 4.2,
        "system calls at 500/s": 6.1,
    },
    "forged": {
        "instructions but SHA-256's": 30_800,
        "instructions of SHA-256": 60_500,
        "allocations": 15.6,
        # How often it wakes for a connection that comes and goes varies by two.
        "clock readings": 13.9,
    },
    # With the audit trail on, whose body_sha256 is the second SHA-256.
    "audited": {
        "instructions but SHA-256's": 75_700,
        "instructions of SHA-256": 117_700,
        "allocations": 30.6,
        "clock readings": 20.2,
    },
}
