import numpy as np

from skdyn.hopfield._kept import Kept


def test_a_thing_is_made_again_only_where_what_it_is_made_of_has_changed():
    made, kept, array = [], Kept(), np.arange(3)

    def make(array, setting):
        made.append(setting)
        return array.sum() + setting

    assert kept.get(make, array, 1) == kept.get(make, array, 1) == 4
    assert made == [1]
    assert kept.get(make, array, 2) == 5
    assert kept.get(make, array.copy(), 2) == 5  # an equal array is another one
    assert made == [1, 2, 2]
