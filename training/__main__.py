"""Train the encoder that finds names: `python -m training --data FOLDER --gazetteers FOLDER -o FOLDER`.

The data is that of `training/data.py`; the rest is generated. Seeds are pinned; a run with the same data, seed and number of threads gives the same
model up to the order in which a processor adds. State is written to FOLDER/state.pt at each evaluation, and taken up by `--resume`.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scanner.detect import ner
from training import base, data, export, model, registers, vocabulary
from training.lists import RULES, lists

Example = tuple[list[int], list[tuple[int, ...]], list[int], list[int], int]
"""Pieces, features, first pieces of words, their allowed labels, style."""


def texts_for_vocabulary(folder: Path, gazetteers: Path, seed: int, generated: int) -> Iterator[str]:
    """What the vocabulary is chosen on: all training text, generated text, and names as they are borne."""
    for corpus in data.CORPORA:
        for record in data.read(folder, corpus):
            yield record["text"]
    for record in registers.generate(generated, seed, gazetteers, RULES) if generated else ():
        yield record["text"]
    for path in sorted((RULES / "words").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if not line.startswith("#"):
                yield " " + line.partition("\t")[0]


class Epochs:
    """Examples of one epoch after the other: corpora in their shares, some sentences run together, names replaced, registers made anew."""

    def __init__(self, folder: Path, gazetteers: Path, pieces: ner.Pieces, seed: int, longest: int, generated: int) -> None:
        self._corpora = [(c, [r for r in data.read(folder, c) if c.style or not data.held_back(r)]) for c in data.CORPORA]
        self._gazetteers, self._pieces, self._seed, self._longest, self._generated = gazetteers, pieces, seed, longest, generated
        self._lists = lists()
        self._names = registers.Names(gazetteers, RULES)

    def epoch(self, number: int) -> list[Example]:
        """The examples of one epoch, in no order."""
        rng = random.Random(f"{self._seed}:{number}")
        out: list[Example] = []
        for corpus, records in self._corpora:
            whole, part = divmod(corpus.times, 1)
            picked = [r for turn in range(int(whole)) for r in (records if turn == 0 else map(self._changed(rng, corpus), records))]
            picked += [self._changed(rng, corpus)(r) for r in rng.sample(records, int(part * len(records)))]
            if not corpus.style:
                rng.shuffle(picked)
            out.extend(self._examples(corpus, _joined(picked, rng)))
        made = registers.generate(self._generated, self._seed * 1000 + number, self._gazetteers, RULES)
        own = data.Corpus("", "", {entity: entity for entity in ner.ENTITIES})
        out.extend(self._examples(own, _joined(list(made), rng, share=0.1)))
        rng.shuffle(out)
        return out

    def _changed(self, rng: random.Random, corpus: data.Corpus):
        return lambda record: registers.augment({"language": corpus.language, **record}, rng, self._names)

    def _examples(self, corpus: data.Corpus, records: list[data.Record]) -> Iterator[Example]:
        style = data.STYLES.index(corpus.style)
        for record in records:
            sets = data.allowed(record, corpus)
            at = 0
            for part in ner.encode(record["text"], self._pieces, self._lists, self._longest):
                yield part.pieces, part.features, part.firsts, sets[at : at + len(part.spans)], style
                at += len(part.spans)


def _joined(records: list[data.Record], rng: random.Random, share: float = 0.3) -> list[data.Record]:
    """Some records run together with their neighbours, since texts in use are longer than one sentence."""
    out: list[data.Record] = []
    i = 0
    while i < len(records):
        take = rng.randint(2, 4) if rng.random() < share else 1
        group = records[i : i + take]
        i += take
        if len(group) == 1:
            out.append(group[0])
            continue
        text, entities = "", []
        glue = rng.choice((" ", " ", "\n"))
        for record in group:
            entities += [[a + len(text), b + len(text), label] for a, b, label in record["entities"]]
            text += record["text"].rstrip("\n") + glue
        out.append({**group[0], "text": text, "entities": entities})
    return out


def batches(examples: list[Example], budget: int, rng: random.Random) -> list[list[Example]]:
    """Batches of like length, in random order, of at most `budget` pieces with padding."""
    order = sorted(examples, key=lambda e: (len(e[0]), rng.random()))
    out: list[list[Example]] = [[]]
    for example in order:
        if out[-1] and (len(out[-1]) + 1) * len(example[0]) > budget:
            out.append([])
        out[-1].append(example)
    rng.shuffle(out)
    return out


def tensors(batch: Sequence[Example], pad: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Pieces, features, styles, real, and allowed labels (0 where no word begins)."""
    longest = max(len(e[0]) for e in batch)
    pieces = torch.full((len(batch), longest), pad)
    features = torch.zeros((len(batch), longest, len(ner.FEATURES)), dtype=torch.long)
    real = torch.zeros((len(batch), longest), dtype=torch.long)
    sets = torch.zeros((len(batch), longest), dtype=torch.long)
    for row, (p, f, firsts, allow, _) in enumerate(batch):
        pieces[row, : len(p)] = torch.tensor(p)
        features[row, : len(p)] = torch.tensor(f)
        real[row, : len(p)] = 1
        sets[row, firsts] = torch.tensor(allow)
    return pieces, features, torch.tensor([e[4] for e in batch]), real, sets


def loss(scores: Tensor, sets: Tensor) -> Tensor:
    """Minus the log of what the allowed labels have together, over all words that allow less than everything."""
    use = (sets != 0) & (sets != data.ANY)
    logs = scores[use].float().log_softmax(-1)
    bits = (sets[use][:, None] >> torch.arange(len(ner.LABELS))) & 1
    return -logs.masked_fill(bits == 0, -1e4).logsumexp(-1).mean()


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m training", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="the folder with the labelled texts")
    parser.add_argument("--gazetteers", type=Path, required=True, help="the folder with the names as they are borne")
    parser.add_argument("-o", "--out", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=17)
    parser.add_argument("--vocabulary", type=int, default=36_000, help="pieces that are kept")
    parser.add_argument("--epochs", type=int, default=5)
    parser.add_argument("--generated", type=int, default=9_000, help="generated texts in an epoch")
    parser.add_argument("--budget", type=int, default=1536, help="pieces in a batch")
    parser.add_argument("--rate", type=float, default=2e-4)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--resume", action="store_true")
    given = parser.parse_args(argv)
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    given.out.mkdir(parents=True, exist_ok=True)
    began = base.load(base.find())
    listed = given.out / "names.vocabulary"
    kept = given.out / "kept.json"
    if not kept.exists():
        numbers = vocabulary.cut(
            began, texts_for_vocabulary(given.data, given.gazetteers, given.seed, 2 * given.generated), given.vocabulary
        )
        vocabulary.write(began, numbers, listed)
        kept.write_text(json.dumps(numbers))
    numbers = json.loads(kept.read_text())
    pieces = ner.Pieces(listed)
    longest = 192
    net = model.from_base(began, numbers, layers=list(range(began.layers)), styles=len(data.STYLES))
    del began
    own = [p for n, p in net.named_parameters() if n.startswith(("head", "features", "styles"))]
    rest = [p for n, p in net.named_parameters() if not n.startswith(("head", "features", "styles"))]
    optimiser = torch.optim.AdamW(
        [{"params": rest, "lr": given.rate}, {"params": own, "lr": given.rate * 5}], weight_decay=0.01, betas=(0.9, 0.98)
    )
    epochs = Epochs(given.data, given.gazetteers, pieces, given.seed, longest, given.generated)
    plan = [(n, b) for n in range(given.epochs) for b in [None]]
    first = batches(epochs.epoch(0), given.budget, random.Random(given.seed))
    total = len(first) * len(plan)
    warm = max(1, total // 20)
    step, state = 0, given.out / "state.pt"
    if given.resume and state.exists():
        saved = torch.load(state)
        net.load_state_dict(saved["net"])
        optimiser.load_state_dict(saved["optimiser"])
        step = saved["step"]
    begun, seen = time.monotonic(), 0
    for number in range(given.epochs):
        todo = first if number == 0 else batches(epochs.epoch(number), given.budget, random.Random(given.seed + number))
        todo = todo[: len(first)]
        if step >= (number + 1) * len(first):
            continue
        for i, batch in enumerate(todo):
            if number * len(first) + i < step:
                continue
            share = min(1.0, (step + 1) / warm) * max(0.02, 1 - step / total)
            for group, rate in zip(optimiser.param_groups, (given.rate, given.rate * 5), strict=True):
                group["lr"] = rate * share
            p, f, s, r, sets = tensors(batch, pieces.pad)
            net.train()
            with model.mixed():
                scores, _, _ = net(p, f, s, r)
            value = loss(scores, sets)
            value.backward()
            torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
            optimiser.step()
            optimiser.zero_grad(set_to_none=True)
            step += 1
            seen += int(r.sum())
            if step % 50 == 0:
                print(
                    f"{step}/{total} loss {value.item():.4f} {seen / (time.monotonic() - begun):.0f} pieces/s", file=sys.stderr, flush=True
                )
            if step % 400 == 0 or step == total:
                torch.save({"net": net.state_dict(), "optimiser": optimiser.state_dict(), "step": step}, state)
    export.write(net, given.out, pieces=longest, styles=data.STYLES)
    print(json.dumps(evaluate(given.data, given.out)))
    return 0


def evaluate(folder: Path, made: Path) -> dict[str, float]:
    """Strict precision, recall and F1 of PERSON on the part of DANSK's training data that was held back."""
    encoder = ner.Encoder(made, lists(), threads=2)
    records = [r for r in data.read(folder, data.CORPORA[0]) if data.held_back(r)]
    found = encoder.spans([r["text"] for r in records])
    truth = {(i, a, b) for i, r in enumerate(records) for a, b, label in r["entities"] if label == "PERSON"}
    got = {(i, n.start, n.end) for i, names in enumerate(found) for n in names if n.entity == "PERSON"}
    hits = len(truth & got)
    precision, recall = hits / max(1, len(got)), hits / max(1, len(truth))
    return {"precision": precision, "recall": recall, "f1": float(np.float64(2 * hits / max(1, len(got) + len(truth))))}


if __name__ == "__main__":
    raise SystemExit(main())
