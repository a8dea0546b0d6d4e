"""Settings that must hold before the first import of scikit-learn, scipy, torch or matplotlib."""

import os

# scipy reads it on import; scikit-learn's array API checks need it.
os.environ["SCIPY_ARRAY_API"] = "1"
os.environ.setdefault("MPLBACKEND", "Agg")

import pytest


@pytest.fixture(autouse=True, scope="session")
def one_torch_thread():
    """Keep the workers of pytest-xdist from sharing the cores they each count as theirs."""
    import torch

    torch.set_num_threads(1)
