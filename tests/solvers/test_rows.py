"""The matrix of states and stages."""

import itertools

import torch

from skdyn.solvers._rows import Chunk, Rows, Span


def test_consecutive_blocks_share_a_state_and_a_derivative():
    chunk = Chunk(2, 3, torch.zeros(2, 1))
    chunk.z.copy_(torch.arange(8.0)[:, None].expand(8, 2))
    assert chunk.block(0)[:, 0].tolist() == [0, 1, 2, 3, 4]
    assert chunk.block(1)[:, 0].tolist() == [3, 4, 5, 6, 7]


def record(keep, n_steps):
    sealed = []
    rows = Rows(3, torch.zeros(2, 1), sealed.append, keep)
    for step in range(n_steps):
        rows.chunk.z[rows.base + 3 : rows.base + 5] = step + 1.0
        rows.accept(Span(float(step), 1.0), None)
    rows.close()
    return rows, sealed


def test_the_head_of_a_chunk_is_the_tail_of_the_one_before():
    rows, sealed = record("all", 60)
    assert len(sealed) > 1
    for before, after in itertools.pairwise(sealed):
        assert torch.equal(before.z[-2:], after.z[:2])
    assert sum(len(chunk.spans) for chunk in rows.sealed) == 60


def test_states_alone_are_kept_for_checkpointing():
    rows, _ = record("states", 30)
    heads = torch.cat([chunk.z for chunk in rows.sealed])
    assert heads.shape == (30, 2, 2)
    assert heads[5, 0, 0] == 5


def test_nothing_is_kept_where_no_gradient_is_wanted():
    rows, sealed = record("none", 30)
    assert rows.sealed == []
    assert sealed
