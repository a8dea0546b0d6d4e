import torch

from skdyn.sequence._thinning import kept_points


def test_ends_stay_others_go_by_chance_and_order_is_kept():
    generator = torch.Generator().manual_seed(0)
    n_points = torch.full((200,), 12)
    n_points[:3] = torch.tensor([1, 2, 7])
    places, n_kept = kept_points(n_points, 12, 0.5, generator)
    assert n_kept[:2].tolist() == [1, 2]
    assert 5.5 < n_kept[3:].double().mean() < 8.5  # two, and half of ten others
    for row, size, last in zip(places, n_kept, n_points - 1, strict=True):
        own = row[:size]
        assert own[0] == 0
        assert own[-1] == last
        assert (own.diff() > 0).all()
        assert (row[size:] == last).all()


def test_none_goes_of_a_share_of_zero():
    places, n_kept = kept_points(torch.tensor([3, 5]), 5, 0.0, torch.Generator())
    assert places.tolist() == [[0, 1, 2, 2, 2], [0, 1, 2, 3, 4]]
    assert n_kept.tolist() == [3, 5]
