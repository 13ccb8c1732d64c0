"""Trains the table that tells in which language a text is: words and letter groups of Danish, Norwegian, Swedish and English.

    python -m training.language FOLDER rules/models/language

Of other languages only their most frequent words are known; sentences of theirs are made up from these and from
names and words of no language in particular, so that the table learns that nothing else tells. Names are moved
between the languages while training: that somebody is called Mette makes no text Danish.
Needs torch; a minute on one core. Same data, same seed, same table.
"""

from __future__ import annotations

import json
import random
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import torch

from scanner.detect.language import BUCKETS, SURE, Table, features
from scanner.detect.language import words as words_of

FILES = {
    "da": ("da_dansk.train.jsonl", "da_danplus_news.train.jsonl"),
    "en": ("en_wnut17.train.jsonl", "en_wikigold.all.jsonl"),
    "nb": ("nb_norne.train.jsonl",),
    "sv": ("sv_webbnyheter.train.jsonl",),
}
HELD_BACK = 10
"""Of Norwegian and Swedish, which have no development data, the last tenth is not trained on."""

FOREIGN = {
    line.split()[0]: words_of(line)[1:]
    for line in (Path(__file__).parent / "small_words.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("#")
}
ORDER = ("da", "en", "nb", "sv", *FOREIGN)
SAID = frozenset({"CARDINAL", "ORDINAL", "DATE", "TIME", "LANGUAGE", "QUANTITY", "PERCENT", "MONEY"})
"""Labels of what is said in the words of a language."""
SMALLEST, LARGEST = 1, 40
_PLAIN = str.maketrans({"æ": "ae", "ø": "oe", "å": "aa"})


def read(folder: Path) -> tuple[dict[str, list[list[str]]], list[str]]:
    """Sentences of each language as words, those of names replaced by None, and all words of names."""
    held = set()
    for path in folder.glob("*.dev.jsonl"):
        held |= {json.loads(line)["text"] for line in path.open(encoding="utf-8")}
    sentences: dict[str, list[list[str]]] = {}
    names: list[str] = []
    for language, files in FILES.items():
        own = []
        for file in files:
            lines = (folder / file).read_text(encoding="utf-8").splitlines()
            if language in ("nb", "sv"):
                lines = lines[: len(lines) * (HELD_BACK - 1) // HELD_BACK]
            for line in lines:
                entry = json.loads(line)
                if entry["text"] in held:
                    continue
                words: list[str] = []
                done = 0
                for low, high in sorted((e[0], e[1]) for e in entry["entities"] if e[2].upper() not in SAID):
                    if low >= done:
                        words += words_of(entry["text"][done:low])
                        named = words_of(entry["text"][low:high])
                        names += named
                        words += [""] * len(named)
                        done = high
                words += words_of(entry["text"][done:])
                if words:
                    own.append(words)
        sentences[language] = own
    return sentences, names


def examples(sentences: dict[str, list[list[str]]], names: list[str], count: int, chance: random.Random) -> list[tuple[list[str], int]]:
    """Runs of words with the language that they are in: short ones more often than long ones."""
    anything = [word for own in sentences.values() for word in sorted({word for words in own for word in words if len(word) > 4})]
    out = []
    for _ in range(count):
        size = min(LARGEST, max(SMALLEST, int(chance.expovariate(1 / 9)) + 2))
        language = chance.choice(ORDER[:4]) if chance.random() < 0.72 else chance.choice(ORDER[4:])
        if language in FOREIGN:
            own_words = FOREIGN[language]
            words = []
            for _ in range(size):
                rank = int(len(own_words) ** chance.random()) - 1 if chance.random() < 0.7 else chance.randrange(len(own_words))
                words.append(
                    own_words[rank] if chance.random() < 0.5 else chance.choice(names) if chance.random() < 0.4 else chance.choice(anything)
                )
            if not any(word in own_words for word in words):
                words[0] = own_words[0]
        else:
            own = sentences[language]
            at = chance.randrange(len(own))
            words = []
            while len(words) < size + 5 and at < len(own):
                words += own[at]
                at += 1
            low = chance.randrange(max(1, min(len(words) - size, 30)))
            words = [word or chance.choice(names) for word in words[low : low + size]]
            if language in ("da", "nb") and chance.random() < 0.06:
                words = [word.translate(_PLAIN) for word in words]
        out.append((words, ORDER.index(language)))
    return out


def train(source: Path, target: Path, *, count: int = 400_000, epochs: int = 3) -> None:
    """Train, round to whole numbers of one byte, and write `weights.npz` and `words.txt`."""
    torch.manual_seed(1)
    torch.set_num_threads(1)
    chance = random.Random(1)
    sentences, names = read(source)
    counts: Counter[str] = Counter()
    for own in sentences.values():
        frequent = Counter(word for words in own for word in words if word)
        counts.update({word: n for word, n in frequent.most_common(2_500) if n >= 5})
    for words in FOREIGN.values():
        counts.update(words)
    vocabulary = {word: i for i, word in enumerate(sorted(counts))}
    known: dict[str, tuple[list[int], list[float]]] = {}

    def of(word: str) -> tuple[list[int], list[float]]:
        if word not in known:
            groups = features(word)
            share = 1 / max(1, len(groups)) ** 0.5
            ids = [BUCKETS + vocabulary[word]] if word in vocabulary else []
            known[word] = (ids + groups, [1.0] * len(ids) + [share] * len(groups))
        return known[word]

    bag = torch.nn.EmbeddingBag(BUCKETS + len(vocabulary), len(ORDER), mode="sum")
    torch.nn.init.zeros_(bag.weight)
    optimiser = torch.optim.Adam(bag.parameters(), lr=0.03)
    size = 512
    steps = epochs * count // size
    schedule = torch.optim.lr_scheduler.LinearLR(optimiser, 1.0, 0.05, steps)
    for epoch in range(epochs):
        data = examples(sentences, names, count, chance)
        total = 0.0
        for low in range(0, count - size, size):
            ids: list[int] = []
            shares: list[float] = []
            offsets, labels = [], []
            for words, label in data[low : low + size]:
                offsets.append(len(ids))
                labels.append(label)
                for word in words:
                    one, share = of(word)
                    ids += one
                    shares += share
            logits = bag(torch.tensor(ids), torch.tensor(offsets), per_sample_weights=torch.tensor(shares))
            loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels), label_smoothing=0.01)
            loss = loss + 2e-6 * bag.weight.pow(2).sum()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += float(loss.detach())
        print(f"epoch {epoch + 1}: loss {total / (count // size):.3f}", file=sys.stderr)
    weights = bag.weight.detach().numpy()
    weights -= weights.mean(axis=1, keepdims=True)
    scale = float(np.abs(weights).max()) / 127
    target.mkdir(parents=True, exist_ok=True)
    np.savez_compressed(
        target / "weights.npz", weights=np.round(weights / scale).astype(np.int8), scale=np.float32(scale), languages=np.array(ORDER)
    )
    write_words(target, list(vocabulary))


def write_words(target: Path, known: list[str]) -> None:
    """Write `words.txt`: each word, and the language that it is one of the own words of, Danish standing for Norwegian too."""
    (target / "words.txt").write_text("\n".join(known) + "\n", encoding="utf-8")
    table = Table(target)
    lines = []
    for word in known:
        odds = np.exp(table.weigh(word))
        shares = dict(zip(table.languages, (odds / odds.sum()).tolist(), strict=True))
        shares["da"] += shares.pop("nb")
        best, second = sorted(shares, key=shares.__getitem__, reverse=True)[:2]
        lines.append(f"{word}\t{best}" if len(word) > 1 and shares[best] >= SURE * shares[second] else word)
    (target / "words.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    train(Path(sys.argv[1]), Path(sys.argv[2]))
