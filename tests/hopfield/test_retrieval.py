import numpy as np
import torch

rng = np.random.default_rng(0)
queries, patterns = (torch.from_numpy(rng.normal(size=s)) for s in ((7, 3), (20, 3)))
