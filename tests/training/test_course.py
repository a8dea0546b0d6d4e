import pytest
import torch

from skdyn.training import Stage, TrainingRecord, TrainingSettings
from skdyn.training._course import Course


def _course(*, watched=False, one_batch=True, stage=None, **settings):
    weight = torch.zeros(1)
    stage = Stage(None, (), 10, validation=() if watched else None, **(stage or {}))
    settings = TrainingSettings(**{"tol": 0.1, "n_iter_no_change": 2} | settings)
    return weight, Course(stage, settings, lambda: [weight], one_batch=one_batch)


def _run(weight, course, losses, penalties=None):
    """Go through epochs that start from weights 0, 1, 2, ... and end with the next."""
    for epoch, loss in enumerate(losses):
        course.begin_epoch(epoch, changed=False)
        weight += 1
        course.note(loss if isinstance(loss, list) else [loss], (penalties or [0.0] * 99)[epoch])
    record = TrainingRecord([loss if isinstance(loss, float) else loss[0] for loss in losses], None,
                            "max_iter")  # fmt: skip
    if course.watched:
        record = record._replace(validation_scores=[-loss[1] for loss in losses])
    return course.end(record)


@pytest.mark.parametrize(("one_batch", "kept"), [(True, 1.0), (False, 2.0)])
def test_after_a_rise_the_weights_are_those_of_the_lowest_loss(one_batch, kept):
    weight, course = _course(one_batch=one_batch)
    record = _run(weight, course, [3.0, 1.0, 2.0])
    assert weight.item() == kept
    assert (record.kept_loss, record.rise) == (1.0, 2.0)


def test_a_rise_within_tol_in_units_of_the_trivial_loss_is_none():
    for trivial, rise in ((1.0, 2.0), (50.0, None)):
        weight, course = _course(stage={"trivial_loss": trivial})
        assert _run(weight, course, [3.0, 1.0, 2.0]).rise == rise


def test_a_stage_ends_where_it_has_had_all_that_it_was_to_get():
    _, course = _course(stage={"is_enough": lambda n_iter: n_iter >= 2})
    reasons = []
    for epoch, loss in enumerate([3.0, 2.0]):
        course.begin_epoch(epoch, changed=False)
        course.note([loss], 0.0)
        reasons.append(course.reason_to_stop())
    assert reasons == ["max_iter", "budget"]


def test_what_the_optimiser_lowers_beside_the_loss_counts():
    weight, course = _course()
    record = _run(weight, course, [3.0, 1.0, 2.0], penalties=[9.0, 9.0, 1.0])
    assert record.rise is None
    assert record.kept_loss == 2.0
    assert weight.item() == 3.0


def test_weights_that_fit_are_not_given_up_for_a_small_penalty():
    weight, course = _course()
    record = _run(weight, course, [9.0, 1.0, 1.05], penalties=[0.0, 20.0, 21.0])
    assert record.rise is None
    weight, course = _course()
    record = _run(weight, course, [9.0, 1.0, 5.0], penalties=[0.0, 20.0, 21.0])
    assert (weight.item(), record.kept_loss, record.rise) == (1.0, 1.0, 5.0)


def test_where_data_are_watched_their_loss_decides_and_the_penalty_does_not():
    weight, course = _course(watched=True, early_stopping=True)
    record = _run(weight, course, [[1.0, 5.0], [2.0, 4.0], [0.5, 4.05]], penalties=[0.0, 9.0, 0.0])
    assert weight.item() == 2.0
    assert (record.kept_loss, record.rise) == (4.0, 4.05)


def test_nothing_is_kept_and_no_patience_ends_before_the_objective_is_steady():
    _, course = _course(stage={"steady_from": 0.5})
    for epoch, loss in enumerate([1.0, 2.0, 3.0, 4.0, 5.0]):
        course.begin_epoch(epoch, changed=False)
        course.note([loss], 0.0)
        assert course.reason_to_stop() == "max_iter"
    assert course.best.epoch is None
    for epoch, reason in ((5, "max_iter"), (6, "max_iter"), (7, "tol")):
        course.begin_epoch(epoch, changed=False)
        course.note([9.0], 0.0)
        assert course.reason_to_stop() == reason, epoch
    assert course.best.epoch == 5


def test_a_change_of_the_function_is_waited_for_anew():
    _, course = _course()
    for epoch, changed, reason in ((0, False, "max_iter"), (1, False, "max_iter"),
                                   (2, True, "max_iter"), (3, False, "max_iter"),
                                   (4, False, "tol")):  # fmt: skip
        course.begin_epoch(epoch, changed=changed)
        course.note([1.0], 0.0)
        assert course.reason_to_stop() == reason


@pytest.mark.parametrize(("optimizer", "epochs"), [("lbfgs", 3), ("adam", 60), ("sgd", 60)])
def test_patience_is_as_many_passes_over_the_data_for_every_optimiser(optimizer, epochs):
    assert TrainingSettings(optimizer=optimizer, n_iter_no_change="auto").patience == epochs
    assert TrainingSettings(optimizer=optimizer, n_iter_no_change=7).patience == 7
