import tracemalloc

import numpy as np
import pytest
import torch

from skdyn.training import LeanNet, ShuffledStream, Stage, TrainingSettings, new_generator


def _blocks(sizes):
    ends = np.cumsum(sizes)
    for end, size in zip(ends, sizes, strict=True):
        cases = np.arange(end - size, end)
        yield cases, np.stack([cases, -cases], axis=1).astype("f")


def _stream(sizes, batch_size=4, buffer_size=16, seed=0):
    return ShuffledStream(lambda: _blocks(sizes), batch_size, new_generator(seed), buffer_size)


@pytest.mark.parametrize("sizes", [[100], [7] * 9, [1] * 33, [16, 16], [40, 1, 3], [5], [8, 0, 3]])
def test_every_case_comes_once_a_pass_and_arrays_stay_aligned(sizes):
    stream = _stream(sizes)
    for _ in range(2):
        batches = list(stream)
        seen = torch.cat([cases for cases, _ in batches])
        assert seen.sort().values.tolist() == list(range(sum(sizes)))
        assert stream.n_cases == sum(sizes)
        assert all(torch.equal(pair[:, 0], cases.float()) for cases, pair in batches)
        assert all(torch.equal(pair[:, 1], -cases.float()) for cases, pair in batches)


def test_all_batches_but_the_last_are_full():
    lengths = [len(cases) for cases, _ in _stream([13] * 7)]
    assert lengths == [4] * 22 + [3]


def test_the_generator_decides_the_order_which_differs_from_pass_to_pass():
    def passes(seed):
        stream = _stream([50], seed=seed)
        return [torch.cat([cases for cases, _ in stream]).tolist() for _ in range(2)]

    first, second = passes(0)
    assert first != second
    assert passes(0) == [first, second]
    assert passes(1) != [first, second]


def test_a_buffer_that_holds_everything_shuffles_as_well_as_memory():
    """Each case is equally likely at each place: a chi-square statistic near its expectation."""
    stream = _stream([4] * 3, batch_size=2, buffer_size=100)
    counts = torch.zeros(12, 12)
    for _ in range(1200):
        counts[torch.cat([cases for cases, _ in stream]), torch.arange(12)] += 1
    statistic = ((counts - 100) ** 2 / 100).sum().item()
    assert 80 < statistic < 170  # 121 degrees of freedom: mean 121, standard deviation 16


def test_a_small_buffer_mixes_cases_over_its_own_length_and_no_further():
    stream = _stream([10] * 200, batch_size=5, buffer_size=100)
    seen = torch.cat([cases for cases, _ in stream])
    shift = seen - torch.arange(2000)
    assert shift[:50].max() < 100  # nothing can leave before it came
    assert 20 < shift.float().std() < 200
    assert (seen.diff() != 1).float().mean() > 0.9


def test_without_blocks_there_are_no_batches():
    assert list(_stream([])) == []


def test_floats_take_the_type_of_the_example_and_integers_keep_theirs():
    stream = _stream([9])
    cases, pair = next(iter(stream.to(torch.zeros(1, dtype=torch.float64))))
    assert (cases.dtype, pair.dtype) == (torch.int64, torch.float64)
    assert next(iter(stream))[1].dtype == torch.float32


def test_memory_holds_the_buffer_and_not_the_stream():
    n_features, n_blocks = 64, 400

    def read():
        for _ in range(n_blocks):
            yield (np.ones((100, n_features), dtype="f"),)

    stream = ShuffledStream(read, 50, new_generator(0), 1000)
    tracemalloc.start()  # numpy's blocks: torch's buffer is of fixed size and not traced
    total = sum(float(batch.sum()) for (batch,) in stream)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert total == n_blocks * 100 * n_features
    assert peak < 10 * 100 * n_features * 4  # of 400 blocks, ten at most


# -- training on a stream -----------------------------------------------------------------------


def _squared(module, x, y):
    return (module(x) - y).square().mean()


def _run(arrays, epochs, **settings):
    module = torch.nn.Linear(2, 1)
    torch.nn.init.zeros_(module.weight)
    torch.nn.init.zeros_(module.bias)
    net = LeanNet(module, TrainingSettings(tol=0.0, **settings), new_generator(0))
    return module, net.run([Stage(_squared, arrays, epochs)])


def test_a_stream_trains_as_arrays_in_the_same_order_do():
    x = np.random.default_rng(0).normal(size=(30, 2))
    y = x @ np.array([[1.0], [-2.0]]) + 0.5
    stream = ShuffledStream(lambda: zip([x[:7], x[7:]], [y[:7], y[7:]]), 8, new_generator(1), 16)
    module, record = _run(stream, 2, learning_rate=0.01)

    twin = torch.nn.Linear(2, 1)
    twin.load_state_dict({name: torch.zeros_like(part) for name, part in twin.state_dict().items()})
    optimizer = torch.optim.Adam(twin.parameters(), lr=0.01)
    stream.generator.manual_seed(1)
    curve = []
    for _ in range(2):
        losses = []
        for batch in stream.to(twin.weight):
            optimizer.zero_grad()
            loss = _squared(twin, *batch)
            loss.backward()
            optimizer.step()
            losses.append((loss.item(), len(batch[0])))
        curve.append(_mean(losses))
    torch.testing.assert_close(module.weight, twin.weight)
    np.testing.assert_allclose(record.loss_curve, curve, rtol=1e-5)


def _mean(losses):
    values, counts = zip(*losses, strict=True)
    return np.average(values, weights=counts)


def test_a_stream_never_shows_the_full_batch():
    with pytest.raises(ValueError, match=r"'lbfgs' needs the full batch, which a stream"):
        _run(_stream([9]), 1, optimizer="lbfgs")
