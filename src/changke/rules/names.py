"""Names: pinyin for the search box, masks for display, and when two spellings look like one person."""

import unicodedata
from typing import Final

from pypinyin import Style, lazy_pinyin

LONGEST_INITIALS: Final = 60

# Surnames that are read otherwise than the same character elsewhere; two-character surnames first.
_SURNAMES: Final = {
    "万俟": ("mo", "qi"), "尉迟": ("yu", "chi"), "长孙": ("zhang", "sun"), "澹台": ("tan", "tai"),
    "单": ("shan",), "仇": ("qiu",), "曾": ("zeng",), "解": ("xie",), "区": ("ou",), "查": ("zha",), "朴": ("piao",),
    "盖": ("ge",), "任": ("ren",), "覃": ("qin",), "翟": ("zhai",), "乐": ("yue",), "员": ("yun",), "缪": ("miao",),
    "黑": ("he",), "折": ("she",), "种": ("chong",), "召": ("shao",), "秘": ("bi",), "繁": ("po",), "逄": ("pang",),
    "冼": ("xian",), "谌": ("chen",), "牟": ("mou",), "隗": ("wei",), "句": ("gou",), "祭": ("zhai",), "尹": ("yin",),
}  # fmt: skip


def clean_name(text: str) -> str:
    """Return a typed name in one form: full-width letters made plain, blanks trimmed and single."""
    return " ".join(unicodedata.normalize("NFKC", text).split())


def initials_of(name: str) -> str:
    """Return what a cashier types for a name: 王小明 -> wxm, 单雄信 -> sxx, Anna Lee -> al; lower case, at most 60."""
    return "".join(part[0] for part in _syllables(name))[:LONGEST_INITIALS]


def pinyin_of(name: str) -> str:
    """Return a name's full pinyin in one word without tones: 王小明 -> wangxiaoming, Anna Lee -> annalee."""
    return "".join(_syllables(name))


def mask_name(name: str) -> str:
    """Hide a name but for its ends: 王小明 -> 王*明, 张伟 -> 张*, Anna Lee -> A*e; one letter stays hidden."""
    letters = name.replace(" ", "")
    if len(letters) <= 1:
        return "*" * len(letters)
    return f"{letters[0]}*" if len(letters) == 2 else f"{letters[0]}*{letters[-1]}"


def look_alike(one: str, other: str) -> bool:
    """Say whether two names sound the same, or differ by one letter of at least three (李小明 / 李晓明 / 李小名)."""
    left, right = (clean_name(name).casefold().replace(" ", "") for name in (one, other))
    if not left or not right:
        return False
    if left == right or pinyin_of(one) == pinyin_of(other):
        return True
    return min(len(left), len(right)) > 2 and _one_off(left, right)


def _one_off(left: str, right: str) -> bool:
    """Say whether one insertion, deletion or replacement turns one word into the other."""
    short, long = sorted((left, right), key=len)
    if len(long) - len(short) > 1:
        return False
    at = next((i for i in range(len(short)) if short[i] != long[i]), len(short))
    return short[at + (len(short) == len(long)) :] == long[at + 1 :]


def _syllables(name: str) -> list[str]:
    """Split a name into lower-case syllables: one a Chinese character, one a word of any other script."""
    text = clean_name(name)
    surname = next((known for known in (text[:2], text[:1]) if known in _SURNAMES), "")
    parts = list(_SURNAMES.get(surname, ()))
    for piece in lazy_pinyin(text[len(surname) :], style=Style.NORMAL, errors="default"):
        parts += ["".join(filter(str.isalnum, word)) for word in piece.casefold().split()]
    return [part for part in parts if part]
