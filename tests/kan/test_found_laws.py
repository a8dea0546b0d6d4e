"""Laws beside an estimator: the report, the flags, and what becomes of them."""

import _thread
import copy
import importlib
import pickle

import numpy as np
import pytest
import sympy

from skdyn.kan import KANRegressor

LIBRARY = ["0", "x", "exp"]


def fitted(f, n=60):
    X = np.random.default_rng(0).uniform(0.5, 2, (n, 1))
    y = f(X[:, 0])
    model = KANRegressor((1,), optimizer="lm", grid_sizes=3, max_iter=12, tol=0.1, random_state=0)
    return model.fit(X, y), X, y


@pytest.fixture(scope="module")
def product():
    model, X, y = fitted(lambda a: a * np.exp(-a))
    return model.auto_symbolic(X, y, library=LIBRARY), X, y


@pytest.fixture(scope="module")
def once():
    return fitted(lambda a: np.cos(5 * a), n=24)


@pytest.fixture
def wave(once):
    return copy.deepcopy(once)


def test_a_law_that_stands_out_is_what_the_network_becomes(product):
    model, X, y = product
    a = sympy.Symbol("x0", real=True)
    assert model.formula() == a * sympy.exp(-a) == model.formula(X, y)
    np.testing.assert_allclose(model.predict(X), y, rtol=1e-12)
    assert model.hidden_layer_sizes == ((0, 1),)


def test_the_report_tells_domain_and_errors(product):
    table = product[0].symbolic_report_
    assert table["stands_out"][0]
    assert not table["stands_out"][1:].any()
    assert table["error"][0] < 1e-12
    assert "<= x0 <=" in table["domain"][0]


def test_laws_are_kept_in_pickles_and_forgotten_with_the_network(product):
    model = product[0]
    again = pickle.loads(pickle.dumps(model))
    assert again.formula() == model.formula()
    changed = copy.deepcopy(model)
    changed.fix_symbolic(0, 0, 0, "x^2")
    assert changed.formula() != model.formula()
    with pytest.raises(AttributeError, match="call auto_symbolic with the data"):
        _ = changed.symbolic_report_


def test_a_law_need_not_follow_the_noise_as_many_weights_do():
    rng = np.random.default_rng(0)
    X = rng.uniform(0.5, 2, (40, 1))
    y = np.exp(X[:, 0]) + 0.2 * rng.normal(size=40)
    free = {"smoothness": 0.0, "alpha": 0.0}
    model = KANRegressor((), optimizer="lm", grid_sizes=12, max_iter=5, **free).fit(X, y)
    followed = np.mean((model.predict(X) - y) ** 2)
    model.auto_symbolic(X, y, library=["x", "exp"])
    assert 1.1 * followed < np.mean((model.predict(X) - y) ** 2) < 0.06
    assert model.symbolic_report_["stands_out"][0]
    assert model.formula() == sympy.exp(sympy.Symbol("x0", real=True))


def test_a_look_alike_comes_with_a_warning(wave):
    model, X, y = wave
    with pytest.warns(UserWarning, match="may only look like the law: it leaves a pattern"):
        model.auto_symbolic(X, y, library=["0", "x"], tolerance=1e9)
    with pytest.warns(UserWarning, match="may only look like the law: it leaves a pattern"):
        model.formula()
    assert not model.symbolic_report_["stands_out"].any()


def test_edges_without_a_name_stay_as_functions(wave):
    model, X, y = wave
    with pytest.warns(UserWarning, match="left 2 edges as they were"):
        model.auto_symbolic(X, y, library=["0"], tolerance=0.0)
    assert model.score(X, y) > 0.999
    with pytest.raises(
        ValueError, match=r"no closed form yet, .* Call auto_symbolic.*partial=True"
    ):
        model.formula()
    formula = model.formula(partial=True)
    called = {str(call.func) for call in formula.atoms(sympy.core.function.AppliedUndef)}
    assert called == {"phi_0_0_0", "phi_1_0_0"}


def test_the_time_limit_ends_the_search(wave, capsys):
    model, X, y = wave
    with pytest.warns(UserWarning, match="The time was over"):
        model.auto_symbolic(X, y, max_time=0.0)
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("step", ["_laws._shortened", "_snapping._snap"])
def test_an_interrupt_anywhere_keeps_what_was_found(step, wave, monkeypatch):
    model, X, y = wave
    module, name = step.split(".")
    module = importlib.import_module(f"skdyn.kan.{module}")
    inner, calls = getattr(module, name), []

    def interrupted(*arguments):
        if not calls:
            _thread.interrupt_main()
        calls.append(name)
        return inner(*arguments)

    monkeypatch.setattr(module, name, interrupted)
    with pytest.warns(UserWarning, match="look like the law|left 2 edges"):
        model.auto_symbolic(X, y, library=["0", "x"], tolerance=0.0)
    assert calls
    assert len(model.symbolic_report_) > 0


def test_verbose_prints_what_is_tried(capsys):
    model, X, y = fitted(lambda a: 2 * a)
    model.auto_symbolic(X, y, library=LIBRARY, verbose=1)
    assert "[auto_symbolic] 2.0*x0 leaves" in capsys.readouterr().out
