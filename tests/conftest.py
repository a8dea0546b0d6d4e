"""Settings that must hold before the first import of scikit-learn, scipy, torch or matplotlib."""

import os

# scipy reads it on import; scikit-learn's array API checks need it.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")
# Workers of pytest-xdist, and what they start, must not fight over the cores they each count.
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread():
    """Keep the workers of pytest-xdist from sharing the cores they each count as theirs."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(autouse=True)
def same_luck_every_time():
    """Seed what a test leaves to chance (first weights of a bare module, ``random_state=None``).

    A test that passes passes again, alone or in company; xdist deals them out anew at every run.
    """
    import numpy as np
    import torch

    np.random.seed(0)  # noqa: NPY002  (the generator behind random_state=None)
    torch.manual_seed(0)
