import os
import subprocess
import sys
import threading

import pytest
import torch

from skdyn.training import new_generator, seeded_rng


def _draw(seed):
    with seeded_rng(seed):
        return torch.nn.Linear(3, 3).weight.detach().clone()


def test_the_block_is_seeded_and_the_global_state_comes_back():
    before = torch.get_rng_state()
    assert torch.equal(_draw(1), _draw(1))
    assert not torch.equal(_draw(1), _draw(2))
    assert torch.equal(torch.get_rng_state(), before)


def test_what_is_drawn_is_what_the_global_generator_would_give():
    """So that every seed goes on giving the model it gave."""

    def draws():
        return (
            torch.nn.Linear(3, 4).weight, torch.nn.Conv1d(2, 3, 3).bias, torch.rand(3),
            torch.randn(2, 2, dtype=torch.float64), torch.randint(2, 5, (4,)), torch.randperm(7),
            torch.rand_like(torch.zeros(3)), torch.empty(3).normal_(),
            torch.nn.init.orthogonal_(torch.empty(3, 3)),
        )  # fmt: skip

    with torch.random.fork_rng():
        torch.manual_seed(3)
        expected = draws()
    with seeded_rng(3):
        ours = draws()
    assert all(map(torch.equal, ours, expected))


def test_a_draw_that_names_its_generator_keeps_it():
    with seeded_rng(3):
        drawn = torch.randn(3, generator=new_generator(8))
    assert torch.equal(drawn, torch.randn(3, generator=new_generator(8)))


def test_a_draw_that_cannot_be_ours_is_an_error():
    with seeded_rng(0), pytest.raises(NotImplementedError, match="global generator only"):
        torch.native_dropout(torch.ones(3), 0.5, True)


def test_threads_draw_what_their_seed_says():
    expected = [_draw(seed) for seed in range(8)]
    drawn = {}
    threads = [
        threading.Thread(target=lambda s=s: drawn.__setitem__(s, _draw(s))) for s in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(torch.equal(drawn[seed], expected[seed]) for seed in range(8))


def test_another_threads_seeded_draws_are_untouched():
    inside, done = threading.Event(), threading.Event()

    def build():
        with seeded_rng(1):
            torch.nn.Linear(3, 3)
            inside.set()
            done.wait()
            torch.nn.Linear(3, 3)

    with torch.random.fork_rng():
        torch.manual_seed(7)
        expected = torch.rand(4)
        torch.manual_seed(7)
        beside = threading.Thread(target=build)
        beside.start()
        inside.wait()
        first = torch.rand(2)
        done.set()
        beside.join()
        assert torch.equal(torch.cat([first, torch.rand(2)]), expected)


FORK = """
import os, sys, threading, torch
import skdyn.solvers
assert "sklearn" not in sys.modules
from skdyn.training import seeded_rng

torch.set_num_threads(1)
inside, done = threading.Event(), threading.Event()

def build():
    with seeded_rng(1):
        torch.nn.Linear(3, 3)
        inside.set()
        done.wait()

beside = threading.Thread(target=build)
beside.start()
inside.wait()
child = os.fork()
if child == 0:
    with seeded_rng(2):
        torch.nn.Linear(3, 3)
    os._exit(0)
_, status = os.waitpid(child, 0)
done.set()
beside.join()
print("ended", status)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
def test_the_solvers_load_no_scikit_learn_and_a_fork_beside_a_running_fit_ends():
    """Two laws of one fresh interpreter, for each takes seconds to start."""
    run = subprocess.run([sys.executable, "-c", FORK], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "ended 0"


def test_generators_are_their_own():
    a, b = new_generator(5), new_generator(5)
    assert torch.equal(torch.rand(3, generator=a), torch.rand(3, generator=b))
