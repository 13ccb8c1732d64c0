"""The network that is trained: e5-small's encoder over a cut vocabulary, word features added to its input, one layer on top."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from scanner.detect.ner import FEATURES, LABELS, SAID
from training.base import Base


class Layer(nn.Module):
    """One BERT layer, normalised after each half as the base was trained."""

    def __init__(self, hidden: int, heads: int, inner: int, epsilon: float, dropout: float) -> None:
        super().__init__()
        self.heads, self.dropout = heads, dropout
        self.query, self.key, self.value, self.out = (nn.Linear(hidden, hidden) for _ in range(4))
        self.up, self.down = nn.Linear(hidden, inner), nn.Linear(inner, hidden)
        self.after_attention, self.after_inner = nn.LayerNorm(hidden, epsilon), nn.LayerNorm(hidden, epsilon)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, length, hidden = x.shape

        def split(t: Tensor) -> Tensor:
            return t.view(batch, length, self.heads, hidden // self.heads).transpose(1, 2)

        drop = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(split(self.query(x)), split(self.key(x)), split(self.value(x)), mask, drop)
        x = self.after_attention(
            x + functional.dropout(self.out(mixed.transpose(1, 2).reshape(batch, length, hidden)), self.dropout, self.training)
        )
        return self.after_inner(x + functional.dropout(self.down(functional.gelu(self.up(x))), self.dropout, self.training))


class Tagger(nn.Module):
    """Scores of each label for each token: (batch, tokens) of pieces and word features, (batch,) of styles, to (batch, tokens, labels).

    A style is the corpus whose annotation is followed: corpora differ in what they call an organisation or a place.
    """

    def __init__(
        self, vocabulary: int, hidden: int, heads: int, inner: int, layers: int, positions: int, styles: int, epsilon: float, dropout: float
    ) -> None:
        super().__init__()
        self.dropout = dropout
        self.words = nn.Embedding(vocabulary, hidden)
        self.positions = nn.Embedding(positions, hidden)
        self.features = nn.ModuleList(nn.Embedding(size, hidden) for size in FEATURES)
        self.styles = nn.Embedding(styles, hidden)
        self.normal = nn.LayerNorm(hidden, epsilon)
        self.layers = nn.ModuleList(Layer(hidden, heads, inner, epsilon, dropout) for _ in range(layers))
        self.head = nn.Linear(hidden, len(LABELS))
        self.said = nn.Linear(2 * hidden, len(SAID))
        self.where = nn.Linear(hidden, len(SAID))
        for table in (*self.features, self.styles):
            nn.init.zeros_(table.weight)

    def forward(self, pieces: Tensor, features: Tensor, styles: Tensor, real: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """`features` is (batch, tokens, kinds); `real` tells tokens (1) from padding (0).

        Returns scores of labels (batch, tokens, labels), of what a text says of somebody (batch, categories), and of where (batch, tokens, categories).
        """
        x = self.words(pieces) + self.positions.weight[: pieces.shape[1]] + self.styles(styles)[:, None]
        for kind, table in enumerate(self.features):
            x = x + table(features[..., kind])
        x = functional.dropout(self.normal(x), self.dropout, self.training)
        mask = real[:, None, None, :].bool()
        for layer in self.layers:
            x = layer(x, mask)
        told = real[..., None].to(x.dtype)
        mean = (x * told).sum(1) / told.sum(1)
        most = (x - (1 - told) * 1e4).amax(1)
        return self.head(x), self.said(torch.cat([mean, most], -1)), self.where(x)


def mixed() -> torch.autocast:
    """Where a processor knows bfloat16, products are taken in it; where it does not, that is eight times as slow as plain floats, and nothing changes."""
    return torch.autocast("cpu", torch.bfloat16, enabled=torch.ops.mkldnn._is_mkldnn_bf16_supported())


def from_base(base: Base, keep: list[int], *, layers: list[int], styles: int, positions: int = 256, dropout: float = 0.1) -> Tagger:
    """The network with the base's weights: rows `keep` of its vocabulary, and those of its layers that are named."""
    model = Tagger(len(keep), base.hidden, base.heads, base.inner, len(layers), positions, styles, base.epsilon, dropout)
    t = {name: torch.from_numpy(value) for name, value in base.tensors.items()}
    hidden = base.hidden
    with torch.no_grad():
        model.words.weight.copy_(t["emb.word"].view(-1, hidden)[keep])
        model.positions.weight.copy_(t["emb.pos"].view(-1, hidden)[:positions] + t["emb.type"][:hidden])
        model.normal.weight.copy_(t["emb.ln.w"])
        model.normal.bias.copy_(t["emb.ln.b"])
        for layer, number in zip(model.layers, layers, strict=True):
            names = {"query": "q", "key": "k", "value": "v", "out": "ao", "up": "fi", "down": "fo"}
            for ours, theirs in names.items():
                linear = getattr(layer, ours)
                linear.weight.copy_(t[f"l{number}.{theirs}.w"].view(linear.weight.shape))
                linear.bias.copy_(t[f"l{number}.{theirs}.b"])
            for ours, theirs in {"after_attention": "aln", "after_inner": "oln"}.items():
                getattr(layer, ours).weight.copy_(t[f"l{number}.{theirs}.w"])
                getattr(layer, ours).bias.copy_(t[f"l{number}.{theirs}.b"])
    return model
