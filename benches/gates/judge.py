"""Compares figures with limits."""

from collections.abc import Iterator, Mapping

Figures = Mapping[str, Mapping[str, float]]

# A limit that is so far away would let a regression pass.
LOOSE = 0.8


def rows(measured: Figures, limits: Figures) -> Iterator[tuple[str, str, float | None, float | None]]:
    """Scenario, figure, what was measured, the limit; also where one of the two is missing."""
    for scenario in dict.fromkeys([*measured, *limits]):
        here, there = measured.get(scenario, {}), limits.get(scenario, {})
        for figure in dict.fromkeys([*here, *there]):
            yield scenario, figure, here.get(figure), there.get(figure)


def broken(measured: Figures, limits: Figures) -> list[str]:
    """A sentence for each limit that does not hold. A figure without limit, or a limit that nobody measures, is one."""
    sentences = []
    for scenario, figure, value, limit in rows(measured, limits):
        if value is None:
            sentences.append(f"{scenario}: {figure}: there is a limit, and nothing was measured")
        elif limit is None:
            sentences.append(f"{scenario}: {figure}: {value:,.2f} was measured, and there is no limit")
        elif not value <= limit:
            over = value - limit
            share = f" ({over / limit:.1%})" if limit else ""
            sentences.append(f"{scenario}: {figure}: {value:,.2f} a delivery, {over:,.2f}{share} over {limit:,}")
    return sentences


def table(measured: Figures, limits: Figures) -> str:
    """All figures beside their limits."""
    lines = [f"{'':9}{'for each delivery':28}{'measured':>12}{'limit':>12}"]
    for scenario, figure, value, limit in rows(measured, limits):
        remark = ""
        if value is not None and limit is not None:
            remark = "  BROKEN" if not value <= limit else "  lower the limit" if value < limit * LOOSE else ""
        cells = [f"{number:,.2f}" if number is not None else "none" for number in (value, limit)]
        lines.append(f"{scenario:9}{figure:28}{cells[0]:>12}{cells[1]:>12}{remark}")
    return "\n".join(lines)
