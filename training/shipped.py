"""Reads the shipped encoder (`names.onnx`, weights of 8 bits, as `training/export.py` writes it) back into the network, so that a lesson can go on from it."""

from __future__ import annotations

import re
from pathlib import Path

import torch

from training.model import Tagger

_LAYER = re.compile(r"/((?:layers\.\d+/)?\w+)/")


def load(net: Tagger, path: Path) -> None:
    """Fill a network of the same shape. A weight is lost by half a step of its column's scale at most. Raises `ValueError` when something is missing."""
    import onnx
    from onnx import numpy_helper

    graph = onnx.load(str(path)).graph
    kept = {one.name: torch.from_numpy(numpy_helper.to_array(one).copy()) for one in graph.initializer}
    state = {name: kept[name].float() for name in net.state_dict() if name in kept}
    state["words.weight"] = kept["words.rows"].float() * kept["words.scale"]
    for node in graph.node:
        if node.op_type == "MatMulInteger" and (layer := _LAYER.match(node.name)):
            name = node.input[1].removesuffix("_quantized")
            weights = (kept[f"{name}_quantized"].float() - kept[f"{name}_zero_point"].float()) * kept[f"{name}_scale"]
            state[f"{layer[1].replace('/', '.')}.weight"] = weights.T.contiguous()
    missing = sorted(set(net.state_dict()) - set(state))
    if missing:
        raise ValueError(f"{path.name} does not hold {missing[0]} and {len(missing) - 1} others: it was exported from another network")
    net.load_state_dict(state)
