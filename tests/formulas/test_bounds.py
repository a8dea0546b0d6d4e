"""Formulas that would take for ever are refused at once."""

import numpy as np
import pytest

from skdyn.formulas import on_arrays, parse
from skdyn.formulas._reader import read


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("9**9**8", "powers above"),
        ("x^(9^9)", "powers above"),
        ("((9^100)^100)^100", "bits|no finite value"),
        ("((x^100)^100)^100", "powers above"),
        ("(10000001/10000000)^1000000000", "powers above"),
        ("*".join(["9^300"] * 9), "bits|no finite value"),
        ("*".join(["(9^300/7^338)"] * 20), "bits"),
        ("(2 x)^1001", "powers above"),
        ("1" + "0" * 400, "too large"),
        ("1e999", "too large"),
        ("1/0", "no finite value"),
        ("log(-1)", "no finite value"),
        ("(-8)^(1/3)", "no finite value"),
        ("exp(exp(exp(9)))", "no finite value"),
        ("(" * 50 + "x" + ")^9" * 50, "powers above"),
        ("-" * 700 + "x", "nested more than"),
        ("-" * 60_000 + "x", "nested more than"),
        ("^".join(["x"] * 700), "nested more than"),
        ("+".join(["x"] * 700), "within each other"),
        ("x" * 100_001, "at most"),
        ("(" * 40_000 + "x" + ")" * 40_000, "nested more than"),
        (5, "is a text"),
    ],
)
def test_what_is_beyond_all_use_is_refused_with_the_reason(text, reason):
    with pytest.raises(ValueError, match=rf"(?s)^The formula .{{1,220}} is refused.*({reason})"):
        read(text)


def test_many_terms_with_many_numbers_are_no_matter():
    text = " + ".join(f"{c / 100} x0 x1^2" for c in range(300))
    assert on_arrays(text, {"x0": 2.0, "x1": 1.0}) == pytest.approx(2 * 3 * 299 / 2)
    assert len(parse(text, ["x0", "x1"]).free_symbols) == 2


def test_what_stands_in_brackets_within_brackets_is_no_matter():
    assert read("(" * 50 + "x" + " + 1)" * 50)


def test_whatever_the_text_it_is_read_and_evaluated_or_refused():
    rng, n_read = np.random.default_rng(0), 0
    parts = ["x", "y ", "2", ".5", "9", "^", "**", "*", "/", "+", "-", "(", ")", ",", " ", "sin(",
             "ln(", "max(", "exp(", "pi", "E", "=", "'", "e9", "[", "lambda", "É"]  # fmt: skip
    for _ in range(500):
        text = "".join(rng.choice(parts, rng.integers(1, 7)))
        try:
            read(text, ["x", "y"])
        except ValueError:
            continue
        on_arrays(text, {"x": 0.3, "y": 0.7})
        parse(text, ["x", "y"])
        n_read += 1
    assert 20 < n_read < 400
