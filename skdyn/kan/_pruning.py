"""Cutting edges and nodes out of a network."""

import torch

from skdyn.kan._network import KAN

_OF_THE_LAYER = ("basis.scales", "levels.at_nan", "levels.typical")
_BY_SUBNODE = ("bias", "levels.value")
_BY_INPUT_AND_SUBNODE = ("weight", "mask", "sign", "basis.logits", "basis.chosen", "levels.mask")


@torch.no_grad()
def cut_edges(module, keep, means):
    """Take edges out, in place; what they added on average goes into the biases.

    Parameters
    ----------
    module : KAN
        The network.
    keep : list of Tensor of shape (n_in, n_subnodes), bool
        Which edges stay, layer by layer.
    means : list of Tensor of shape (n_in, n_subnodes)
        Mean of each edge.
    """
    for layer, stays, mean in zip(module.layers, keep, means, strict=True):
        goes = layer.standing() & ~stays
        layer.bias += (mean.to(layer.bias) * goes).sum(dim=0)
        layer.mask *= ~goes
        layer.weight *= layer.mask[:, None, :]
        if layer.levels is not None:
            layer.levels.mask *= ~goes
        for place in set(layer.symbolic) & {f"{i}_{j}" for i, j in goes.nonzero().tolist()}:
            del layer.symbolic[place]


@torch.no_grad()
def without_nodes(module, keep):
    """Return a smaller network without some hidden nodes, whose outgoing edges are cut already.

    Parameters
    ----------
    module : KAN
        The network.
    keep : list of Tensor of shape (n_nodes,), bool
        Which nodes of each hidden layer stay.

    Returns
    -------
    KAN
    """
    sizes, inputs, subnodes = list(module.plan["layer_sizes"]), [], []
    everything = torch.ones(sizes[0][0], dtype=torch.bool)
    for depth, layer in enumerate(module.layers):
        inputs.append(everything if depth == 0 else keep[depth - 1])
        stays = torch.ones(layer.n_sum, dtype=torch.bool) if depth == len(keep) else keep[depth]
        factors = stays[layer.n_sum :].repeat_interleave(2)
        subnodes.append(torch.cat([stays[: layer.n_sum], factors]))
        sizes[depth + 1] = (int(stays[: layer.n_sum].sum()), int(stays[layer.n_sum :].sum()))
    symbolic = tuple(
        (depth, int(inputs[depth][:i].sum()), int(subnodes[depth][:j].sum()), name)
        for depth, i, j, name in module.config()["symbolic"]
        if inputs[depth][i] and subnodes[depth][j]
    )
    plan = module.config() | {"layer_sizes": tuple(sizes), "symbolic": symbolic}
    like = next(module.parameters())
    smaller = KAN(**plan).to(like.device, like.dtype)
    for old, new, rows, columns in zip(
        module.layers, smaller.layers, inputs, subnodes, strict=True
    ):
        state = {}
        for name, tensor in old.state_dict().items():
            if name.startswith("symbolic."):
                continue
            if name in _OF_THE_LAYER:
                state[name] = tensor
            elif name in _BY_SUBNODE:
                state[name] = tensor[..., columns]
            elif name in _BY_INPUT_AND_SUBNODE:
                state[name] = tensor[rows][..., columns]
            else:
                state[name] = tensor[rows]
        new.load_state_dict(state, strict=False)
        for place, edge in old.symbolic.items():
            i, j = map(int, place.split("_"))
            if rows[i] and columns[j]:
                target = f"{int(rows[:i].sum())}_{int(columns[:j].sum())}"
                new.symbolic[target].load_state_dict(edge.state_dict())
    return smaller
