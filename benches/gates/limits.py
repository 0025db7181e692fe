"""What one delivery may cost: the one place where limits stand.

A limit is what was measured and a little more: 5 % of instructions, and less than one whole allocation or clock
reading. Lower it whenever a change makes the figure smaller. A change that raises it says in its commit why that
is worth it. The figures do not depend on how fast or how busy a machine is; they do depend on the compiler, and
a little on the processor, because valgrind shows its AVX to the program (but no SHA extensions).
"""

LIMITS: dict[str, dict[str, float]] = {
    "genuine": {
        "instructions but SHA-256's": 47_400,
        "instructions of SHA-256": 60_500,
        "allocations": 18.6,
        "clock readings": 17.2,
        "system calls, busy": 4.2,
        "system calls at 500/s": 6.2,
    },
    "forged": {
        "instructions but SHA-256's": 28_300,
        "instructions of SHA-256": 60_500,
        "allocations": 13.6,
        # How often it wakes for a connection that comes and goes varies by two.
        "clock readings": 10.1,
    },
    # With the audit trail on, whose body_sha256 is the second SHA-256.
    "audited": {
        "instructions but SHA-256's": 59_900,
        "instructions of SHA-256": 117_700,
        "allocations": 25.6,
        "clock readings": 17.2,
    },
}
