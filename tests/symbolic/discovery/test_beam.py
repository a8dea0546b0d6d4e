from itertools import combinations

import numpy as np
import pytest

from skdyn.symbolic.discovery._beam import (
    Dictionary,
    backward_elimination,
    beam_search,
    candidate,
    refine,
    refine_set,
    rss_of,
    swaps,
)
from skdyn.symbolic.discovery._integral import DirectForm
from skdyn.symbolic.discovery._terms import Form, Term

N_TERMS = 7
TERMS = [Term(Form(f"x{j}", 1.0)) for j in range(N_TERMS)]
COEF = np.array([0.0, 3.0, 0.0, -2.0, 0.0, 1.0, 0.5])


class Noisy:
    """Columns that are the variables themselves, against a target with noise of size 1."""

    def __init__(self, columns, y):
        self.columns, self.y, self.n_rows = columns, y, len(y)

    def column(self, term):
        values = DirectForm(self.y, self.columns).column(term)
        return None if values is None else values * DirectForm(self.y, self.columns).sd


@pytest.fixture(params=["orthogonal", "correlated"])
def book(request):
    rng = np.random.default_rng(0)
    A = 10 * np.linalg.qr(rng.normal(size=(60, N_TERMS)))[0]
    if request.param == "correlated":
        A = A @ (np.eye(N_TERMS) + 0.9 * np.eye(N_TERMS, k=1))
    return Dictionary(Noisy(list(A.T), A @ COEF + rng.normal(size=60)), TERMS)


def best_of_each_size(book, sizes, kept=()):
    found = {}
    for size in sizes:
        nodes = [s for s in combinations(range(N_TERMS), size) if set(kept) <= set(s)]
        found[size] = min(nodes, key=lambda node: rss_of(book, node))
    return found


def of_size(found, size):
    return min((node for node in found if len(node) == size), key=found.get)


@pytest.mark.parametrize("kept", [(), (2,)], ids=str)
def test_beam_search_finds_what_a_search_of_all_subsets_finds(book, kept):
    found = beam_search(book, np.arange(N_TERMS), max_terms=4, width=12, start=kept)
    for size, node in best_of_each_size(book, range(1 + len(kept), 5), kept).items():
        assert of_size(found, size) == node


@pytest.mark.parametrize("kept", [(), (2,)], ids=str)
def test_backward_elimination_finds_what_a_search_of_all_subsets_finds(book, kept):
    found = backward_elimination(book, np.arange(N_TERMS), kept=kept)
    for size, node in best_of_each_size(book, range(1 + len(kept), N_TERMS), kept).items():
        assert of_size(found, size) == node


def test_every_set_comes_with_its_residual_and_with_the_required_columns(book):
    for search in (beam_search, backward_elimination):
        options = {"start": (0, 4)} if search is beam_search else {"kept": (0, 4)}
        found = search(book, np.arange(N_TERMS), **options)
        assert found
        for node, rss in found.items():
            assert {0, 4} <= set(node)
            assert rss == pytest.approx(rss_of(book, node), rel=1e-6)


def test_swaps_turn_a_poor_set_into_the_best_of_its_size_and_keep_what_is_required(book):
    best = best_of_each_size(book, [3])[3]
    found = swaps(book, (0, 2, 4))
    assert list(found)[-1] == best
    assert list(found.values()) == sorted(found.values(), reverse=True)
    assert swaps(book, best) == {}
    kept = swaps(book, (0, 2, 4), kept=(0,))
    assert list(kept)[-1] == best_of_each_size(book, [3], (0,))[3]


def test_only_allowed_columns_are_used(book):
    for search in (beam_search, backward_elimination):
        found = search(book, np.array([0, 1, 3, 6]))
        assert set().union(*found) <= {0, 1, 3, 6}


def test_the_order_of_terms_does_not_matter(book):
    turned = Dictionary(book.problem, TERMS[::-1])
    one, other = (beam_search(b, np.arange(N_TERMS), max_terms=4) for b in (book, turned))
    assert min(one.values()) == pytest.approx(min(other.values()))


def test_a_candidate_has_the_coefficients_of_least_squares(book):
    found = candidate(book, (1, 3))
    A = np.stack(book.problem.columns, axis=1)[:, [1, 3]]
    coef, rss, *_ = np.linalg.lstsq(A, book.problem.y, rcond=None)
    assert found.coef == pytest.approx(coef)
    assert found.rss == pytest.approx(rss[0])
    assert found.terms == (TERMS[1], TERMS[3])
    assert (found.n_constants, found.cost, found.forms) == (2, 2.0, ("x1", "x3"))


def test_backward_elimination_drops_columns_that_others_make_up(book):
    columns = book.problem.columns
    problem = Noisy([*columns[:6], columns[1] + columns[3]], book.problem.y)
    found = backward_elimination(Dictionary(problem, TERMS), np.arange(N_TERMS))
    assert max(map(len, found)) == N_TERMS - 1


def test_backward_elimination_takes_out_what_the_residual_misses_least_not_what_is_small():
    """Of two nearly equal columns with large coefficients one goes before a third that is small."""
    a, b, c = np.linalg.qr(np.random.default_rng(0).normal(size=(40, 3)))[0].T
    problem = Noisy([a, a + 0.03 * b, c], 3 * a - 2 * (a + 0.03 * b) + 0.5 * c)
    found = backward_elimination(Dictionary(problem, TERMS[:3]), np.arange(3))
    assert of_size(found, 2) in {(0, 2), (1, 2)}


def test_a_dictionary_holds_a_term_once_and_leaves_out_what_has_no_value(book):
    before = len(book.terms)
    assert book.add(TERMS[2]) == 2
    assert book.add(Term(Form("log(x0)", 1.0))) is None
    assert book.add(Term(Form("0*x0", 1.0))) is None
    assert len(book.terms) == before
    new = book.add(Term(Form("x0*x1", 1.0)))
    assert (new, len(book.terms), book.columns.shape) == (before, before + 1, (60, before + 1))
    assert np.linalg.norm(book.columns, axis=0) == pytest.approx(np.ones(before + 1))


def test_a_dictionary_grows_past_the_room_it_began_with():
    x = np.linspace(0.1, 2, 20)
    book = Dictionary(DirectForm(x, [x]), [])
    for k in range(900):
        book.add(Term(Form("1/(k0 + x0)", 1.0, 1), (0.1 + k,)))
    assert len(book.terms) == 900
    assert book.columns[:, -1] == pytest.approx(book.columns[0, -1] * 899.2 / (899.1 + x))


# -- inner constants --------------------------------------------------------------------------


def saturating(rng=None):
    """1.5 x / (0.7 + x) - 0.3 x, and starts for both terms."""
    x = np.linspace(0.05, 4, 60)
    y = 1.5 * x / (0.7 + x) - 0.3 * x
    if rng is not None:
        y = y + 0.01 * rng.normal(size=60)
    terms = [Term(Form("x0", 1.0)), Term(Form("x0/(k0 + x0)", 1.0, 1), (2.0,))]
    return DirectForm(y, [x]), terms


def test_refinement_recovers_an_inner_constant():
    problem, terms = saturating()
    found, rss = refine(problem, terms, n_steps=30)
    assert found[1].inner[0] == pytest.approx(0.7, rel=1e-6)
    assert found[0] == terms[0]
    assert rss < 1e-6 * problem.n_rows


@pytest.mark.parametrize("start", [0.01, 0.3, 1.0, 5.0, 100.0])
@pytest.mark.parametrize("n_steps", [1, 3])
def test_refinement_never_makes_the_residual_larger(start, n_steps):
    problem, (plain, term) = saturating(np.random.default_rng(0))
    terms = [plain, term._replace(inner=(start,))]
    book = Dictionary(problem, terms)
    _, rss = refine(problem, terms, n_steps)
    assert rss <= rss_of(book, (0, 1)) * (1 + 1e-9)


def test_refinement_ends_where_the_residual_is_flat():
    problem, terms = saturating(np.random.default_rng(0))
    (_, best), rss = refine(problem, terms, n_steps=30)
    book = Dictionary(problem, terms)
    for factor in (0.98, 1.02):
        near = book.add(best._replace(inner=(best.inner[0] * factor,)))
        assert rss_of(book, (0, near)) > rss


def test_a_refined_set_joins_the_dictionary_and_one_without_inner_constants_is_left():
    problem, terms = saturating()
    book = Dictionary(problem, terms)
    assert refine_set(book, (0,)) is None
    better = refine_set(book, (0, 1))
    assert len(book.terms) == 3
    assert rss_of(book, better) < rss_of(book, (0, 1))


def test_a_search_refines_on_the_way():
    problem, terms = saturating()
    book = Dictionary(problem, terms)
    best = min(found := beam_search(book, np.arange(2), max_terms=2), key=found.get)
    assert candidate(book, best).coef == pytest.approx((-0.3, 1.5), rel=1e-3)


def test_a_form_occurs_once_in_a_set():
    problem, (plain, term) = saturating()
    terms = [plain, *(term._replace(inner=(k,)) for k in (0.2, 0.6, 0.8, 3.0))]
    found = beam_search(Dictionary(problem, terms), np.arange(5), n_refined=0)
    assert max(map(len, found)) == 2
