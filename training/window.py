"""Train the small network of `scanner/detect/window.py` on the same texts: `python -m training.window --data FOLDER --gazetteers FOLDER -o FOLDER`."""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from scanner.detect import ner, window
from training import data, registers
from training.lists import RULES, lists

SIZES = (*window.TABLES.values(), *ner.WORD_FEATURES)


class Net(nn.Module):
    """Rows summed to words, nine words to a hidden layer, and out."""

    def __init__(self, width: int, hidden: int) -> None:
        super().__init__()
        self.tables = nn.ModuleList(nn.Embedding(size, width) for size in SIZES)
        for table in self.tables:
            nn.init.normal_(table.weight, std=0.1)
        self.hidden = nn.Linear(width * (2 * window.SIDE + 1), hidden)
        self.out = nn.Linear(hidden, 1 + len(ner.ENTITIES))

    def words(self, rows: Tensor, drop: float = 0.0) -> Tensor:
        """Vectors of words: (words, tables) to (words, width). With `drop`, now and then a word is not known by its own rows."""
        parts = [table(rows[:, i]) for i, table in enumerate(self.tables)]
        if self.training and drop:
            for i in range(len(window.TABLES)):
                parts[i] = parts[i] * (torch.rand(len(rows), 1) >= drop).float() / (1 - drop if i == 0 else 1)
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total

    def forward(self, around: Tensor) -> Tensor:
        return self.out(nn.functional.dropout(torch.relu(self.hidden(around)), 0.2, self.training))


def stream(
    records: Iterable[tuple[data.Record, data.Corpus]], known: ner.Lists, numbers: dict[str, int], rows: list[tuple[int, ...]]
) -> tuple[list[int], list[int], list[int]]:
    """Word numbers with edges between texts, the allowed kinds of each (bits over nothing and the entities), and whether it is asked about."""
    words, kinds, places = [0] * window.SIDE, [0] * window.SIDE, []
    for record, corpus in records:
        sets = data.allowed(record, corpus, window.TOKEN)
        for match, allow in zip(window.TOKEN.finditer(record["text"]), sets, strict=True):
            word = match[0]
            features = known.features(word) if word != "\n" else (0, 0, 0, 0, 5)
            number = numbers.get(word)
            if number is None:
                number = numbers[word] = len(rows)
                rows.append(window.rows(word, features))
            if allow != data.ANY and word != "\n" and window.asked(word, features):
                places.append(len(words))
            words.append(number)
            kinds.append((allow & 1) | sum(1 << (1 + e) for e in range(len(ner.ENTITIES)) if allow >> (1 + 2 * e) & 3))
        words += [0] * window.SIDE
        kinds += [0] * window.SIDE
    return words, kinds, places


def texts(folder: Path, gazetteers: Path, generated: int, seed: int) -> list[tuple[data.Record, data.Corpus]]:
    """What one epoch reads."""
    rng = random.Random(seed)
    names = registers.Names(gazetteers, RULES)
    out: list[tuple[data.Record, data.Corpus]] = []
    for corpus in data.CORPORA:
        for record in data.read(folder, corpus):
            if corpus.style or not data.held_back(record):
                out.append((record, corpus))
                out.append((registers.augment({"language": corpus.language, **record}, rng, names), corpus))
    own = data.Corpus("", "", {entity: entity for entity in ner.ENTITIES})
    out += [(record, own) for record in registers.generate(generated, seed, gazetteers, RULES)]
    rng.shuffle(out)
    return out


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training.window", description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--gazetteers", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--epochs", type=int, default=8)
    parser.add_argument("--generated", type=int, default=40_000)
    parser.add_argument("--width", type=int, default=48)
    parser.add_argument("--hidden", type=int, default=192)
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args(argv)
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    known, net = lists(), Net(given.width, given.hidden)
    optimiser = torch.optim.Adam(net.parameters(), lr=3e-3)
    edge = tuple(0 for _ in SIZES)
    for epoch in range(given.epochs):
        numbers: dict[str, int] = {"\x00": 0}
        table: list[tuple[int, ...]] = [edge]
        words, kinds, places = stream(texts(given.data, given.gazetteers, given.generated, given.seed + epoch), known, numbers, table)
        tokens, sets, rows = torch.tensor(words), torch.tensor(kinds), torch.tensor(table)
        order = torch.tensor(places)[torch.randperm(len(places))]
        side = torch.arange(-window.SIDE, window.SIDE + 1)
        total, count = 0.0, 0
        net.train()
        for group in optimiser.param_groups:
            group["lr"] = 3e-3 * (1 - epoch / given.epochs)
        for start in range(0, len(order), 2048):
            at = order[start : start + 2048]
            near = tokens[at[:, None] + side]
            distinct, back = near.reshape(-1).unique(return_inverse=True)
            vectors = net.words(rows[distinct], 0.15) * (distinct != 0).float()[:, None]
            scores = net(vectors[back].view(len(at), -1)).log_softmax(-1)
            bits = (sets[at][:, None] >> torch.arange(1 + len(ner.ENTITIES))) & 1
            value = -scores.masked_fill(bits == 0, -1e4).logsumexp(-1).mean()
            value.backward()
            optimiser.step()
            optimiser.zero_grad()
            total, count = total + value.item(), count + 1
        print(f"epoch {epoch}: loss {total / count:.4f}, {len(places)} words asked, {len(table)} distinct", file=sys.stderr, flush=True)
        write(net, given.out)
        print(json.dumps(evaluate(given.data, given.out)), file=sys.stderr, flush=True)
    return 0


def write(net: Net, folder: Path) -> None:
    """Tables as bytes with one scale a row, the rest in half precision."""
    parts: dict[str, np.ndarray] = {}
    for name, table in zip((*window.TABLES, *map(str, range(len(ner.WORD_FEATURES)))), net.tables, strict=True):
        weights = table.weight.detach().numpy()
        scale = np.maximum(np.abs(weights).max(1, keepdims=True), 1e-8) / 127
        parts[f"table_{name}"] = np.round(weights / scale).astype(np.int8)
        parts[f"scale_{name}"] = scale.astype(np.float32)
    for name, layer in (("hidden", net.hidden), ("out", net.out)):
        parts[name] = layer.weight.detach().numpy().T.astype(np.float16)
        parts[f"{name}_bias"] = layer.bias.detach().numpy().astype(np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(folder / "window.npz", **parts)


def evaluate(folder: Path, made: Path) -> dict[str, float]:
    """PERSON by overlap on the part of DANSK's training data that was held back."""
    found = window.Window(made, lists())
    records = [r for r in data.read(folder, data.CORPORA[0]) if data.held_back(r)]
    guessed = found.spans([r["text"] for r in records])
    hits = truth = right = got = 0
    for record, names in zip(records, guessed, strict=True):
        true = [(a, b) for a, b, label in record["entities"] if label == "PERSON"]
        mine = [(n.start, n.end) for n in names if n.entity == "PERSON"]
        truth, got = truth + len(true), got + len(mine)
        hits += sum(any(a < d and c < b for c, d in mine) for a, b in true)
        right += sum(any(a < d and c < b for c, d in true) for a, b in mine)
    return {"recall": hits / max(1, truth), "precision": right / max(1, got)}


if __name__ == "__main__":
    raise SystemExit(main())
