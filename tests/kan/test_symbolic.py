"""The whole path: data, network, closed forms, a formula with the right constants."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest
import sympy
from sklearn.metrics import r2_score

from skdyn.kan import KANClassifier, KANRegressor
from skdyn.kan._constants import evaluate

PHYSICS = {  # formula, range of the variables, hidden layer
    "(a + b)/(1 + a*b)": (-0.9, 0.9, (1,)),
    "a*b/(4*pi*c**2)": (1, 3, (1,)),  # Coulomb's law
}


def table(text, low=-1, high=1, noise=0.0, n=1000, seed=0):
    """The formula with its variables, and a sample of it."""
    truth = sympy.sympify(text)
    names = sorted(map(str, truth.free_symbols))
    truth = truth.xreplace({sympy.Symbol(name): sympy.Symbol(name, real=True) for name in names})
    rng = np.random.default_rng(seed)
    X = pd.DataFrame(rng.uniform(low, high, (n, len(names))), columns=names)
    y = sympy.lambdify([sympy.Symbol(name, real=True) for name in names], truth)(*X.to_numpy().T)
    return truth, X, y + noise * rng.normal(size=n)


def precise(hidden, **options):
    options = {"grid_sizes": (3, 10), "n_init": 2, "max_iter": 80, "random_state": 0} | options
    return KANRegressor(hidden, optimizer="lm", **options)


@pytest.fixture(scope="module")
def toy():
    """A precise network of exp(sin(pi a) + b^2); copy it before changing it."""
    truth, X, y = table("exp(sin(pi*a) + b**2)", n=200)
    return precise((1,), n_init=1).fit(X, y), X, y, truth


FEW = ["x", "x^2", "exp", "sin"]


@pytest.fixture(scope="module")
def taught(toy):
    """The formula that the network teaches itself, on the inputs given."""
    model, X, _, _ = toy
    return copy.deepcopy(model).auto_symbolic(X, library=FEW)


@pytest.mark.slow
@pytest.mark.parametrize("text", PHYSICS)
def test_a_law_of_physics_is_recovered_exactly_from_few_samples(text):
    low, high, hidden = PHYSICS[text]
    truth, X, y = table(text, low, high, n=100)
    model = precise(hidden, n_init=1, grid_sizes=3, max_iter=20).fit(X, y).auto_symbolic(X, y)
    found = model.formula(X, y)
    assert model.formula_score_ > 1 - 1e-12
    assert sympy.simplify(found - truth) == 0


@pytest.mark.slow
def test_noise_does_not_hide_a_law():
    truth, X, y = table("exp(sin(pi*a))", noise=0.01, n=150)
    model = precise((1,), n_init=1, grid_sizes=5, max_iter=20).fit(X, y)
    model.auto_symbolic(X, y, library=["0", "x", "x^2", "exp", "sin"])
    assert sympy.simplify(model.formula(X, y) - truth) == 0
    assert 0.99 < model.formula_score_ < 1 - 1e-5


def test_a_function_of_the_users_own_completes_the_library():
    truth, X, y = table("log(1 - a**2)", -0.9, 0.9, n=60)
    model = precise((), n_init=1, grid_sizes=5, max_iter=20).fit(X, y)
    model.auto_symbolic(X, y, library=["0", "x", "x^2", "log(1-x^2)"])
    assert sympy.simplify(model.formula(X, y) - truth) == 0
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(X), model.predict(X))


def test_without_data_the_network_teaches(toy):
    model, X, y, truth = toy
    taught = copy.deepcopy(model).auto_symbolic(library=FEW)
    assert r2_score(model.predict(X), taught.predict(X)) > 1 - 1e-4
    assert sympy.simplify(taught.formula(X, y) - truth) == 0


def test_without_targets_the_network_teaches_on_the_inputs_given(toy, taught):
    model, X, _, _ = toy
    assert r2_score(model.predict(X), taught.predict(X)) > 1 - 1e-4


def values(formula, X):
    symbols = [sympy.Symbol(name, real=True) for name in X.columns]
    return sympy.lambdify(symbols, formula)(*X.to_numpy().T) + np.zeros(len(X))


def test_formula_equals_predict_where_every_edge_is_fixed():
    _, X, y = table("a + 2*b", n=60)
    Y = np.stack([y, y**2], axis=1)
    model = KANRegressor((2, (1, 1)), random_state=0, max_iter=2, tol=0.0, dtype="float64").fit(
        X, Y
    )
    names = ["sin", "x^2", "exp", "log", "x", "0", "tanh"]
    for depth, layer in enumerate(model.module_.layers):
        for i in range(layer.n_in):
            for j in range(layer.n_subnodes):
                model.fix_symbolic(depth, i, j, names[(i + 2 * j + depth) % len(names)])
    formulas = model.formula()
    assert len(formulas) == 2
    for formula, predicted in zip(formulas, model.predict(X).T, strict=True):
        np.testing.assert_allclose(values(formula, X), predicted, rtol=1e-9, atol=1e-9)


def test_a_classifiers_formula_is_the_log_odds():
    _, X, score = table("a**2 + b", n=300, seed=1)
    y = np.where(score > 0.4, "yes", "no")
    model = KANClassifier((), random_state=0, lamb=1e-3, max_iter=60, tol=0.0).fit(X, y)
    model.auto_symbolic(X, y, library=["x", "x^2", "exp"])
    formula, p = model.formula(X, y), model.predict_proba(X)
    np.testing.assert_allclose(values(formula, X), np.log(p[:, 1] / p[:, 0]), rtol=1e-4, atol=1e-4)
    assert model.formula_score_ == model.score(X, y) > 0.9


def test_a_classifier_of_three_classes_has_a_formula_for_each():
    _, X, score = table("a + b/2", n=120)
    y = np.digitize(score, [-0.3, 0.3])
    model = (
        KANClassifier((), random_state=0, max_iter=60, tol=0.0)
        .fit(X, y)
        .auto_symbolic(library=["x", "x^2"], tolerance=1.0)
    )
    scores = np.stack([values(formula, X) for formula in model.formula()], axis=1)
    np.testing.assert_array_equal(scores.argmax(axis=1), model.predict(X))


def test_suggestions_name_the_edge_best_first(toy):
    model = toy[0]
    found = model.suggest_symbolic(0, 0, 0, top=3)
    assert [len(found), found[0].name] == [3, "sin"]
    assert model.suggest_symbolic(0, 1, 0)[0].name == "x^2"
    only = model.suggest_symbolic(0, 0, 0, library=["x", "exp"])
    assert {candidate.name for candidate in only} == {"x", "exp"}


def test_fixing_an_edge_changes_it_in_place_and_survives_a_pickle(toy):
    model = copy.deepcopy(toy[0])
    x = np.linspace(-1.5, 1.5, 20)
    before = model.edge_function(0, 1, 0, x)
    assert model.fix_symbolic(0, 1, 0, "x^2") is model
    np.testing.assert_allclose(model.edge_function(0, 1, 0, x), before, atol=0.02)
    again = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(again.predict(toy[1]), model.predict(toy[1]))


@pytest.mark.parametrize("name", ["log", "sqrt", "1/x", "arcsin"])
def test_a_function_without_negative_domain_is_shifted_onto_negative_data(toy, name):
    model = copy.deepcopy(toy[0]).fix_symbolic(0, 1, 0, name)
    assert np.isfinite(model.predict(toy[1])).all()


def test_predictions_and_formula_agree_on_where_nothing_real_is():
    X = np.random.default_rng(0).uniform(0, 1, (200, 1))
    y = np.sqrt(X[:, 0])
    model = KANRegressor((), optimizer="lm", random_state=0, max_iter=30).fit(X, y)
    model.auto_symbolic(X, y, library=["sqrt", "x"])
    beyond = np.array([[0.5], [-0.5], [-0.1]])
    with pytest.warns(UserWarning, match="not real at 2 of 3 rows, the first of them row 1"):
        answers = model.predict(beyond)
    found = evaluate(model.formula(), ["x0"], beyond)
    np.testing.assert_allclose(answers, found, atol=1e-9)
    assert np.isnan(found).tolist() == [False, True, True]
    with pytest.warns(UserWarning, match="formula is not real at 1 of 201 rows"):
        model.formula(np.vstack([X, [[-0.5]]]), np.append(y, 0.0))
    assert model.formula_unreal_ == 1
    assert model.formula_score_ > 1 - 1e-9  # without that row; as its mean it would cost 1e-3


@pytest.mark.parametrize(
    ("names", "text"), [(("sin", "E"), "sin(3*a) + exp(b)"), (("pi",), "sin(pi*a)")]
)
def test_columns_may_bear_the_names_of_functions_and_constants(names, text):
    truth, X, y = table(text, n=60)
    X.columns = names
    model = KANRegressor((), optimizer="lm", random_state=0, max_iter=20).fit(X, y)
    found = model.auto_symbolic(X, y, library=["x", "exp", "sin"]).formula(X, y)
    columns = {
        sympy.Symbol(old, real=True): sympy.Symbol(new, real=True) for old, new in zip("ab", names)
    }
    assert sympy.simplify(found - truth.xreplace(columns)) == 0


def test_a_classifier_keeps_its_accuracy_or_its_edges():
    """Where labels are noisy, a constant costs little loss, and every second row."""
    generator = np.random.default_rng(0)
    X = generator.uniform(-1, 1, (300, 1))
    y = (X[:, 0] > 0) ^ (generator.uniform(size=300) < 0.38)
    model = KANClassifier((), optimizer="lm", random_state=0, max_iter=30).fit(X, y)
    before = model.score(X, y)
    with pytest.warns(UserWarning, match="left 1 edges as they were, the first of layer 0, i=0"):
        model.auto_symbolic(X, y, library=["0"])
    assert model.score(X, y) >= before - 0.02


def test_an_edge_fixed_to_nothing_leaves_its_mean(toy):
    model, X = copy.deepcopy(toy[0]), toy[1]
    model.fix_symbolic(0, 1, 0, "0")
    assert len(np.unique(model.predict(X.assign(a=0.3)))) == 1
    assert np.isfinite(model.predict(X)).all()


def test_a_bad_name_a_bad_edge_or_an_empty_library_changes_nothing(toy):
    model, X = copy.deepcopy(toy[0]), toy[1]
    with pytest.raises(ValueError, match="knows no function 'sine'"):
        model.fix_symbolic(0, 0, 0, "sine")
    with pytest.raises(ValueError, match="library is empty"):
        model.auto_symbolic(library=[])
    with pytest.raises(ValueError, match="layer=7 does not exist"):
        model.suggest_symbolic(7, 0, 0)
    np.testing.assert_array_equal(model.predict(X), toy[0].predict(X))


def test_rows_of_weight_zero_teach_nothing_and_latex_writes_constants_short(toy, taught):
    model, X, y, truth = toy
    spoilt = np.where(np.arange(len(y)) % 3 == 0, 100.0, y)
    weight = (spoilt == y).astype(float)
    found = copy.deepcopy(model).auto_symbolic(X, spoilt, sample_weight=weight, library=FEW)
    assert sympy.simplify(found.formula(X, spoilt, sample_weight=weight) - truth) == 0
    assert found.latex(X, y) == r"e^{b^{2} + \sin{\left(\pi a \right)}}"
    assert len(taught.latex(digits=2)) < len(taught.latex(digits=10))


def test_without_feature_names_variables_are_numbered(toy):
    _, X, y, _ = toy
    model = KANRegressor((), max_iter=2, tol=0.0, random_state=0).fit(X.to_numpy(), y)
    model.fix_symbolic(0, 0, 0, "x").fix_symbolic(0, 1, 0, "x")
    assert {str(symbol) for symbol in model.formula().free_symbols} == {"x0", "x1"}
