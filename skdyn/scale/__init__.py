"""Past one core and one memory: rows by blocks, partitions and streams, fits on a cluster."""

from skdyn.scale._canceled import StopIfCancelled
from skdyn.scale._data_parallel import data_parallel
from skdyn.scale._gather_rows import gather_rows
from skdyn.scale._map_rows import map_rows

__all__ = ["StopIfCancelled", "data_parallel", "gather_rows", "map_rows"]
