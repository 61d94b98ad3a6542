"""The words of an export in ours: diagnoses, sex, ages, flags, numbers.

Texts are compared without regard to case, to width (full or half) and to blanks around them.
What is not understood is reported all at once, with the option that explains it.
"""

import math
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mmdet_liver import taxonomy
from mmdet_liver.errors import InputError, input_error

BOX_FIELDS = ('x_min', 'y_min', 'x_max', 'y_max', 'width', 'height')
DROPPED = 'shows a diagnosis that --drop-diagnosis names'  # a decision's reason
# Of a column that was taken for another, the whole content would be listed.
_LISTED = 10


def normal_form(text: str) -> str:
    return unicodedata.normalize('NFKC', text).strip().casefold()


_DIAGNOSES = {
    normal_form(word): d.name
    for d in (*taxonomy.LIVER, *taxonomy.MALIGNANCY)
    for word in (d.name, d.japanese)
}
_SEXES = {
    **dict.fromkeys(('m', 'male', '男', '男性'), 'M'),
    **dict.fromkeys(('f', 'female', '女', '女性'), 'F'),
}
_FLAGS = {
    **dict.fromkeys(('1', 'true', 'yes', 'はい'), True),
    **dict.fromkeys(('0', 'false', 'no', 'いいえ'), False),
}
# 45, 45.0 (of a spreadsheet), 45歳, 045Y (of DICOM)
_AGE = re.compile(r'(\d{1,3})(?:\.0+)?(?:歳|y)?')


@dataclass(frozen=True)
class Vocabulary:
    """What the user says about the words of the export; make it with `parse_vocabulary`.

    `values` maps (field, text in normal form) to our word; `dropped` holds, in normal form,
    the diagnoses whose images are left out.
    """

    values: Mapping[tuple[str, str], str] = field(default_factory=dict)
    dropped: frozenset[str] = frozenset()

    def read_diagnoses(self, texts: Iterable[str], where: object) -> dict[str, str | None]:
        """Text -> name of the taxonomy, '' for no lesion, None where the image is left out.

        Args:
            texts: every occurrence, so that unknown ones can be counted.
        Raises:
            InputError: lists all texts that are no known diagnosis, with their counts.
        """
        counts = Counter(texts)
        dropped = [text for text in counts if self._is_dropped(text)]
        for text in dropped:
            del counts[text]
        return {**self._read('diagnosis', counts, where), **dict.fromkeys(dropped)}

    def read(self, name: str, texts: Iterable[str], where: object) -> dict[str, Any]:
        """Text of a field -> its value, None for nothing.

        Args:
            name: age, sex, mm_per_pixel, fully_annotated, ignore, or one of `BOX_FIELDS`.
        Raises:
            InputError: lists the texts that cannot be read.
        """
        return self._read(name, Counter(texts), where)

    def says(self, name: str, text: str) -> bool:
        """Whether the user gave a meaning to this text of this field."""
        return (name, normal_form(text)) in self.values

    def _read(self, name: str, counts: Counter, where: object) -> dict[str, Any]:
        reader, _ = _READERS[name]
        meanings, unknown = {}, {}
        for text, count in counts.items():
            try:
                meanings[text] = reader(self.values.get((name, normal_form(text)), text))
            except (KeyError, ValueError):
                unknown[text] = count
        if unknown:
            raise _unknown_words(name, unknown, where)
        return meanings

    def _is_dropped(self, text: str) -> bool:
        word = normal_form(text)
        ours = _DIAGNOSES.get(normal_form(self.values.get(('diagnosis', word), text)))
        return word in self.dropped or (ours is not None and normal_form(ours) in self.dropped)


def parse_vocabulary(values: Iterable[str] = (), dropped: Iterable[str] = ()) -> Vocabulary:
    """The vocabulary of `--value FIELD:FROM=TO` and `--drop-diagnosis NAME`.

    Raises:
        InputError: for another form or field, a TO that is no word of ours, or one FROM
            with two meanings.
    """
    parsed: dict[tuple[str, str], str] = {}
    for option in values:
        name, word, ours = _split_value(option)
        reader, expected = _READERS[name]
        try:
            reader(ours)
        except (KeyError, ValueError):
            raise input_error(
                f'--value {option}', f'{ours!r}', expected, 'write one of these after the last ='
            ) from None
        if parsed.setdefault((name, normal_form(word)), ours) != ours:
            raise input_error(
                f'--value {option}', f'{word!r} with two meanings', 'one', 'drop one of them'
            )
    # A dropped diagnosis may be named in any of its languages.
    names = (normal_form(name) for name in dropped)
    return Vocabulary(parsed, frozenset(normal_form(_DIAGNOSES.get(n, n)) for n in names))


def _split_value(option: str) -> tuple[str, str, str]:
    name, colon, rest = option.partition(':')
    word, equals, ours = rest.rpartition('=')
    if not colon or not equals or name not in _READERS:
        raise input_error(
            f'--value {option}',
            'no FIELD:FROM=TO' if not colon or not equals else f'the field {name!r}',
            f'FIELD:FROM=TO, FIELD one of {", ".join(_READERS)}',
            "for example --value 'diagnosis:FNH=' for no lesion",
        )
    return name, word, ours.strip()


def _unknown_words(name: str, unknown: Mapping[str, int], where: object) -> InputError:
    words = sorted(unknown, key=lambda word: (-unknown[word], word))
    listed = words if name == 'diagnosis' else words[:_LISTED]
    more = f' and {len(words) - len(listed)} more' if len(listed) < len(words) else ''
    nothing = 'no lesion' if name == 'diagnosis' else 'not known'
    remedy = f"map each with --value '{name}:FROM=TO' (no TO: {nothing})"
    if name == 'diagnosis':
        remedy += ', or leave its images out with --drop-diagnosis FROM'
    return input_error(
        f'{where}, {name}',
        f'{len(words)} unknown: {", ".join(f"{w!r} ({unknown[w]}x)" for w in listed)}{more}',
        _READERS[name][1],
        remedy,
    )


def _word_of(words: Mapping[str, Any]) -> Callable[[str], Any]:
    return lambda text: words[normal_form(text)] if text else None


def _read_age(text: str) -> int | None:
    match = _AGE.fullmatch(normal_form(text))
    if text and not match:
        raise ValueError
    return int(match[1]) if match else None


def _read_number(text: str) -> float | None:
    value = float(text) if text else None
    if value is not None and not math.isfinite(value):
        raise ValueError
    return value


def _read_spacing(text: str) -> float | None:
    value = _read_number(text)
    if value is not None and value < 1e-6:  # the manifest's own limit
        raise ValueError
    return value


def _read_diagnosis(text: str) -> str:
    return _DIAGNOSES[normal_form(text)] if text else ''


# Field -> how a text is read (KeyError or ValueError if it cannot be), and what is expected.
_READERS: dict[str, tuple[Callable[[str], Any], str]] = {
    'diagnosis': (_read_diagnosis, f'one of {", ".join(taxonomy.known_names())} or their Japanese'),
    'sex': (_word_of(_SEXES), 'M, F, male, female, 男, 女 or nothing'),
    'age': (_read_age, 'whole years or nothing'),
    'mm_per_pixel': (_read_spacing, 'a number above 0 or nothing'),
    'fully_annotated': (_word_of(_FLAGS), '1, 0 or nothing'),
    'ignore': (_word_of(_FLAGS), '1, 0 or nothing'),
    **dict.fromkeys(BOX_FIELDS, (_read_number, 'a number or nothing')),
}
