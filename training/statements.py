"""Learns the weights of `scanner/detect/statements.py` from the sentences in `training/statements/`: `python -m training.statements`.

`said.txt` and `unsaid.txt` hold sentences with alternatives, of which so many are written out, always the same ones; a tenth of
the lines, chosen by hash, is held back to see when to stop. `dev.txt` is never learnt from. Weights begin at those that were
guessed (`speech.GUESSED`) and are drawn back to them, so that a sign that few sentences have stays what one would expect.
"""

from __future__ import annotations

import random
import re
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from scanner.detect import engine, fold, memo, rules, speech, statements
from scanner.detect.sentence import Sentences, around
from scanner.resources import folder

HERE = Path(__file__).with_name("statements")
CLASSES = {
    "H": "HEALTH", "G": "GENETIC", "B": "BIOMETRIC", "E": "ETHNIC_ORIGIN", "P": "POLITICAL_OPINION", "R": "RELIGIOUS_BELIEF",
    "T": "TRADE_UNION", "S": "SEXUAL_ORIENTATION", "C": "CRIMINAL_OFFENCE",
}  # fmt: skip
SEED = 20
COPIES = 14
"""How many of a line's sentences are written out."""

LEAN = 0.5
"""Added to what every candidate begins with: sentences that nobody thought of score lower than those that were learnt from."""
SINGLE = 4
"""How often a sentence counts that has no alternatives."""
PROMISED = 6
"""How often an example of a rule counts: rules are held to theirs."""

_SLOTS = {
    "F": "Mette Peter Søren Lone Fatima Omar Kirsten Jonas Ahmed Birthe Signe Karl Sofie Niels Anna Lars Emma Tom Kate Sarah James Priya Yusuf Hanne Bo Ida".split(),
    "M": "Peter Søren Omar Jonas Karl Niels Lars Tom James Mark Anders Frederik David Henrik Mads Emil".split(),
    "W": "Mette Lone Fatima Kirsten Signe Sofie Anna Emma Kate Sarah Hanne Louise Julie Camilla Pernille".split(),
    "L": "Holm Lund Bech Kjær Madsen Sørensen Brandt Ali Hassan Nguyen Patel Cole Marsh Vestergaard Friis Thomsen Skov".split(),
    "ILL": "diabetes|astma|epilepsi|migræne|depression|sclerose|leddegigt|KOL|angst|brystkræft|psoriasis|demens|fibromyalgi|en blodprop|stress|endometriose|ADHD|Parkinson|lavt stofskifte|slidgigt|hjertesvigt|en diskusprolaps|colitis ulcerosa|PTSD|bipolar lidelse".split("|"),
    "ILLEN": "diabetes|asthma|epilepsy|migraine|depression|multiple sclerosis|arthritis|COPD|anxiety|breast cancer|psoriasis|dementia|a blood clot|endometriosis|ADHD|Parkinson's|heart failure|a slipped disc|PTSD|bipolar disorder|Crohn's disease|bronchitis".split("|"),
    "DRUG": "Sertralin Panodil Metformin Ramipril Eliquis Atorvastatin Pantoprazol Lyrica Ritalin Prednisolon Ozempic Humira Tamoxifen Zopiclon Symbicort Lamictal Oxycontin Amlodipin".split(),
    "DEP": "onkologisk|kardiologisk|neurologisk afdeling|psykiatrisk|ortopædkirurgisk|hjertemedicinsk|smerteklinikken|øjenafdelingen|reumatologisk|lungemedicinsk|gynækologisk|børneafdelingen|urologisk|nyremedicinsk|skadestuen".split("|"),
    "UNION": "3F HK FOA Djøf BUPL IDA Krifa PROSA DSR|Dansk Metal|Danmarks Lærerforening|Dansk Sygeplejeråd|Det Faglige Hus|Teknisk Landsforbund|Finansforbundet".replace(" ", "|", 8).split("|"),
    "PARTY": "Venstre|SF|Enhedslisten|Dansk Folkeparti|Socialdemokratiet|De Konservative|Radikale Venstre|Liberal Alliance|Alternativet|Moderaterne|Nye Borgerlige".split("|"),
    "LAND": "Somalia Tyrkiet Irak Syrien Iran Pakistan Bosnien Vietnam Polen Eritrea Afghanistan Libanon Ukraine Marokko Kina Indien".split(),
    "LANDEN": "Somalia Turkey Iraq Syria Iran Pakistan Bosnia Vietnam Poland Eritrea Afghanistan Lebanon Ukraine Morocco China India Jamaica Nigeria".split(),
    "FOLK": "somalisk tyrkisk irakisk syrisk iransk pakistansk bosnisk vietnamesisk polsk kurdisk afghansk libanesisk arabisk grønlandsk tamilsk".split(),
    "FOLKEN": "Somali Turkish Iraqi Syrian Iranian Pakistani Bosnian Vietnamese Polish Kurdish Afghan Jamaican Nigerian Indian Chinese".split(),
    "CRIME": "vold|tyveri|bedrageri|spirituskørsel|hærværk|besiddelse af hash|underslæb|indbrud|trusler|røveri|hæleri|narkohandel".split("|"),
    "CRIMEEN": "assault|theft|fraud|drink-driving|burglary|possession of cannabis|embezzlement|shoplifting|robbery|arson".split("|"),
}  # fmt: skip


class Bag(NamedTuple):
    """All candidates of one class in one sentence, each as its signs and its words' numbers; and whether the class is said there."""

    said: bool
    signs: list[list[str]]
    words: list[list[int]]


def lines(path: Path) -> Iterator[tuple[frozenset[str], str, str]]:
    """(classes, language, text) of each line of a file of sentences."""
    for line in path.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            classes, language, text = line.split("|", 2)
            yield frozenset(CLASSES[one] for one in classes.split(",") if one != "-"), language, text


def sentences(text: str, language: str, chance: random.Random) -> list[str]:
    """Some of the sentences that a line with alternatives stands for."""
    made: dict[str, None] = {}
    for _ in range(COPIES if "{" in text or "<" in text else 1):
        one = re.sub(r"\{([^{}]*)\}", lambda match: chance.choice(match[1].split("|")), text)
        one = re.sub(r"<([A-Z]+)>", lambda match: _slot(match[1], language, chance), one)
        made[one[0].upper() + one[1:]] = None
    return list(made)


def _slot(name: str, language: str, chance: random.Random) -> str:
    if name == "N":
        return f"{chance.choice(_SLOTS['F'])} {chance.choice(_SLOTS['L'])}"
    if name == "ILLUP":
        return chance.choice(_SLOTS["ILLEN"]).capitalize()
    return chance.choice(_SLOTS["ILLEN" if name == "ILL" and language == "en" else name])


def bags(detector: engine.Detector, texts: list[tuple[str, frozenset[str]]]) -> list[Bag]:
    """What the judge sees of each sentence, a bag a class."""
    import pyarrow as pa

    from scanner.model import TextBatch

    judge = detector._judge
    assert judge is not None
    array = pa.array([text for text, _ in texts])
    rows = detector._rows([TextBatch("", "", array, array)], [array])
    made: list[Bag] = []
    for row in rows:
        said = texts[row.number][1]
        text = row.folded.text
        found = detector._identifiers(row, TextBatch("", "", array, array))
        people = [(one.start, one.end) for one in found if one.rule in detector._people]
        known: Sentences = []
        by_class: dict[str, Bag] = {}
        for one in judge.candidates(text, row.words, row.said):
            rule = detector.rules[one.rule]
            if rule.only_fields or judge._excepted(text, one):
                continue
            signs, words = judge.signs(text, one, around(text, one.start, one.end, known, judge._speech), people, False)
            bag = by_class.setdefault(rule.entity, Bag(rule.entity in said, [], []))
            bag.signs.append(signs)
            bag.words.append(words)
        made.extend(by_class.values())
    return made


def learn(train: list[Bag], held: list[Bag], rounds: int = 30) -> tuple[dict[str, float], Any]:
    """Weights of signs and of words. A bag's score is its best candidate's; what is not said must be refused in every candidate.

    What comes out is the mean of the second half of the rounds: single rounds differ by a point on sentences that were not learnt.
    """
    names = sorted({sign for bag in train for signs in bag.signs for sign in signs} | set(speech.GUESSED))
    number = {name: i for i, name in enumerate(names)}
    guess = np.array([speech.GUESSED.get(name, 0.0) for name in names])
    signs, words = guess.copy(), np.zeros(1 << statements.BITS)
    spent, spent_words = np.full(len(names), 1.0), np.full(1 << statements.BITS, 1.0)
    chance = np.random.default_rng(SEED)
    coded = [(bag.said, [[number[s] for s in one] for one in bag.signs], bag.words) for bag in train]
    balance = max(1.0, sum(not b.said for b in train) / max(1, sum(b.said for b in train))) ** 0.5
    sum_signs, sum_words, summed = np.zeros_like(signs), np.zeros_like(words), 0
    free = np.array([not (name.startswith(("w:", "s:"))) for name in names])
    pull = np.where(free, 6e-4, 3e-3)
    for turn in range(rounds):
        step = 0.25 / (1 + turn / 10)
        for at in chance.permutation(len(coded)):
            said, all_signs, all_words = coded[at]
            # Half of the time the judge must do without the other words, and without knowing which word it was: signs carry over to what was never seen.
            if chance.random() < 0.5:
                all_words = [[] for _ in all_words]
            if chance.random() < 0.6:
                all_signs = [[s for s in one if free[s]] for one in all_signs]
            scores = [signs[s].sum() + (words[w].sum() if w else 0.0) for s, w in zip(all_signs, all_words, strict=True)]
            best = int(np.argmax(scores))
            for which in [best] if said else range(len(scores)):
                z = scores[which]
                # A margin: what is said should be well above, what is not well below.
                error = (1.0 if said else 0.0) - 1 / (1 + np.exp(-(z - (0.7 if said else -0.5))))
                if abs(error) < 0.02 or (not said and which != best and error > -0.2):
                    continue
                s, w = all_signs[which], all_words[which]
                gradient = error * (balance if said else 1.0)
                own = gradient - pull[s] * (signs[s] - guess[s]) * 10
                spent[s] += own * own
                signs[s] += step * own / np.sqrt(spent[s])
                signs[s] = np.where(guess[s] > 0, np.maximum(signs[s], 0.1), np.where(guess[s] < 0, np.minimum(signs[s], -0.1), signs[s]))
                if w:
                    other = 0.35 * gradient - 0.012 * words[w]
                    spent_words[w] += other * other
                    words[w] += step * other / np.sqrt(spent_words[w])
        if turn >= rounds // 2:
            sum_signs, sum_words, summed = sum_signs + signs, sum_words + words, summed + 1
        if turn % 10 == 9:
            kept = dict(zip(names, signs.tolist(), strict=True))
            print(f"round {turn + 1}: learnt {_right(train, kept, words):.4f}, held back {_right(held, kept, words):.4f}")
    mean, words = dict(zip(names, (sum_signs / summed).tolist(), strict=True)), sum_words / summed
    print(f"their mean: learnt {_right(train, mean, words):.4f}, held back {_right(held, mean, words):.4f}")
    return mean, words


def _right(bags: list[Bag], signs: dict[str, float], words: Any) -> float:
    right = 0
    for bag in bags:
        best = max(sum(signs.get(s, 0.0) for s in one) + words[w].sum() for one, w in zip(bag.signs, bag.words, strict=True))
        right += (best >= 0) == bag.said
    return right / max(1, len(bags))


def main() -> int:
    """Learn, and write the weights beside the module that uses them."""
    detector = engine.Detector(rules.load((folder("rules"),)), cache=memo.cache_folder())
    train: list[tuple[str, frozenset[str]]] = []
    held: list[tuple[str, frozenset[str]]] = []
    for path in sorted(HERE.glob("*said*.txt")):
        for classes, language, text in lines(path):
            mark = zlib.crc32(text.encode())
            part = held if mark % 10 == 0 else train
            made = sentences(text, language, random.Random(mark))
            part.extend((fold.fold(one).text, classes) for one in (made if len(made) > 1 or part is held else made * SINGLE))
    for path in sorted(HERE.with_name("sentences").glob("*.txt")):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#") and (mark := zlib.crc32(line.encode())) % 12:
                letters, _, text = line.split("|", 2)
                part = held if mark % 10 == 0 else train
                said = frozenset(CLASSES[one] for one in letters if one != "-")
                part.append((fold.fold(text.replace("«", "").replace("»", "")).text, said))
    for rule in detector.rules:
        if rule.entity in CLASSES.values() and not rule.model:
            train.extend((fold.fold(text).text, frozenset([rule.entity])) for text in rule.examples * PROMISED if text[0] != "<")
            train.extend((fold.fold(text).text, frozenset()) for text in rule.counterexamples * PROMISED if text[0] != "<")
    print(f"{len(train):,} sentences to learn from, {len(held):,} held back")
    signs, words = learn(bags(detector, train), bags(detector, held))
    names = sorted(name for name, value in signs.items() if abs(value) >= 0.005)
    signs["bias"] += LEAN
    words[np.abs(words) < 0.01] = 0
    path = Path(statements.__file__).with_name(statements.MODEL)
    np.savez_compressed(path, names=np.array(names), signs=np.array([signs[n] for n in names], np.float32), words=words.astype(np.float16))
    print(f"{path.name}: {path.stat().st_size:,} bytes, {len(names)} signs, {np.count_nonzero(words)} words")
    return 0


if __name__ == "__main__":
    sys.exit(main())
