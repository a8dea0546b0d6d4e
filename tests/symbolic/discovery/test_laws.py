import numpy as np
import pytest

from skdyn.symbolic.discovery._laws import Laws
from skdyn.symbolic.discovery._terms import Form, Term

RNG = np.random.default_rng(0)
INPUTS = RNG.uniform(0.2, 2.0, (80, 2))


def laws(conserved=(), matrices=(), monotone=(), damped=None):
    rates = np.array([0.5, 2.0])
    matrices = [np.array(m, dtype=float) for m in matrices]
    return Laws(["x", "y"], INPUTS, rates, list(conserved), matrices, list(monotone), damped or {})


def system(*rows):
    return tuple(tuple(Term(Form(text, 1.0)) for text in row) for row in rows)


# Lotka and Volterra's x' = x - 2 x y, y' = -3 y + x y conserves x - 3 log x + 2 y - log y.
PREY = system(["x0", "x0*x1"], ["x1", "x0*x1"])
RIGHT = ((1.0, -2.0), (-3.0, 1.0))
LAW = "x - 3*log(x) + 2*y - log(y)"


def size(law, equations, coefficients):
    return max(np.abs(part).max(initial=0.0) for _, part in law.departures(equations, coefficients))


def test_what_is_conserved_does_not_depart_and_the_rest_does():
    assert size(laws([LAW]), PREY, RIGHT) < 1e-14
    assert size(laws([LAW]), PREY, ((1.0, -2.0), (-3.0, 1.1))) > 1e-2
    assert size(laws(["x + y"]), PREY, RIGHT) > 1e-2


def test_coefficients_near_a_law_are_moved_onto_it_and_little_else():
    near = ((1.0001, -2.0), (-3.0, 0.9999))
    exact = laws([LAW]).exact(PREY, near)
    assert size(laws([LAW]), PREY, exact) < 1e-12
    np.testing.assert_allclose(np.ravel(exact), np.ravel(near), rtol=2e-4)
    assert laws([LAW]).exact(PREY, RIGHT) == RIGHT  # what was rounded stays round
    assert laws().exact(PREY, near) == near


def test_a_map_of_solutions_to_solutions_is_a_symmetry():
    swapped = laws(matrices=[[[0, 1], [1, 0]]])
    equations = system(["x0", "x0*x1"], ["x0*x1", "x1"])
    assert size(swapped, equations, ((1.0, -2.0), (-2.0, 1.0))) == 0.0
    assert size(swapped, equations, ((1.0, -2.0), (-2.0, 1.5))) > 0.1
    np.testing.assert_allclose(
        swapped.exact(equations, ((1.0, -2.0), (-2.0, 1.001))),
        ((1.0005, -2.0), (-2.0, 1.0005)), atol=1e-6,
    )  # fmt: skip


def test_a_slope_of_the_stated_sign_is_no_departure():
    falling = laws(monotone=[(0, 1, -1)])
    assert size(falling, PREY, RIGHT) == 0.0
    assert size(falling, PREY, ((1.0, 2.0), (-3.0, 1.0))) > 0.1
    assert size(laws(monotone=[(0, 1, 1)]), PREY, RIGHT) > 0.1


def test_growth_departs_from_damping():
    damped = laws(damped={1: "x1"})
    assert size(damped, PREY, RIGHT) == 0.0
    assert size(damped, PREY, ((1.0, -2.0), (3.0, 1.0))) > 0.1


def test_departures_do_not_depend_on_the_units():
    def departure(length, time):
        law = Laws(
            ["x", "y"], length * INPUTS, length / time * np.array([0.5, 2.0]), ["x**2 + y**2"],
            [np.array([[0.0, 1.0], [1.0, 0.0]])], [(0, 1, 1)], {0: "x0"},
        )  # fmt: skip
        scaled = ((1 / time, -2 / time / length), (-3 / time, 1 / time / length))
        return np.concatenate([part for _, part in law.departures(PREY, scaled)])

    np.testing.assert_allclose(departure(1000.0, 0.01), departure(1.0, 1.0), rtol=1e-6, atol=1e-9)


def test_residuals_are_the_departures_as_a_function_of_the_constants():
    law = laws([LAW], monotone=[(0, 1, -1)])
    rows = law.residuals(PREY)
    assert np.abs(rows(np.array([1.0, -2.0, -3.0, 1.0]))).max() < 1e-9
    off = np.concatenate([part for _, part in law.departures(PREY, ((1.0, -2.0), (-3.0, 1.1)))])
    moved = rows(np.array([1.0, -2.0, -3.0, 1.1]))
    assert np.corrcoef(moved, off)[0, 1] == pytest.approx(1.0)
    assert laws().residuals(PREY) is None


def test_whether_terms_can_conserve_is_a_matter_of_linear_algebra():
    assert laws([LAW]).can_conserve(LAW, PREY)
    assert not laws(["x + y"]).can_conserve("x + y", system(["x0"], ["x1", "x0*x1"]))
    assert laws(["x + y"]).can_conserve("x + y", system(["x0", "x1"], ["x1", "x0*x1"]))
    assert not laws(["x + y"]).can_conserve("x + y", system(["x0"], []))


def test_what_no_terms_conserve_is_refused_and_what_rare_terms_conserve_is_not():
    law = laws(["x + y"])
    rare = tuple((Term(Form("sin(x0)", 9.0)),) for _ in range(2))
    law.check_conserved(rare)
    law.check_conserved(system(["x0", "x1"], ["x1", "x0*x1"]))
    for rows in (system(["x0"], ["x1"]), system(["x0", "x0"], ["x1", "x1"])):
        with pytest.raises(ValueError, match=r"conserved='x \+ y': no combination"):
            law.check_conserved(rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("3", "must have finite derivatives"), ("x + z", "'z'"), ("sqrt(x - 3)", "finite"),
        ("Max(x, 0)", "Heaviside"),
    ],
)  # fmt: skip
def test_what_can_not_be_conserved_is_refused(text, message):
    with pytest.raises(ValueError, match=f"conserved: .*{message}"):
        laws([text])


def test_a_control_is_not_conserved():
    with pytest.raises(ValueError, match="depends on the control y"):
        Laws(["x", "y"], INPUTS, np.array([1.0]), ["x + y"], [], [], {})
