"""Seeded random formulas."""

import numpy as np


def pytest_generate_tests(metafunc):
    """Hand a test that asks for ``random_text`` one after the other."""
    if "random_text" in metafunc.fixturenames:
        metafunc.parametrize("random_text", random_formulas(60))


def random_formulas(n, names=("x", "y"), depth=3):
    """Seeded random formulas, real where their variables are between 0.3 and 0.9."""
    rng = np.random.default_rng(18)

    def grow(depth):
        if depth == 0 or rng.random() < 0.2:
            number = f"{rng.uniform(0.2, 2):.{rng.integers(1, 17)}g}"
            return str(rng.choice([*names, number, str(rng.integers(1, 4))]))
        a, b = f"({grow(depth - 1)})", f"({grow(depth - 1)})"
        call = rng.choice(["sin", "cos", "exp", "tanh", "atan", "arctan", "abs", "sgn", "sech"])
        return str(rng.choice([
            f"{a} + {b}", f"{a} - {b}", f"{a} {b}", f"{a}*{b}", f"{a}/(2 + cos{b})", f"-{a}",
            f"{call}{a}", f"{a}^2", f"{a}^3", f"sqrt(1 + {a}^2)", f"ln(1 + {a}**2)",
            f"max({a}, {b})", f"(1 + {a}^2)^0.5", f"exp(-{a}^2)", f"x^y {a}", f"pi {b}",
        ]))  # fmt: skip

    return [grow(depth) for _ in range(n)]
