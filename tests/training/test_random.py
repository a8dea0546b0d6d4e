import threading

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


def test_threads_take_turns_and_draw_what_their_seed_says():
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


def test_generators_are_their_own():
    a, b = new_generator(5), new_generator(5)
    assert torch.equal(torch.rand(3, generator=a), torch.rand(3, generator=b))
