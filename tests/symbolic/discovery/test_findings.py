import joblib
import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skdyn.symbolic._measurements import Measurements, Segment
from skdyn.symbolic.discovery._discover import discover
from skdyn.symbolic.discovery._findings import (
    CLOSE,
    _chances,
    _front,
    _rivals,
    candidate_terms,
    search_targets,
    search_trajectories,
)
from skdyn.symbolic.discovery._joint import forms_of
from skdyn.symbolic.discovery._parts import Fitted
from skdyn.symbolic.discovery._priors import PriorKnowledge
from skdyn.symbolic.discovery._terms import Form, Term

OPTIONS = {"families": ("polynomial",), "degree": 2, "max_terms": 2}


def lotka_volterra(noise=0.02, n=60):
    t = np.linspace(0.0, 4.0, n)
    x = solve_ivp(
        lambda t, x: [1.5 * x[0] - x[0] * x[1], x[0] * x[1] - 3 * x[1]], (0, 4), [4.0, 1.0],
        t_eval=t, rtol=1e-9, atol=1e-9,
    ).y.T  # fmt: skip
    x *= np.exp(noise * np.random.default_rng(0).normal(size=x.shape))
    return Measurements([Segment(t, x, None)])


def knowledge(data, **stated):
    terms = candidate_terms(("polynomial",), 2, data.inputs)
    return PriorKnowledge(["x", "y"], [], data.inputs, data.rates, terms, **stated)


@pytest.fixture(scope="module")
def found():
    data = lotka_volterra()
    options = OPTIONS | {"max_rounds": 1}
    rng = np.random.RandomState(0)
    return search_trajectories(data, knowledge(data), options, n_ensemble=1, rng=rng)


def test_the_ensemble_finds_the_truth_and_is_sure_of_its_terms(found):
    assert forms_of(found.best.equations) == (("x0", "x0*x1"), ("x0*x1", "x1"))
    for terms, chance in zip(found.best.equations, found.chances, strict=True):
        assert all(0.5 < chance[term.form.text] <= 1.0 + 1e-12 for term in terms)
        assert max(chance.get(text, 0.0) for text in ("1", "x0**2", "x1**2")) < 0.5


def test_the_best_is_on_the_front_which_holds_each_complexity_once(found):
    assert any(system is found.best for system in found.front)
    sizes = [system.complexity for system in found.front]
    assert len(set(sizes)) == len(sizes)


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


def test_searches_at_a_time_find_what_searches_in_turn_find(found):
    data = lotka_volterra()
    options = OPTIONS | {"max_rounds": 1}
    with joblib.parallel_config("threading"):  # starts faster than processes
        again = search_trajectories(
            data, knowledge(data), options, n_ensemble=1, n_jobs=2, rng=np.random.RandomState(0)
        )
    assert again.best.coefficients == found.best.coefficients
    assert again.chances == found.chances


def test_what_a_half_finds_is_judged_on_all_rows(monkeypatch):
    """The first search, of all rows, is kept from the truth; that of a half is not."""
    from skdyn.symbolic.discovery import _findings

    data = lotka_volterra()
    n_rows = len(data.inputs)

    def narrow(t, X, u, priors, max_terms, **options):
        whole = len(t[0]) == n_rows and isinstance(priors, PriorKnowledge)
        return discover(t, X, u, priors=priors, max_terms=1 if whole else max_terms, **options)

    monkeypatch.setattr(_findings, "discover", narrow)
    options = OPTIONS | {"max_rounds": 1}
    rng = np.random.RandomState(0)
    alone = search_trajectories(data, knowledge(data), options)
    helped = search_trajectories(data, knowledge(data), options, n_ensemble=1, rng=rng)
    assert helped.best.score < alone.best.score
    found = [{term.form.text for term in terms} for terms in helped.best.equations]
    assert found == [{"x0", "x0*x1"}, {"x1", "x0*x1"}]
    assert max(map(len, alone.best.equations)) == 1
    assert np.isfinite(np.concatenate([np.concatenate(row) for row in helped.errors])).all()


def test_equations_that_no_data_could_bring_about_are_an_error():
    data = lotka_volterra()
    known = knowledge(data, required={"x": ["x"]}, max_complexity=4)
    known._max_complexity = 3  # c * x alone has as many, and nothing is left for 0
    with pytest.raises(ValueError, match="No equations agree with both the data and max_complex"):
        search_trajectories(data, known, OPTIONS | {"max_rounds": 1})


def test_targets_are_found_side_by_side():
    X = np.random.default_rng(0).uniform(0.5, 2.0, (60, 2))
    targets = np.stack([2 * X[:, 0] * X[:, 1], X[:, 0] - 3 * X[:, 1] ** 2], axis=1)
    terms = candidate_terms(("polynomial",), 2, X)
    known = PriorKnowledge(["x", "y"], [], X, np.ones(2), terms, targets=["a", "b"])
    found = search_targets(Measurements([], X, targets), known, OPTIONS)
    assert forms_of(found.best.equations) == (("x0*x1",), ("x0", "x1**2"))
    np.testing.assert_allclose(np.concatenate(found.best.coefficients), [2.0, 1.0, -3.0])
    assert found.best.rss.shape == found.noise.shape == (2,)
    assert len(found.errors) == len(found.chances) == 2
    assert any(system is found.best for system in found.front)


def test_unexplained_variance_is_in_shares_of_the_targets():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.5, 2.0, (200, 1))
    y = 1e6 * (X[:, 0] + 0.1 * rng.normal(size=200))
    terms = candidate_terms(("polynomial",), 1, X)
    known = PriorKnowledge(["x"], [], X, np.ones(1), terms, targets=["y"])
    found = search_targets(Measurements([], X, y[:, None]), known, OPTIONS | {"degree": 1})
    assert found.best.rss[0] / 200 == pytest.approx(1e10 / y.var(), rel=0.2)
    assert found.noise[0] == pytest.approx(1e5, rel=0.1)


def test_terms_without_a_value_on_the_data_are_left_out():
    X = np.linspace(-1.0, 1.0, 21)[:, None]
    texts = {term.form.text for term in candidate_terms(("polynomial", "trigonometric"), 1, X)}
    assert "sin(x0)" in texts
    assert "cot(x0)" not in texts  # x is zero once


def test_families_without_a_value_are_an_error_that_names_them():
    X = np.linspace(-1.0, 1.0, 20)[:, None]
    with pytest.raises(ValueError, match=r"No term of families=\('logarithmic', 'power'"):
        candidate_terms(("logarithmic", "power"), None, X)
    with pytest.raises(ValueError, match="families must be 'all' or some of polynomial"):
        candidate_terms(("polynomials",), None, X)


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
