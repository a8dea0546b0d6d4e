import numpy as np
import pytest
from scipy.integrate import solve_ivp

from skdyn.symbolic.discovery._beam import Candidate
from skdyn.symbolic.discovery._fitted import forms_of
from skdyn.symbolic.discovery._joint import Joint, followed
from skdyn.symbolic.discovery._shooting import System
from skdyn.symbolic.discovery._smoothing import smooth
from skdyn.symbolic.discovery._terms import Form, Term

ONE, X0, X1 = (Term(Form(text, 0.5)) for text in ("1", "x0", "x1"))
SQUARE, PRODUCT = Term(Form("x0**2", 1.5)), Term(Form("x0*x1", 1.5))
CUBE = Term(Form("x0**3", 3.0))
TRUTH = ((X0, PRODUCT), (PRODUCT, X1))
COEF = ((1.1, -0.4), (0.1, -0.4))
NOISE = 0.1


def rhs(_, x):
    return [1.1 * x[0] - 0.4 * x[0] * x[1], 0.1 * x[0] * x[1] - 0.4 * x[1]]


def measured(scale=(1.0, 1.0)):
    t = np.linspace(0, 20, 80)
    X = solve_ivp(rhs, (0, 20), [10.0, 5.0], t_eval=t, rtol=1e-10, atol=1e-10).y.T
    return t, (X + NOISE * np.random.default_rng(0).normal(size=X.shape)) * scale


@pytest.fixture(scope="module")
def record():
    """Measurements whose noise is known."""
    t, X = measured()
    return smooth([t], [X])._replace(sd=[np.full(X.shape, NOISE)])


@pytest.fixture
def joint(record):
    return Joint(record, 8)


def coefficients_of(fitted, i):
    texts = [term.form.text for term in fitted.equations[i]]
    return dict(zip(texts, fitted.coefficients[i]))


def test_a_fit_of_the_truth_leaves_the_noise(joint):
    fitted = joint.fit(TRUTH, ((1.0, -0.3), (0.12, -0.5)))
    assert fitted.rss / joint.n == pytest.approx(np.ones(2), abs=0.35)
    assert coefficients_of(fitted, 0)["x0*x1"] == pytest.approx(-0.4, rel=0.02)


def test_pruning_takes_a_superfluous_term_out(joint):
    full = joint.fit(((X0, PRODUCT, ONE), (PRODUCT, X1, SQUARE)),
                     ((1.0, -0.4, 0.0), (0.1, -0.4, 0.0)))  # fmt: skip
    pruned = joint.prune(full)
    assert forms_of(pruned.equations) == forms_of(TRUTH)
    assert pruned.score < full.score
    assert joint.prune(pruned) == pruned


def test_pruning_leaves_what_pays_for_itself():
    """Without the source the description is some 10 nats longer: less than hopeless."""
    t = np.linspace(0, 4, 80)
    x = 0.01 + np.exp(-t) + 0.01 * np.random.default_rng(0).normal(size=80)
    joint = Joint(smooth([t], [x[:, None]])._replace(sd=[np.full((80, 1), 0.01)]), 4)
    fitted = joint.fit(((X0, ONE),), ((-1.0, 0.01),))
    assert joint.prune(fitted) is fitted
    (shorter,) = (f for f in joint.seen.values() if f is not None and len(f.equations[0]) == 1)
    assert shorter.score > fitted.score


def test_pruning_keeps_what_prior_knowledge_requires(record):
    class Priors:
        def price(self, equations, coefficients):
            return 0.0

        def residuals(self, equations):
            return None

        def required(self, i):
            return (ONE,) if i == 0 else ()

    joint = Joint(record, 8, priors=Priors())
    longer = ((*TRUTH[0], ONE), (*TRUTH[1], ONE))
    pruned = joint.prune(joint.fit(longer, tuple((*coef, 0.0) for coef in COEF)))
    assert forms_of(pruned.equations) == forms_of(((*TRUTH[0], ONE), TRUTH[1]))


def test_pruning_leaves_a_term_in_each_equation(joint):
    assert all(joint.prune(joint.fit(((ONE,), (ONE,)), ((0.0,), (0.0,)))).equations)


def test_ever_simpler_systems_are_fitted_down_to_one_term_an_equation(joint):
    joint.simpler(joint.fit(TRUTH, COEF))
    sizes = [sum(map(len, f.equations)) for f in joint.seen.values() if f is not None]
    assert set(sizes) == {4, 3, 2}
    assert min(joint.seen.values(), key=lambda f: f.score).equations[0] == TRUTH[0]


def test_a_fit_far_worse_than_the_best_is_given_up_unless_wanted(joint):
    joint.fit(TRUTH, COEF)
    poor = ((X0,), (X1,)), ((0.0,), (0.0,))
    assert joint.fit(*poor) is None
    assert joint.fit(*poor, whatever=True).rss.sum() > 10 * joint.n.sum()


def test_exchange_takes_the_better_right_hand_side_and_only_that(joint):
    start = joint.fit(((X0, X1), TRUTH[1]), ((1.0, -1.0), COEF[1]))
    lists = [[Candidate((X0, SQUARE), (1.0, -0.1), np.nan), Candidate(TRUTH[0], COEF[0], np.nan)],
             [Candidate((X1,), (-0.1,), np.nan)]]  # fmt: skip
    better = joint.exchange(start, lists)
    assert forms_of(better.equations) == forms_of(TRUTH)
    assert joint.exchange(better, [[], []]) is better


def test_what_is_seen_is_remembered_and_not_fitted_again(joint):
    fitted = joint.fit(TRUTH, COEF)
    turned = tuple(terms[::-1] for terms in TRUTH)
    assert joint.fit(turned, COEF) is fitted
    assert list(joint.seen) == [forms_of(TRUTH)]


def test_scores_do_not_depend_on_the_units_of_a_state():
    scale = np.array([1000.0, 0.01])
    t, X = measured()
    one, other = (Joint(smooth([t], [x]), 8) for x in (X, X * scale))
    scaled = ((1.1, -0.4 / scale[1]), (0.1 / scale[0], -0.4))
    longer = ((*TRUTH[0], ONE), TRUTH[1])
    systems = [
        (TRUTH, COEF, scaled),
        (longer, ((*COEF[0], 0.1), COEF[1]), ((*scaled[0], 0.1 * scale[0]), scaled[1])),
    ]
    for equations, coef, scaled in systems:
        fits = one.fit(equations, coef), other.fit(equations, scaled)
        assert fits[1].score == pytest.approx(fits[0].score, abs=0.1)


def test_a_better_fit_and_a_shorter_system_have_lower_scores(joint):
    rss = np.array([80.0, 80.0])
    assert joint.score(TRUTH, 0.9 * rss) < joint.score(TRUTH, rss)
    assert joint.score((TRUTH[0][:1], TRUTH[1]), rss) < joint.score(TRUTH, rss)


def escapes(joint, system, p):
    return joint.disturbed.escapes(joint.disturbed.solve(system, p))


def sensitivity(joint, system, p):
    return joint.disturbed.sensitivity(joint.disturbed.solve(system, p))


def test_a_stable_system_never_escapes_and_an_explosive_one_does():
    """Of x' = x^3 - 2 x only what starts within the root of 2 stays."""
    t = np.linspace(0, 4, 60)
    joint = Joint(smooth([t], [2 * np.exp(-t)[:, None]]), 4)
    assert escapes(joint, System(((X0,),)), np.array([-1.0])) == 0
    assert escapes(joint, System(((CUBE, X0),)), np.array([1.0, -2.0])) > 0
    assert escapes(joint, System(((CUBE,),)), np.array([50.0])) == 1
    # In four units of time to 1.5 or 25 times the start.
    assert escapes(joint, System(((X0,),)), np.array([0.1])) == 0
    assert escapes(joint, System(((X0,),)), np.array([0.8])) == 1


@pytest.mark.parametrize("rate", [-1.0, 0.0, 1.0, 2.0])
def test_the_start_of_an_unstable_solution_costs_what_it_grows_to(rate):
    """A change of the start of x' = a x grows to e^(a t); shrinking ones cost nothing."""
    t = np.linspace(0, 4, 201)
    joint = Joint(smooth([t], [2 * np.exp(-t)[:, None]]), 4)
    growth = np.mean(np.exp(2 * rate * t[::2]))
    price = sensitivity(joint, System(((X0,),)), np.array([rate]))
    assert price == pytest.approx(max(0.5 * np.log(growth), 0), abs=1e-3)


def test_the_price_of_a_start_is_bounded_where_the_solution_explodes():
    t = np.linspace(0, 4, 60)
    joint = Joint(smooth([t], [2 * np.exp(-t)[:, None]]), 4)
    price = sensitivity(joint, System(((CUBE,),)), np.array([50.0]))
    assert np.log(5e4) < price <= np.log(1e5)


def test_a_system_that_cannot_follow_is_no_fit_where_windows_are_tied(record):
    joint = Joint(record, 4)
    assert joint.fit(((Term(Form("exp(x0*x1)", 1.0)),), (X1,)), ((1e3,), (-0.4,))) is None


def test_windows_that_stand_alone_let_a_poor_system_follow_for_a_while(record):
    equations, coef = ((X0,), (X1,)), ((0.0,), (0.0,))
    weak, tied = (Joint(record, 40, weak=weak).fit(equations, coef) for weak in (True, False))
    assert weak.rss.sum() < tied.rss.sum()


def test_prior_knowledge_prices_and_binds_a_system(record):
    class Priors:
        """Wants the two coefficients of the product to be equal and opposite, for 7 nats."""

        def price(self, equations, coefficients):
            return 7.0

        def residuals(self, equations):
            return lambda p: 1e6 * np.array([p[1] + p[2]])

    joint = Joint(record, 8, priors=Priors())
    fitted = joint.fit(TRUTH, COEF)
    assert fitted.coefficients[0][1] == pytest.approx(-fitted.coefficients[1][0], abs=1e-5)
    free = joint.score(fitted.equations, fitted.rss)
    assert fitted.score >= free + 7.0


def test_a_solution_is_followed_and_is_nearer_to_the_truth_than_smoothing(record, joint):
    fitted = joint.fit(TRUTH, COEF)
    after = followed(record._replace(sd=[2 * record.sd[0]]), joint.windows, fitted)
    at = np.linspace(0.5, 19.5, 300)
    exact = solve_ivp(rhs, (0, 20), [10.0, 5.0], t_eval=at, rtol=1e-10, atol=1e-10).y
    errors = [np.std(r.at(0, at) - exact, axis=1) for r in (record, after)]
    assert (errors[1] < 0.6 * errors[0]).all()
    for sd in after.sd[0].T:
        assert np.median(sd) == pytest.approx(NOISE, rel=0.25)
    assert after.X is record.X


def test_controls_keep_their_curves_when_a_solution_is_followed():
    t = np.linspace(0, 6, 60)
    u = np.sin(t)[:, None]
    x = solve_ivp(lambda s, x: np.interp(s, t, u[:, 0]) - x, (0, 6), [1.0], t_eval=t, rtol=1e-9,
                  atol=1e-9, max_step=0.1).y.T  # fmt: skip
    record = smooth([t], [x], [u])
    joint = Joint(record, 4)
    fitted = joint.fit(((X0, X1),), ((-0.8, 0.8),))
    after = followed(record, joint.windows, fitted)
    assert after.curves[0][1] is record.curves[0][1]
    assert fitted.coefficients[0] == pytest.approx((-1.0, 1.0), abs=1e-5)


def test_systems_are_told_apart_by_the_forms_of_their_terms():
    assert forms_of(TRUTH) == (("x0", "x0*x1"), ("x0*x1", "x1"))
    assert forms_of([TRUTH[0][::-1]]) == forms_of([TRUTH[0]])


def test_disturbed_starts_stay_on_the_side_of_zero_where_the_data_are():
    """A population's law explodes below zero, where no population is; nor is noise a crossing."""
    t = np.linspace(0, 15, 60)[:, None]
    grows = 1 / (1 + 99 * np.exp(-0.83 * t))
    noise = 0.02 * (-1.0) ** np.arange(60)[:, None]
    X = np.hstack([grows + noise, -grows, np.sin(t)])
    assert X[:, 0].min() < 0
    far = Joint(smooth([t[:, 0]], [X]), 4).disturbed.starts[:, 1:8]
    assert far[0].min() > 0 > far[1].max()
    assert far[2].min() < 0 < far[2].max()


def test_the_true_growth_never_escapes():
    t = np.linspace(0, 15, 60)
    joint = Joint(smooth([t], [1 / (1 + 99 * np.exp(-0.83 * t))[:, None]]), 4)
    solved = joint.disturbed.solve(System(((X0, SQUARE),)), np.array([0.83, -0.83]))
    assert joint.disturbed.escapes(solved) == 0


@pytest.mark.parametrize(("k", "forms"), [(0.0, ("1", "x0")), (0.7, ("x0", "x0/(k0 + x0)"))])
def test_a_fraction_that_is_one_is_written_as_one_and_another_stays(k, forms):
    t = np.linspace(0, 4, 60)
    x = solve_ivp(lambda t, x: 0.6 * x / (k + x) - x, (0, 4), [3.0], t_eval=t, rtol=1e-9).y.T
    x += 0.01 * np.random.default_rng(0).normal(size=x.shape)
    joint = Joint(smooth([t], [x]), 4)
    fraction = Term(Form("x0/(k0 + x0)", 5.0, 1), (k + 1e-7,))
    fitted = joint.fit(((X0, fraction),), ((-1.0, 0.6),))
    assert forms_of(joint.simplified(fitted, [[ONE, SQUARE]]).equations) == (forms,)
