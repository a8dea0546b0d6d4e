from skdyn._time_limit import time_is_over, time_limit


def test_the_shorter_of_two_limits_holds_within_both():
    assert not time_is_over()
    with time_limit(-1.0):
        assert time_is_over()
        with time_limit(1e9):
            assert time_is_over()
    with time_limit(1e9):
        assert not time_is_over()
        with time_limit(None), time_limit("an hour"):  # which the check of parameters refuses
            assert not time_is_over()
    assert not time_is_over()
