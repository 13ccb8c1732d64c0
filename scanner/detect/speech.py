"""What words do in a sentence: who is spoken of, what denies, supposes, generalises; and which first names men and women bear."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path

from scanner.errors import RuleError

_ENGLISH = frozenset(
    "the is was has have my of and to been with not who on she he they a an are were from that this will had their there".split()
)
_DANISH = frozenset(
    "og er har en et at på med til som den det af ikke hun han jeg var der sig fra om vi blev efter være hos skal kan".split()
)
_CAPITAL = re.compile(r"[A-ZÆØÅÉÜÖÄ][a-zæøåéüöäóí]{1,24}(?:-[A-ZÆØÅ][a-zæøå]+)?(?:['’]?s)?$")
_NAMED = re.compile(r"(?<![\w.])[A-ZÆØÅÉ][a-zæøåéüöä]{1,20}(?:-[A-ZÆØÅ][a-zæøå]{1,15})?(?!\w)")
KINDS = (
    "first", "third", "role", "family", "name", "possessive", "generic", "we", "you", "they", "organisation", "note", "be", "have", "modal", "take", "treat",
    "learn", "about", "work", "when", "say", "sell", "deny", "not", "cleared", "if", "for", "and", "news", "policy", "fiction", "anyone", "animal", "profession", "percent",
    "stranger",
)  # fmt: skip
"""What a word can be in a sentence. Kinds of one word, or of several, are a number, a bit a kind."""
BIT = {kind: 1 << number for number, kind in enumerate(KINDS)}
_PAIR, _I, _BEHIND = 1, 2, 4
_COMMON_NAMES = frozenset(
    "per hans bo ask mark may maj april juni juli august dan my gift kaj bjørn ulf sten stig mon san du de der den det en et i a her him hr dr var er som mit min "
    "vi os jo ja nej alma ære sol dag vår storm pil bi kim rose will grace hope faith joy iris ruby art bill pat rob sue in on us an the all any some ny kun "
    "tro lo le man ro ren mie han hun so no and amen art don june summer autumn dawn eve star blue true king queen prince major chance frank christian kristen"
    " danmark england islam imam venstre gud allah jesus koran alle ingen hver hvad hvem hvor når man kan skal mange flere sag nye ifølge efter under ved for "
    "mandag tirsdag onsdag torsdag fredag lørdag søndag monday tuesday wednesday thursday friday saturday sunday january february march september october november december "
    "januar februar marts oktober jylland fyn sjælland dansk danske svensk norsk tysk hk foa ida dm sf df messe stress angst diagnose diabetes medicin menu kosher halal kost mad løn kirkeskat "
    "kontingent træk trukket fravær notat telefon vedr kære hej mvh hilsen tak re sv".split()
)

GUESSED = {
    "bias": -1.0, "kind:strong": 0.7, "kind:weak": -0.7, "kind:statement": 1.2, "context": 0.7, "context:weak": 0.4,
    "first<": 0.9, "third<": 0.9, "role<": 0.9, "family<": 0.6, "name<": 0.9, "first>": 0.4, "third>": 0.4, "role>": 0.4, "family>": 0.2, "name>": 0.5,
    "first=": 0.3, "third=": 0.4, "role=": 0.5, "family=": 0.2, "name=": 0.3,
    "row": 1.4, "identifier": 0.9, "before": 0.4, "nobody": -1.2, "opens": 0.7, "note": 1.0, "possessed": 0.8, "topic": -1.2, "stranger<": -0.9, "says": 0.5, "says:strong": 0.5, "says:statement": 0.3, "says before": 0.3, "have<": 0.4, "be<1": 0.6,
    "denied": -2.8, "not>": -0.4, "cleared": -2.5, "cleared=": -1.5, "if<": -2.2, "if>": -0.8, "asks": -1.4, "generic<": -1.1, "generic>": -0.3, "generic=": -0.6,
    "organisation<": -0.4, "news<": -0.8, "news>": -0.4, "policy<": -1.0, "policy>": -0.6, "work<": -0.7, "work>": -0.3, "work=": -0.6, "we<": -0.4, "you<": -0.5,
    "fiction<": -1.0, "fiction>": -0.5, "anyone<": -0.5, "animal<": -1.5, "profession<": -0.4, "percent<": -0.8, "about<": -0.6, "about<1": -0.8,
    "sell<": -0.5, "modal<": -0.4, "quoted": -0.8, "plainly:statement": 0.5, "plainly:strong": 0.4, "generic<1": -0.6, "deny<": -1.0,
}  # fmt: skip
"""Weights before any were learnt, and what learning starts from."""

NAMES = {
    "kind:strong": "a word that can mean little else", "kind:weak": "a word that can mean other things", "kind:statement": "the way it is said",
    "context": "a word that goes with it", "first<": "said by the person: 'I' or 'my'", "first>": "said by the person: 'I' or 'my'",
    "third<": "said of him or her", "third>": "said of him or her", "third=": "said of him or her", "role<": "said of somebody by their role", "role>": "said of somebody by their role",
    "role=": "said of somebody by their role", "family<": "said of a family member", "family>": "said of a family member", "family=": "said of a family member",
    "name<": "a name before it", "name>": "a name after it", "name=": "a name in it", "row": "a row about a person, or the field's name", "identifier": "an identifier near by",
    "before": "a person in the sentences before", "nobody": "nobody is named", "opens": "a note: it opens the sentence", "note": "a note without a subject",
    "says": "a person, and a verb of having or being right before it", "says before": "a verb of having or being right before it",
    "stranger<": "somebody unknown: 'a man who'", "topic": "the subject of the sentence itself", "possessed": "whose it is stands before it", "have<": "to have", "be<1": "to be", "denied": "a word of denial before it", "not>": "a word of denial after it",
    "cleared": "cleared or ruled out", "cleared=": "cleared or ruled out", "if<": "a condition before it", "if>": "a condition after it", "asks": "a question",
    "generic<": "people in general", "generic>": "people in general", "generic=": "people in general", "generic<1": "people in general",
    "organisation<": "said of an organisation", "organisation>": "an organisation", "news<": "news or statistics", "news>": "news or statistics",
    "policy<": "rules, forms or policies", "policy>": "rules, forms or policies", "work<": "somebody's work or subject", "work>": "somebody's work or subject",
    "work=": "somebody's work or subject", "we<": "said of 'us'", "you<": "said to 'you'", "fiction<": "a book, a film or a play", "fiction>": "a book, a film or a play",
    "animal<": "an animal", "animal>": "an animal", "profession<": "a profession", "percent<": "a share of many", "about<": "a subject: 'about'", "about<1": "a subject: 'about'",
    "sell<": "goods", "modal<": "may, can or should", "quoted": "in quotation marks", "bias": "to begin with",
}  # fmt: skip
"""What a sign is called to those who ask why."""


def bits(*kinds: str) -> int:
    """Several kinds as one number."""
    return sum(BIT[kind] for kind in kinds)


_PERSON = bits("first", "third", "role", "family")


class Speech:
    """The kinds of words, from `speech.txt`, and the first names."""

    def __init__(self, folder: Path) -> None:
        self._words: dict[str, int] = {}
        self._english: dict[str, int] = {}
        self._danish: dict[str, int] = {}
        self._pairs: dict[str, int] = {}
        self._stems: list[tuple[str, int]] = []
        self._ends: list[tuple[str, int]] = []
        for line in (folder / "speech.txt").read_text(encoding="utf-8").splitlines():
            kind, _, words = line.partition(": ")
            if line and not line.startswith("#"):
                if kind not in BIT:
                    raise RuleError(f"speech.txt: no word can be {kind!r}; the kinds are {', '.join(KINDS)}")
                for word in words.split():
                    self._add(BIT[kind], word)
        self._names = _first_names(folder / "first_names.txt")
        self.men = _listed(folder / "names_men.txt")
        self.women = _listed(folder / "names_women.txt")
        self.checks: dict[str, Callable[[str, int, int], bool]] = {"same_sex": self.same_sex, "pair": self.pair}
        self._begins = frozenset(pair.partition(" ")[0] for pair in self._pairs)
        self._known: tuple[dict[str, tuple[int, int]], dict[str, tuple[int, int]]] = ({}, {})

    def _add(self, kind: int, word: str) -> None:
        table = self._words
        if word.startswith(("en:", "da:")):
            table = self._english if word.startswith("en:") else self._danish
            word = word[3:]
        word = word.rstrip(".:") or word
        if "_" in word:
            table = self._pairs
            word = word.replace("_", " ")
        elif word.endswith("*") and len(word) > 2:
            self._stems.append((word[:-1], kind))
            return
        elif word.startswith("*"):
            self._ends.append((word[1:], kind))
            return
        table[word] = table.get(word, 0) | kind

    def english(self, words: Sequence[str]) -> bool:
        """Whether a sentence is more English than Danish."""
        return len([word for word in words if word in _ENGLISH]) > len([word for word in words if word in _DANISH])

    def kinds(self, words: Sequence[str], raw: Sequence[str], english: bool) -> list[int]:
        """What each word of a sentence is; `words` are `raw` in small letters."""
        made = []
        last = len(words) - 1
        known = self._known[english]
        for at, word in enumerate(raw):
            kinds, more = known.get(word) or self._of(word, english)
            if more:
                if more & _PAIR and at < last:
                    kinds |= self._pairs.get(f"{words[at]} {words[at + 1]}", 0)
                if more & _I:
                    if english or (at < last and words[at + 1] in _I_AM):
                        kinds |= BIT["first"]
                elif more & _BEHIND and at and _titles(raw[at - 1]):
                    kinds |= self._named(word)
            made.append(kinds)
        return made

    def _of(self, raw: str, english: bool) -> tuple[int, int]:
        """What a word is wherever it stands; and what its neighbours may add."""
        kept = self._known[english]
        known = kept.get(raw)
        if known is None:
            word = raw.lower()
            kinds = self._words.get(word, 0) | (self._english if english else self._danish).get(word, 0)
            for stem, kind in self._stems:
                if word.startswith(stem):
                    kinds |= kind
            for end, kind in self._ends:
                if word.endswith(end):
                    kinds |= kind
            more = (_PAIR if word in self._begins else 0) | (_I if raw == "I" else 0)
            if self._is_name(raw):
                kinds |= self._named(raw)
            elif _may_name(raw):
                more |= _BEHIND
            if len(kept) > 50_000:
                kept.clear()
            known = kept[raw] = kinds, more
        return known

    def _named(self, raw: str) -> int:
        return BIT["name"] | (BIT["possessive"] if raw.endswith("s") and raw.lower() not in self._names else 0)

    def _is_name(self, word: str) -> bool:
        """Whether a word is a first name."""
        if not _may_name(word):
            return False
        base = word.casefold().removesuffix("'s").removesuffix("’s")
        return base in self._names or (base.endswith("s") and base[:-1] in self._names)

    def names_somebody(self, text: str) -> bool:
        """Whether a person is named or pointed at in a text."""
        if any(self._of(word.lower(), False)[0] & _PERSON for word in re.findall(r"[^\W_]+", text)):
            return True
        return any(self._is_name(match[0]) for match in _NAMED.finditer(text))

    def gender(self, name: str) -> str:
        """`m` or `f` of a first name; "" where it tells none."""
        plain = name.casefold().removesuffix("'s")
        for base in (plain, plain.removesuffix("s")):
            if base in self.men:
                return "m"
            if base in self.women:
                return "f"
        return ""

    def pair(self, text: str, start: int, end: int) -> bool:
        """Whether the two first names that a span begins with are of one gender."""
        first, _, second = re.split(r"\W+", text[start:end])[:3]
        return bool(self.gender(first)) and self.gender(first) == self.gender(second) and first[0].isupper() and second[0].isupper()

    def same_sex(self, text: str, start: int, end: int) -> bool:
        """Whether the one who has a partner in this span and the partner are of one gender, as far as the sentence tells."""
        words = re.findall(r"[^\W\d_]+(?:['’]s)?", text[start:end])
        lower = [word.lower() for word in words]
        kind = next((word for word in reversed(lower) if word in _PARTNERS), "")
        partner = _PARTNERS.get(kind, "")
        if partner == "?":
            partner = self.gender(words[-1]) if words[-1][0].isupper() and lower[-1] not in _PARTNERS else ""
        if not partner:
            return False
        owner = lower[0]
        if owner in ("hans", "his"):
            return partner == "m"
        if owner in ("hendes", "her"):
            return partner == "f"
        if owner not in ("sin", "min", "my", "vores"):
            return self.gender(words[0]) == partner
        if owner != "sin":
            return False
        before = re.split(r"[.!?]\s", text[max(0, start - 150) : start])[-1]
        for word in reversed(re.findall(r"[^\W\d_]+(?:['’]s)?", before)):
            plain = word.lower()
            gender = _GENDERS.get(plain, "") or (self.gender(word) if word[0].isupper() and plain not in _COMMON_NAMES else "")
            if plain == "jeg":
                return False
            if gender:
                return gender == partner
        return False


def _may_name(word: str) -> bool:
    """Whether a word is written as a name is, and is none of the words that look so."""
    return _CAPITAL.match(word) is not None and word.casefold() not in _COMMON_NAMES


def _titles(word: str) -> bool:
    """Whether what follows a word is a name, if it can be one: behind a title or an initial."""
    return word in _TITLES or (len(word) == 1 and word.isupper() and word != "I")


_TITLES = frozenset({"Mr", "Mrs", "Ms", "Miss", "Dr", "Hr", "Fru", "Frk", "hr", "fru", "frk"})
_I_AM = frozenset({"am", "was", "have", "had", "suffer", "voted", "take"})
_PARTNERS = {
    "mand": "m", "ægtemand": "m", "husband": "m", "boyfriend": "m", "eksmand": "m", "groom": "m", "kone": "f", "hustru": "f", "wife": "f", "girlfriend": "f",
    "ekskone": "f", "bride": "f", "kæreste": "?", "forlovede": "?", "samlever": "?", "partner": "?", "fiancé": "?", "fiancée": "?", "spouse": "?", "ægtefælle": "?",
    "ekskæreste": "?", "ex": "?", "ex-wife": "f", "ex-husband": "m",
}  # fmt: skip
_GENDERS = {
    "han": "m", "he": "m", "hun": "f", "she": "f", "bror": "m", "brother": "m", "søn": "m", "sønnen": "m", "son": "m", "far": "m", "father": "m", "dad": "m", "onkel": "m",
    "uncle": "m", "manden": "m", "fætter": "m", "søster": "f", "sister": "f", "datter": "f", "datteren": "f", "daughter": "f", "mor": "f", "mother": "f", "mum": "f",
    "tante": "f", "aunt": "f", "kvinden": "f", "moster": "f", "faster": "f", "kusine": "f", "niece": "f", "nephew": "m", "nevø": "m", "mr": "m", "hr": "m", "mrs": "f",
    "fru": "f", "ms": "f", "drengen": "m", "pigen": "f",
}  # fmt: skip


def _listed(path: Path) -> frozenset[str]:
    return frozenset(line.strip().casefold() for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#"))


def _first_names(path: Path) -> frozenset[str]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return frozenset(line.split("\t")[0].strip().casefold() for line in lines if line and not line.startswith("#"))
