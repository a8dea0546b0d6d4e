import warnings

import numpy as np
import pandas as pd
import pytest

from skdyn.symbolic._doubts import disturbed, say_doubts
from skdyn.symbolic._measurements import Segment

NAMES = ["x'", "y'"]
SURE = pd.DataFrame(
    {"equation": ["x'", "y'"], "term": ["x", "y"], "value": [1.5, -3.0], "std_error": [0.1, 0.2]}
)
NONE = pd.DataFrame({"behind": [], "equations": []})


def said(misfit=(1.0, 1.0), seen=(0.1, 0.1), table=SURE, alternatives=NONE, **options):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        say_doubts(NAMES, np.array(misfit), np.array(seen), table, alternatives, **options)
    return [str(warning.message) for warning in caught]


def test_nothing_is_said_of_what_explains_the_data_and_of_residuals_that_nobody_sees():
    assert said() == []
    assert said((1e4, 1.0), (1e-5, 0.1)) == []
    assert said((0.4, 0.1), targets=True) == []


@pytest.mark.parametrize(
    ("misfit", "targets", "words"),
    [
        ((0.9, 9.0), False, "are 9 for y' times the variance of the noise"),
        ((0.8, 0.1), True, "are 0.8 for x' of the variance"),
    ],
)
def test_residuals_far_above_the_noise_are_told_and_whose_they_are(misfit, targets, words):
    (message,) = said(misfit, targets=targets)
    assert words in message


def test_the_nearest_of_the_alternatives_is_shown():
    others = pd.DataFrame({"behind": [0.44, 2.0], "equations": [["x' = 1", "y' = x"], ["x' = y"]]})
    (message,) = said(alternatives=others)
    assert "2 with other terms" in message
    assert "such as x' = 1; y' = x (0.4 nats)" in message


def test_alternatives_that_are_far_behind_are_not_told():
    far = pd.DataFrame({"behind": [8.0], "equations": [["x' = y"]]})
    assert said(alternatives=far) == []
    (message,) = said(alternatives=pd.concat([far.assign(behind=1.0), far]))
    assert "1 with other terms" in message


def test_terms_whose_constants_may_be_zero_are_named():
    (message,) = said(table=SURE.assign(std_error=[1.0, np.nan]))
    assert "contribute: x in x' (1.5 +- 1)." in message


def test_noise_that_is_added_is_like_that_of_the_states():
    t = np.linspace(0, 10, 300)
    noise = np.random.default_rng(1).normal(size=(300, 2)) * [0.1, 0.0]
    parts = [Segment(t[:150], np.zeros((150, 2)), None), Segment(t[150:], np.ones((150, 2)), None)]
    parts = [s._replace(X=s.X + n) for s, n in zip(parts, np.split(noise, 2), strict=True)]
    added = np.concatenate([a.X - s.X for a, s in zip(disturbed(parts), parts, strict=True)])
    assert added.std(axis=0) == pytest.approx([0.1, 0.0], rel=0.3)
