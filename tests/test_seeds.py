"""The contract under twenty seeds: none of them hides a failure, none is a lucky one.

Outside the default run, because it takes the contract's time twenty times: ``pytest -m seeds``.
``ATEN_CPU_CAPABILITY=default`` (``avx2``, ``avx512``) makes torch round as other processors do.
"""

import pytest

from skdyn.testing import all_estimators, contract_checks, quick_instance
from skdyn.testing._probe import has_parameter, shared_fits

pytestmark = [
    pytest.mark.seeds,
    pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning"),
]
CLASSES = [cls for _, cls in all_estimators() if has_parameter("random_state")(quick_instance(cls))]
# What asks for the seed of its own accord, or for none, is the same under every seed.
SEEDLESS = ("parameters", "same_", "global_state", "grid_search", "metadata", "forged")


@pytest.fixture(autouse=True, scope="module")
def each_fit_that_is_only_read_is_made_once():
    with shared_fits():
        yield


@pytest.mark.parametrize(
    ("estimator_class", "check", "seed"),
    [
        pytest.param(cls, check, seed, id=f"seed{seed}-{cls.__name__}-{check.__name__}")
        for seed in range(20)
        for cls in CLASSES
        for check in contract_checks(quick_instance(cls))
        if not any(word in check.__name__ for word in SEEDLESS)
    ],
)
def test_the_contract_is_kept_under_every_seed(estimator_class, check, seed):
    check(quick_instance(estimator_class, random_state=seed))
