import numpy as np
import pytest

from skdyn.symbolic.discovery._fitted import (
    CLOSE,
    Fitted,
    Parts,
    _chances,
    _front,
    _rivals,
    complexity,
    judged,
)
from skdyn.symbolic.discovery._joint import Joint
from skdyn.symbolic.discovery._smoothing import smooth
from skdyn.symbolic.discovery._terms import Form, Term

X0, CUBE = Term(Form("x0", 0.5)), Term(Form("x0**3", 4.0))


def test_what_cannot_explode_pays_for_misfit_and_structure_only():
    t = np.linspace(0, 3, 40)
    x = np.exp(-t) + 0.01 * np.random.default_rng(0).normal(size=40)
    joint = Joint(smooth([t], [x[:, None]]), 4)
    decay = joint.fit(((X0,),), ((-1.0,),))
    assert decay.score == pytest.approx(sum(decay.parts))
    assert decay.parts[2:] == (0.0, 0.0, 0.0, 0.0)
    assert joint.fit(((X0, CUBE),), ((-1.0, 0.0),)).parts.structure > decay.parts.structure


def test_parts_that_nobody_states_are_none():
    fitted = Fitted((), (), np.zeros(0), 0.0, None)
    assert fitted.parts == Parts()
    assert sum(Parts(misfit=2.0, rounding=-0.5)) == 1.5


def terms(*texts):
    return tuple(Term(Form(text, 1.0)) for text in texts)


def system(*texts, rss=1.0, score=0.0):
    return Fitted((terms(*texts),), ((1.0,) * len(texts),), np.array([rss]), score, None)


@pytest.mark.parametrize(
    ("texts", "nodes"),
    [
        ((), 1),  # 0
        (("1",), 1),  # c
        (("x0",), 3),  # c * x0
        (("x0*x1",), 5),
        (("x0**2", "1"), 7),  # c * x0 ** 2 + c
        (("sin(k0*x0)",), 6),  # c * sin(k0 * x0)
        (("x0/(k0 + x0)",), 7),
        (("exp(-x0)",), 5),
    ],
)
def test_complexity_counts_operators_functions_variables_and_constants(texts, nodes):
    assert complexity((terms(*texts),)) == nodes


def test_the_complexity_of_a_system_is_the_sum_over_its_equations():
    both = (terms("x0", "x1"), terms("x0*x1"))
    assert complexity(both) == complexity(both[:1]) + complexity(both[1:])


def test_misfit_is_the_root_mean_square_over_states_and_rows():
    residuals = np.random.default_rng(0).normal(size=(50, 3))
    found = system("x0")._replace(rss=(residuals**2).sum(axis=0))
    assert found.misfit(50) == pytest.approx(np.sqrt((residuals**2).mean()))


def test_rivals_are_near_or_simpler_and_nearer_and_have_other_terms():
    def system(*texts, rss, score):
        terms = tuple(Term(Form(text, 1.0)) for text in texts)
        return Fitted((terms,), ((1.0,) * len(texts),), np.array([rss]), score, None)

    best = system("x0", "1", rss=9.0, score=0.0)
    near = system("x0**2", rss=12.0, score=CLOSE - 0.1)
    simpler_and_nearer = system("sin(x0)", rss=8.0, score=20.0)
    others = [
        system("x0*x1", rss=12.0, score=CLOSE + 0.1), system("x0", "1", "x1", rss=5.0, score=1.0),
        system("x0", "1", rss=8.0, score=1.0),
    ]  # fmt: skip
    assert _rivals(best, [simpler_and_nearer, near, *others], 10) == [near, simpler_and_nearer]


def fitted(*texts, rss=1.0, score=0.0):
    return Fitted(
        (tuple(Term(Form(text, 1.0)) for text in texts),),
        ((1.0,) * len(texts),),
        np.array([rss]),
        score,
        None,
    )


def many(rng):
    names = ["x0", "x1", "x0*x1", "x0**2", "sin(x0)", "1"]
    return [
        fitted(*rng.permutation(names)[: rng.integers(1, 5)].tolist(), rss=rng.exponential())
        for _ in range(60)
    ]


def beats(a, b):
    one, other = a.merits(10), b.merits(10)
    return one != other and one[0] <= other[0] and one[1] <= other[1]


def test_every_system_off_the_front_is_beaten_and_none_on_it():
    some = many(np.random.default_rng(0))
    best = min(some, key=lambda s: s.merits(10))
    front = _front([s for s in some if s is not best], 10, best)
    on_it = {id(s) for s in front}
    for b in some:
        assert (id(b) in on_it) == (not any(beats(a, b) for a in some))
    assert 1 < len(front) < len(some)
    assert np.all(np.diff([s.complexity for s in front]) > 0)


def test_the_chosen_system_is_on_the_front_and_none_there_dominates_another():
    some = many(np.random.default_rng(1))
    undominated, n_left_out = {id(b) for b in some if not any(beats(a, b) for a in some)}, 0
    for chosen in some:
        others = [s for s in some if s is not chosen]
        front = _front(others, 10, chosen)
        assert sum(s is chosen for s in front) == 1
        assert not any(beats(a, b) for a in front for b in front)
        on_it = {id(s) for s in front} - {id(chosen)}
        assert not any(beats(a, b) for b in front if id(b) in on_it for a in others)
        n_left_out += not undominated <= {*on_it, id(chosen)}
    assert n_left_out > len(some) / 2  # most are dominated, so that the law was put to the test


def test_inclusion_is_the_posterior_odds_of_systems():
    some = [fitted("x0", "x1", score=-700.0), fitted("x0", score=-700.0 + np.log(3.0))]
    (chances,) = _chances(some)
    assert chances == pytest.approx({"x0": 1.0, "x1": 0.75})


def test_where_a_law_ruled_the_best_out_the_next_is_taken_with_unknown_errors():
    best, worse, worst = (fitted(text, score=s) for s, text in enumerate(["x0", "x1", "x0*x1"]))
    found = judged([best, worst, worse], best, [[[0.1]]], np.ones(1), 10)
    assert found.best is best
    assert found.errors == [[[0.1]]]
    found = judged([worst, worse], best, [[[0.1]]], np.ones(1), 10)
    assert found.best is worse
    assert np.isnan(found.errors).all()
    assert found.rivals == [worst]
