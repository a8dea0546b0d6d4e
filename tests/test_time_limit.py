import _thread
import threading

import pytest

from skdyn._time_limit import interrupts_end_time, time_is_over, time_left, time_limit


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


def test_an_interrupt_ends_the_time_of_a_block_and_a_second_one_the_block():
    with interrupts_end_time():
        assert not time_is_over()
        _thread.interrupt_main()
        assert time_is_over()
        assert time_left() < 0
        with time_limit(1e9):
            assert time_is_over()
        with pytest.raises(KeyboardInterrupt):
            _thread.interrupt_main()
    assert not time_is_over()
    with pytest.raises(KeyboardInterrupt):
        _thread.interrupt_main()


def test_interrupts_that_somebody_else_sees_to_are_left_to_them():
    with interrupts_end_time(), interrupts_end_time():
        _thread.interrupt_main()
        assert time_is_over()
    seen = []

    def elsewhere():
        with interrupts_end_time():
            seen.append(time_is_over())

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert seen == [False]
