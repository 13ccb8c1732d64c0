"""The trained network as ONNX with weights of 8 bits: matrices by onnxruntime's dynamic quantisation, the vocabulary a scale a row."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch
from torch import Tensor, nn

from training.model import Tagger


class _Rows(nn.Module):
    """An embedding whose rows are bytes and a scale."""

    def __init__(self, table: nn.Embedding) -> None:
        super().__init__()
        weights = table.weight.detach()
        scale = weights.abs().amax(1, keepdim=True).clamp(min=1e-8) / 127
        self.register_buffer("rows", (weights / scale).round().to(torch.int8))
        self.register_buffer("scale", scale)

    def forward(self, numbers: Tensor) -> Tensor:
        return self.rows[numbers].float() * self.scale[numbers]


def write(net: Tagger, folder: Path, *, pieces: int, styles: tuple[str, ...]) -> None:
    """Write `names.onnx` and `names.json` beside the vocabulary."""
    from onnxruntime.quantization import QuantType, quantize_dynamic

    net = net.eval().float()
    words = net.words
    net.words = _Rows(words)
    example = (
        torch.zeros((2, 8), dtype=torch.long),
        torch.zeros((2, 8, len(net.features)), dtype=torch.long),
        torch.zeros(2, dtype=torch.long),
        torch.ones((2, 8), dtype=torch.long),
    )
    names = ["pieces", "features", "styles", "real"]
    free = {name: {0: "batch", 1: "length"} for name in (*names, "scores", "where")} | {name: {0: "batch"} for name in ("styles", "said")}
    with tempfile.TemporaryDirectory() as temporary:
        plain = Path(temporary) / "names.onnx"
        torch.onnx.export(
            net,
            example,
            str(plain),
            input_names=names,
            output_names=["scores", "said", "where"],
            dynamic_axes=free,
            opset_version=18,
            dynamo=False,
        )
        quantize_dynamic(
            plain,
            folder / "names.onnx",
            per_channel=True,
            weight_type=QuantType.QInt8,
            op_types_to_quantize=["MatMul"],
            extra_options={"MatMulConstBOnly": True},
        )
    net.words = words
    (folder / "names.json").write_text(json.dumps({"pieces": pieces, "styles": {style: i for i, style in enumerate(styles)}}) + "\n")
