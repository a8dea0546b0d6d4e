"""Numbers that people write down: which of them a measured constant may be."""

from functools import lru_cache
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    import sympy

__all__ = ["nice_numbers"]

# Factors beside a fraction, the commonest first; sqrt(2) / 2 = 1 / sqrt(2) needs no entry.
_FACTORS = (
    "1", "pi", "1/pi", "sqrt(2)", "sqrt(3)", "pi**2", "1/sqrt(pi)", "sqrt(pi)", "sqrt(2*pi)",
    "1/sqrt(2*pi)", "E", "sqrt(5)",
)  # fmt: skip
_LARGEST_DENOMINATOR = 12


@lru_cache(maxsize=1)
def _factors():
    import sympy

    factors = [cast("sympy.Expr", sympy.sympify(factor)) for factor in _FACTORS]
    return [(factor, float(factor)) for factor in factors]


def nice_numbers(value: float, tolerance: float) -> "list[tuple[sympy.Expr, float]]":
    """Return the numbers with a name around a value, the least likely by chance first.

    Parameters
    ----------
    value : float
        The constant as measured.
    tolerance : float
        How far it may be off.

    Returns
    -------
    list of (sympy.Expr, float)
        Fractions times simple roots and powers of pi, of each the simplest within the tolerance;
        and the chance that some number as simple were as near: the tolerance times their density.
        Zero and one are so common that they get a tenth of it.

    Examples
    --------
    >>> from skdyn.formulas import nice_numbers
    >>> [number for number, chance in nice_numbers(1.5708, 1e-4)]
    [pi/2]
    """
    import sympy

    found, density = [], 0.0
    for rank, (factor, size) in enumerate(_factors()):
        density += 1 / size
        for denominator in range(1, _LARGEST_DENOMINATOR + 1):
            numerator = round(value / size * denominator)
            nice = numerator * size / denominator
            if abs(nice - value) > tolerance or (rank and numerator == 0):
                continue
            common = rank == 0 and denominator == 1 and abs(numerator) <= 1
            chance = 2 * tolerance * density * (1 + 0.3 * denominator**2) * (0.1 if common else 1.0)
            found.append((sympy.Rational(numerator, denominator) * factor, chance))
            break
    return sorted(found, key=lambda number: number[1])
