import numpy as np
import pytest

from skdyn.hopfield._analogues import Recipe, taught
from skdyn.hopfield._forecaster_choice import (
    LADDER,
    candidates,
    choose,
    held_out_errors,
    recalled_by_step,
)
from skdyn.hopfield._origins import History, held_out, some_steps
from skdyn.hopfield._separations import SEPARATIONS
from skdyn.hopfield._trivial_forecasts import trivial_squares

SOFTMAX = SEPARATIONS["softmax"]
WAVE = np.sin(np.arange(60) / 3)[:, None] * np.sqrt(2)


def test_errors_are_those_of_forecasts_from_what_came_before():
    history, recipe = History(WAVE, np.array([60]), 2), Recipe(3, "none", False)
    held = held_out(history, 3)[:1]
    found = held_out_errors(history, held, recipe, LADDER, SOFTMAX)
    ends = history.ends(3)
    model = taught(WAVE, ends[ends <= held[0].last], recipe, np.array([1, 2]), SOFTMAX)
    windows = WAVE[held[0].origins[:, None] + np.arange(-2, 1)]
    truth = WAVE[held[0].origins[:, None] + np.array([1, 2])]
    for place in (3, 12):
        answers, _ = model.answers(windows, np.full(2, LADDER[place]))
        np.testing.assert_allclose(found[place], np.square(answers - truth).mean(axis=0))
    last, mean = trivial_squares(history, held).mean(axis=1)
    np.testing.assert_allclose(last, np.square(windows[:, -1:] - truth).mean(axis=0))
    before = WAVE[: held[0].last + 1].mean()
    np.testing.assert_allclose(mean, np.square(before - truth).mean(axis=0))


def test_a_window_is_recalled_from_those_that_do_not_hold_its_answer():
    rng = np.random.default_rng(0)
    spikes = rng.normal(size=(40, 1))  # no two windows are alike but those of the same states
    history, recipe = History(spikes, np.array([40]), 3), Recipe(2, "none", False)
    model = taught(spikes, history.ends(2), recipe, some_steps(3), SOFTMAX)
    _, errors, _ = recalled_by_step(history, model, [LADDER[-1]])
    assert (errors > 0.5).all()  # itself left in, there would be none


def test_one_short_sequence_of_each_kind_is_recalled_from_the_others():
    cases = np.stack([WAVE[k : k + 6, 0] for k in range(10)])
    history = History(cases.reshape(-1, 1), np.full(10, 6), 3)
    model = taught(
        history.states, history.ends(3), Recipe(3, "last", False), some_steps(3), SOFTMAX
    )
    places, errors, _ = recalled_by_step(history, model, LADDER)
    assert (errors < 0.1).all()
    assert (places > 0).all()


@pytest.mark.parametrize(("given", "n"), [(("auto", "auto", "auto"), 34), ((4, "trend", True), 1)])
def test_candidates_are_what_parameters_allow(given, n):
    found = candidates(History(WAVE, np.array([60]), 6), *given)
    assert len(found) == n
    assert found[0] == (Recipe(1, "last", False) if n > 1 else Recipe(4, "trend", True))
    assert all(recipe.window <= (60 - 6) / 3 for recipe in found)


def test_what_is_chosen_has_a_value_for_each_step():
    history = History(WAVE, np.array([60]), 12)
    chosen = choose(history, candidates(history, 3, "auto", "auto"), None, SOFTMAX)
    assert chosen.betas.shape == (12,)
    assert chosen.errors.shape == chosen.spreads.shape == (12, 1)
    assert (chosen.errors < 1e-3).all()


def test_the_trivial_is_said_where_nothing_is_better():
    noise = np.random.default_rng(0).normal(size=(120, 1))
    history = History(noise, np.array([120]), 2)
    with pytest.warns(UserWarning, match="Forecasts now say nearly that"):
        chosen = choose(history, candidates(history, "auto", "auto", "auto"), None, SOFTMAX)
    assert chosen.recipe == Recipe(1, "none", False)
    assert (chosen.betas == LADDER[0]).all()
