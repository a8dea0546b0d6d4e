import numpy as np
import pytest

from skdyn.inspection._kan_page import BOX, letters_of, page_of
from skdyn.inspection._network import EdgeLayer


def layer(n_in, n_sum, n_mult=0, keep=lambda i, j: True):
    edges = [(i, j) for i in range(n_in) for j in range(n_sum + 2 * n_mult) if keep(i, j)]
    nothing = np.zeros((len(edges), 2))
    edges = np.array(edges).reshape(-1, 2)
    return EdgeLayer(edges, np.ones(len(edges)), nothing, nothing, [], n_in, n_sum, n_mult)


TREE = [layer(2, 1, 1), layer(2, 1)]
CROSSBAR = [layer(13, 6, 1), layer(7, 3), layer(3, 2)]
WIDE = [layer(40, 1, 1), layer(2, 1)]
PRUNED = [
    layer(9, 4, keep=lambda i, j: i != 3 and (i + j) % 2),
    layer(4, 1, keep=lambda i, j: i > 0),
]
ALL = [TREE, CROSSBAR, WIDE, PRUNED]


@pytest.mark.parametrize("layers", ALL)
@pytest.mark.parametrize("room", [None, (220, 160), (70, 600)])
def test_boxes_are_apart_inside_the_page_and_one_for_each_edge(layers, room):
    page = page_of(layers, (7, 10), room)
    assert [len(boxes) for boxes in page.boxes] == [len(layer.edges) for layer in layers]
    places = np.array([box for boxes in page.boxes for box in boxes])
    apart = np.abs(places[:, None] - places).max(axis=2)
    assert apart[~np.eye(len(places), dtype=bool)].min() > BOX
    nodes = np.array([place for nodes in page.nodes for place in nodes.values()])
    assert np.abs(nodes[:, None] - places).max(axis=2).min() > BOX / 2
    left, right, bottom, top = page.limits
    for x, y in [*places, *nodes]:
        assert left < x < right
        assert bottom < y < top


@pytest.mark.parametrize("layers", ALL)
def test_wires_lead_along_each_edge_from_its_input_through_its_box_to_its_node(layers):
    page = page_of(layers, (2, 1), None)
    for depth, part in enumerate(layers):
        for number, (i, j) in enumerate(part.edges):
            own = [path for path, edges in page.wires[depth] if number in edges]
            assert len(own) == 2
            (first, _), (_, last) = ((path[0], path[-1]) for path in own)
            product, second = divmod(j - part.n_sum, 2)
            end = page.nodes[depth + 1].get(j if j < part.n_sum else part.n_sum + product)
            if j >= part.n_sum and layers is TREE:
                end = page.factors[depth][part.n_sum + product][second]
            assert first == page.nodes[depth][i]
            if j < part.n_sum or layers is TREE:
                assert last == pytest.approx(end)
            else:  # a wire ends at the line of its factor, which the product joins
                assert min(abs(last[0] - end[0]), abs(last[1] - end[1])) < 0.6


def test_lines_of_a_crossbar_cross_at_right_angles_only():
    page = page_of(CROSSBAR, (3, 1), (220, 160))
    for wires in page.wires:
        for path, _ in wires:
            steps = np.diff(path, axis=0)
            assert (np.abs(steps).min(axis=1) < 1e-12).all()


def test_a_row_of_a_table_is_a_node_and_a_column_an_input():
    page = page_of([layer(13, 8), layer(8, 3)], (3, 1), None)
    first = np.array(page.boxes[0]).reshape(13, 8, 2)
    assert (np.ptp(first[:, :, 0], axis=1) == 0).all()
    np.testing.assert_allclose(first[0, :, 1], [page.nodes[1][j][1] for j in range(8)])
    second = np.array(page.boxes[1]).reshape(8, 3, 2)
    np.testing.assert_allclose(second[:, 0, 1], first[0, :, 1])
    assert second[..., 0].min() > first[..., 0].max()


def test_many_inputs_fold_where_that_makes_boxes_larger():
    flat, square = page_of(WIDE, (7, 1), (900, 60)), page_of(WIDE, (7, 1), (220, 160))
    assert len({y for _, y in flat.nodes[0].values()}) == 1
    assert len({y for _, y in square.nodes[0].values()}) > 1
    assert square.size[0] < flat.size[0]


def test_inputs_without_edges_are_left_out_and_outputs_never():
    page = page_of(PRUNED, (2, 1), None)
    assert 3 not in page.nodes[0]
    assert list(page.nodes[-1]) == [0]


@pytest.mark.parametrize(
    ("longest", "upright"), [((2, 2), (False, False)), ((30, 30), (True, True))]
)
def test_long_names_stand_upright_and_get_room(longest, upright):
    short, page = page_of(TREE, (1, 1), None), page_of(TREE, longest, None)
    assert page.upright == upright
    assert bool(page.size[1] > short.size[1] + 3) is upright[0]


def test_the_page_fills_its_room_and_keeps_no_more_for_names_than_they_take():
    page = page_of(TREE, (30, 1), (4000, 3000))
    unit = page.unit((4000, 3000))
    assert unit * page.size[0] == pytest.approx(4000) or unit * page.size[1] == pytest.approx(3000)
    assert letters_of(unit) == 10.0
    lowest = min(y for _, y in page.nodes[0].values())
    foot = (lowest - page.limits[2]) * unit  # points
    assert 30 * 0.55 * 10 < foot < 30 * 0.75 * 10 + 0.6 * unit
    assert letters_of(10.0) < letters_of(12.0) < 10.0
