"""Teach the encoder what is said of people: `python -m training.sayings --data FOLDER --gazetteers FOLDER -o FOLDER`.

Takes up the state that `python -m training` left in the same FOLDER and goes on with two kinds of batches in turn: labelled names, so that
nothing is unlearnt, and the sentences of `training/sentences/` and `training/statements/`. A sentence is learnt as a whole (which categories it says
of somebody), and where its words are marked with «…», word by word.

With `--from-shipped` it takes up the encoder in `rules/models/` instead, its weights of 8 bits taken back into floats: so a few new files of sentences
are learnt in half an hour (`--more sixth --times 3`: each sentence of those files counts three times). `--teacher` names an encoder whose names are to be
kept: in every batch, of sentences too, the net is held to what that one thinks of each word (Li and Hoiem, Learning without Forgetting, 2016).
"""

from __future__ import annotations

import argparse
import copy
import json
import random
import shutil
import sys
import time
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch.nn import functional

from scanner.detect import ner, prose
from training import __main__ as names
from training import data, export, model, shipped, statements
from training.lists import RULES, lists

HERE = Path(__file__).with_name("sentences")
SHIPPED = RULES / "models"
LETTERS = "HGBEPRTSC"
ASCII = {"æ": "ae", "ø": "oe", "å": "aa", "Æ": "Ae", "Ø": "Oe", "Å": "Aa"}


class Sentence(NamedTuple):
    """A text, what it says of somebody (bits over `ner.SAID`), and the places that say so with the bits they say, where they are known."""

    text: str
    said: int
    places: list[tuple[int, int, int]] | None


def sentences(seed: int, more: tuple[str, ...] = (), times: int = 1) -> Iterator[Sentence]:
    """All that are learnt from, also in the pieces that the encoder reads alone; those of files that begin with `more`, `times` over. Of a line with alternatives, some."""
    for name, one in _written(held_back=False):
        for _ in range(times if more and name.startswith(more) else 1):
            yield one
            yield from _pieces(one)
    chance = random.Random(seed)
    for path in sorted(statements.HERE.glob("*.txt")):
        if path.name != "dev.txt":
            for said, language, text in statements.lines(path):
                made = statements.sentences(text, language, chance)
                for one in made[:6]:
                    yield Sentence(one, sum(1 << ner.SAID.index(entity) for entity in said), None)


def _written(*, held_back: bool) -> Iterator[tuple[str, Sentence]]:
    """The sentences of `training/sentences/`, each with its file's name: one in twelve is held back."""
    for path in sorted(HERE.glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#") and (zlib.crc32(line.encode()) % 12 == 0) == held_back:
                classes, _, text = line.split("|", 2)
                yield path.name, _marked(text, _bits(classes))


def _pieces(one: Sentence) -> Iterator[Sentence]:
    """The pieces of a text of several sentences: what a piece says is known where its words are marked."""
    pieces = list(prose.segments(one.text))
    if len(pieces) < 2 or one.places is None or one.said.bit_count() > 1:
        return
    for start, stop in pieces:
        places = [(max(low, start) - start, min(high, stop) - start, said) for low, high, said in one.places if low < stop and start < high]
        yield Sentence(one.text[start:stop], one.said if places else 0, places)


def _disguised(one: Sentence, chance: random.Random) -> Sentence:
    """Now and then as it may be written in haste: in small letters, in capitals, without æ, ø and å."""
    drawn = chance.random()
    if drawn >= 0.17:
        return one
    if drawn >= 0.13:
        return Sentence("".join(ASCII.get(char, char) for char in one.text), one.said, None)
    text = one.text.upper() if drawn < 0.03 else one.text.lower()
    return one._replace(text=text) if len(text) == len(one.text) else one


def _joined(told: Sequence[Sentence], chance: random.Random, share: float) -> Iterator[Sentence]:
    """Some sentences with another one behind them, as people write who tell of several: what each of them says is told of both together."""
    for one in told:
        other = chance.choice(told) if chance.random() < share else None
        if other is None or len(one.text) + len(other.text) > 200:
            yield one
            continue
        text = one.text.rstrip(".") + chance.choice((", og ", " og ", "; ", ", ", " / ", " and ", " - "))
        places = None
        if one.places is not None and other.places is not None:
            places = one.places + [(start + len(text), stop + len(text), said) for start, stop, said in other.places]
        yield Sentence(text + other.text, one.said | other.said, places)


def _batches(told: Sequence[Sentence], chance: random.Random, size: int = 40) -> list[list[Sentence]]:
    """All sentences in batches in random order: of each eight batches that are drawn, the sentences of like length go together, to save padding."""
    drawn, out = chance.sample(told, len(told)), []
    for start in range(0, len(drawn) - size + 1, 8 * size):
        part = sorted(drawn[start : start + 8 * size], key=lambda one: len(one.text))
        out += [part[at : at + size] for at in range(0, len(part) - size + 1, size)]
    chance.shuffle(out)
    return out


def _bits(classes: str) -> int:
    return sum(1 << LETTERS.index(letter) for letter in set(classes) & set(LETTERS))


def _marked(text: str, said: int) -> Sentence:
    places, plain = [], ""
    for part in text.replace("»", "«").split("«"):
        places.append((len(plain), len(plain) + len(part), said))
        plain += part
    return Sentence(plain, said, places[1::2] if said else [])


def held_out() -> list[Sentence]:
    """Sentences that are never learnt from."""
    return [
        *(one for _, one in _written(held_back=True)),
        *(
            Sentence(text, sum(1 << ner.SAID.index(entity) for entity in said), None)
            for said, _, text in statements.lines(statements.HERE / "dev.txt")
        ),
    ]


def loss(said: torch.Tensor, where: torch.Tensor, batch: Sequence[Sentence], parts: Sequence[ner.Encoded]) -> torch.Tensor:
    """Of whole sentences, and of the words of those that are marked."""
    bits = torch.arange(len(ner.SAID))
    wanted = (torch.tensor([one.said for one in batch])[:, None] >> bits & 1).float()
    value = functional.binary_cross_entropy_with_logits(said.float(), wanted, pos_weight=torch.tensor(2.0))
    rows, cols, targets = [], [], []
    for row, (one, part) in enumerate(zip(batch, parts, strict=True)):
        if one.places is None:
            continue
        for first, (start, end) in zip(part.firsts, part.spans, strict=True):
            rows.append(row)
            cols.append(first)
            targets.append(next((told for a, b, told in one.places if a <= start and end <= b), 0))
    if rows:
        wanted = (torch.tensor(targets)[:, None] >> bits & 1).float()
        value = value + functional.binary_cross_entropy_with_logits(where[rows, cols].float(), wanted, pos_weight=torch.tensor(2.0))
    return value


def unlearnt(scores: torch.Tensor, thought: torch.Tensor, examples: Sequence[names.Example]) -> torch.Tensor:
    """How far labels are from those that a teacher thinks of: the mean Kullback-Leibler divergence, in nats a word."""
    rows = [row for row, one in enumerate(examples) for _ in one[2]]
    cols = [first for one in examples for first in one[2]]
    ours, theirs = (one[rows, cols].float().log_softmax(-1) for one in (scores, thought))
    return functional.kl_div(ours, theirs, reduction="batchmean", log_target=True)


def thoughts(teacher: model.Tagger, given: Sequence[torch.Tensor]) -> torch.Tensor:
    """A teacher's scores of labels."""
    with torch.no_grad(), model.mixed():
        return teacher(*given)[0]


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m training.sayings", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--gazetteers", type=Path, required=True)
    parser.add_argument("-o", "--out", type=Path, required=True, help="where the state of the first training lies")
    parser.add_argument("--seed", type=int, default=23)
    parser.add_argument("--steps", type=int, default=1200)
    parser.add_argument("--rate", type=float, default=8e-5)
    parser.add_argument("--again", action="store_true", help="go on from what an earlier lesson left (said.pt), as with more sentences")
    parser.add_argument("--from-shipped", action="store_true", help="go on from the encoder in rules/models; FOLDER may be empty")
    parser.add_argument("--more", nargs="*", default=(), metavar="NAME", help="how the names of the files begin that count more than once")
    parser.add_argument("--times", type=int, default=3, help="how often they count")
    parser.add_argument("--joined", type=float, default=0.12, help="the share of sentences that are read with another one behind them")
    parser.add_argument("--teacher", type=Path, metavar="FILE", help="a names.onnx whose names are kept, such as rules/models/names.onnx")
    parser.add_argument(
        "--mean", type=Path, nargs="*", default=(), metavar="FOLDER", help="lessons whose weights are averaged with these for names.onnx"
    )
    parser.add_argument("--threads", type=int, default=2)
    given = parser.parse_args(argv)
    if given.again and given.from_shipped:
        parser.error("--again and --from-shipped exclude each other: one goes on from said.pt, the other from rules/models")
    if given.from_shipped:
        given.out.mkdir(parents=True, exist_ok=True)
        shutil.copy(SHIPPED / "names.vocabulary", given.out / "names.vocabulary")
    torch.manual_seed(given.seed)
    torch.set_num_threads(given.threads)
    pieces, known = ner.Pieces(given.out / "names.vocabulary"), lists()
    net = model.Tagger(len(pieces.words), 384, 12, 1536, 12, 256, len(data.STYLES), 1e-12, 0.1)
    if given.from_shipped:
        shipped.load(net, SHIPPED / "names.onnx")
    elif given.again:
        net.load_state_dict(torch.load(given.out / "said.pt", map_location="cpu"))
    else:
        net.load_state_dict(torch.load(given.out / "state.pt", map_location="cpu")["net"], strict=False)
    teacher = copy.deepcopy(net).eval() if given.teacher else None
    if teacher:
        shipped.load(teacher, given.teacher)
    own = [p for n, p in net.named_parameters() if n.startswith(("said", "where"))]
    rest = [p for n, p in net.named_parameters() if not n.startswith(("said", "where"))]
    learnt = given.from_shipped or given.teacher is not None  # so have the last layers
    rates = (given.rate, given.rate * 2 if learnt else 1e-3)
    optimiser = torch.optim.AdamW([{"params": rest}, {"params": own}], weight_decay=0.01, betas=(0.9, 0.98))
    labelled = names.batches(
        names.Epochs(given.data, given.gazetteers, pieces, given.seed, 192, 3_000 if given.from_shipped else 12_000).epoch(
            98 if given.again or given.from_shipped else 99
        ),
        896,
        random.Random(given.seed),
    )
    chance = random.Random(given.seed)
    told = list(sentences(given.seed, tuple(given.more), given.times))
    print(f"{len(told)} sentences, {sum(one.said == 0 for one in told)} of them say nothing of anybody", file=sys.stderr)
    waiting: list[list[Sentence]] = []
    begun = time.monotonic()
    for step in range(given.steps):
        share = min(1.0, (step + 1) / 30) * max(0.02, 1 - step / given.steps)
        for group, rate in zip(optimiser.param_groups, rates, strict=True):
            group["lr"] = rate * share
        if not waiting:
            waiting = _batches(list(_joined(told, chance, given.joined)), chance)
        batch = [_disguised(one, chance) for one in waiting.pop()]
        parts = [next(ner.encode(one.text, pieces, known, 192)) for one in batch]
        examples = [(p.pieces, p.features, p.firsts, [data.ANY] * len(p.firsts), 0) for p in parts]
        net.train()
        *given_in, _ = names.tensors(examples, pieces.pad)
        with model.mixed():
            scores, said, where = net(*given_in)
        told_loss = loss(said, where, batch, parts)
        kept = unlearnt(scores, thoughts(teacher, given_in), examples) if teacher else torch.zeros(())
        (told_loss + kept).backward()
        examples = labelled[step % len(labelled)]
        *given_in, sets = names.tensors(examples, pieces.pad)
        with model.mixed():
            scores, _, _ = net(*given_in)
        named_loss = names.loss(scores, sets)
        kept = unlearnt(scores, thoughts(teacher, given_in), examples) if teacher else torch.zeros(())
        (named_loss + kept).backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimiser.step()
        optimiser.zero_grad(set_to_none=True)
        if (step + 1) % 25 == 0:
            spent = time.monotonic() - begun
            print(
                f"{step + 1}/{given.steps} said {told_loss.item():.4f} named {named_loss.item():.4f} unlearnt {kept.item():.4f} {spent:.0f} s",
                file=sys.stderr,
                flush=True,
            )
    torch.save(net.state_dict(), given.out / "said.pt")
    net.load_state_dict(_mean([net.state_dict(), *(torch.load(one / "said.pt", map_location="cpu") for one in given.mean)]))
    export.write(net, given.out, pieces=192, styles=data.STYLES)
    print(json.dumps({"names": names.evaluate(given.data, given.out), "said": evaluate(given.out)}))
    return 0


def _mean(states: Sequence[dict[str, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """The mean of weights that lessons in turn have left: what one of them forgot, another still knows (Izmailov and others, 2018)."""
    return {name: torch.stack([one[name] for one in states]).mean(0) for name in states[0]}


def evaluate(made: Path) -> dict[str, float]:
    """F1 of each category, and their mean, on the sentences that are held out."""
    encoder = ner.Encoder(made, lists(), threads=2)
    rows = held_out()
    found = encoder.read([one.text for one in rows])
    out = {}
    for i, entity in enumerate(ner.SAID):
        truth = [one.said >> i & 1 == 1 for one in rows]
        got = [bool(said[i] >= 0.5) for said in (one.said for one in found)]
        right = sum(a and b for a, b in zip(truth, got, strict=True))
        out[entity] = 2 * right / max(1, sum(truth) + sum(got))
    return {**out, "macro": sum(out.values()) / len(out)}


if __name__ == "__main__":
    raise SystemExit(main())
