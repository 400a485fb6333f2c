"""`changke messages`: compile the translations, or check that none is missing, fuzzy or out of use.

The Chinese catalogue is locale/zh_Hans/LC_MESSAGES/django.po. The compiled file is made at set-up and when the wheel is
built; it is not kept in the repository.
"""

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import polib

from changke.rules.segments import MSGIDS, PROBLEMS

PACKAGE = Path(__file__).resolve().parents[1]
LOCALE = PACKAGE / "locale"
CATALOGUE = LOCALE / "zh_Hans" / "LC_MESSAGES" / "django.po"
CALLS = {
    "_",
    "gettext",
    "gettext_lazy",
    "gettext_noop",
    "ngettext",
    "ngettext_lazy",
    "pgettext",
    "pgettext_lazy",
    "fail",
}
CALLS_WITH_CONTEXT = {"pgettext", "pgettext_lazy"}
PLACES = re.compile(r"%\((\w+)\)[sd]|\{(\w+)\}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="fail on a missing, fuzzy or unused message")
    parser.add_argument("--quiet", action="store_true", help="print nothing where all is well")


def run(arguments: argparse.Namespace) -> int:
    catalogue = compile_catalogue()
    wrong = check_catalogue(catalogue) if arguments.check else []
    for line in wrong:
        print(line, file=sys.stderr)
    if not arguments.quiet:
        print(
            f"translations: {len(catalogue)} messages compiled" + (f", {len(wrong)} wrong" if arguments.check else "")
        )
    return 1 if wrong else 0


def compile_catalogue() -> polib.POFile:
    """Write django.mo beside the catalogue and return the catalogue."""
    catalogue = read_catalogue()
    catalogue.save_as_mofile(str(CATALOGUE.with_suffix(".mo")))
    return catalogue


def read_catalogue() -> polib.POFile:
    """Return the Chinese catalogue."""
    return polib.pofile(str(CATALOGUE))


def check_catalogue(catalogue: polib.POFile) -> list[str]:
    """Return what is wrong: a used message without Chinese, a fuzzy one, one whose %(places)s differ."""
    known = {(entry.msgctxt, entry.msgid): entry for entry in catalogue}
    wrong = []
    for (context, msgid), place in sorted(used_messages().items(), key=lambda pair: pair[1]):
        entry = known.get((context, msgid))
        if entry is None or not (entry.msgstr or any(entry.msgstr_plural.values())):
            wrong.append(f"{place}: no Chinese for {msgid!r}")
    for entry in catalogue:
        texts = [entry.msgstr, *entry.msgstr_plural.values()]
        if entry.fuzzy:
            wrong.append(f"fuzzy: {entry.msgid!r}")
        wrong += [
            f"places differ: {entry.msgid!r} / {text!r}" for text in texts if text and places(text) - places_of(entry)
        ]
    return wrong


def places(text: str) -> set[str]:
    return {first or second for first, second in PLACES.findall(text)}


def places_of(entry: polib.POEntry) -> set[str]:
    return places(entry.msgid) | places(entry.msgid_plural)


def used_messages() -> dict[tuple[str | None, str], str]:
    """Return every (context, msgid) of code and templates with one place where it stands."""
    found: dict[tuple[str | None, str], str] = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        for context, msgid, line in messages_of_code(ast.parse(path.read_text(encoding="utf-8"))):
            found.setdefault((context, msgid), f"{path.relative_to(PACKAGE)}:{line}")
    for path in sorted(PACKAGE.rglob("*.html")):
        for context, msgid in messages_of_template(path.read_text(encoding="utf-8"), origin=str(path)):
            found.setdefault((context, msgid), str(path.relative_to(PACKAGE)))
    for msgid in (*MSGIDS, *PROBLEMS.values()):
        found.setdefault((None, msgid), "rules/segments")
    return found


def messages_of_code(tree: ast.Module) -> Iterator[tuple[str | None, str, int]]:
    """Yield the literal messages of gettext calls and of `fail(code, message, cure=...)`."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in CALLS and name != "Problem":
            continue
        texts = [arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)]
        if name in CALLS_WITH_CONTEXT:
            if len(texts) > 1:
                yield texts[0], texts[1], node.lineno
        elif name in {"fail", "Problem"}:
            named = {word.arg: word.value for word in node.keywords if word.arg in {"message", "cure"}}
            spoken = [value.value for value in named.values() if isinstance(value, ast.Constant) and value.value]
            for text in [*texts[1:2], *spoken]:
                yield None, str(text), node.lineno
        elif texts and texts[0]:
            yield None, texts[0], node.lineno


def messages_of_template(source: str, *, origin: str) -> Iterator[tuple[str | None, str]]:
    """Yield the messages of translate and blocktranslate tags and of _("...") in filters."""
    from django.utils.translation.template import templatize

    for match in re.finditer(r"\b(n?gettext|pgettext|_)\(", templatize(source, origin=origin)):
        call = _balanced_call(templatize(source, origin=origin), match.start(1))
        if call is not None:
            for context, msgid, _line in messages_of_code(ast.Module(body=[ast.Expr(value=call)], type_ignores=[])):
                yield context, msgid


def _balanced_call(text: str, start: int) -> ast.Call | None:
    """Return the call that begins at `start`, read up to the first closing bracket at which it parses."""
    end = start
    while (end := text.find(")", end) + 1) > 0:
        try:
            node = ast.parse(text[start:end], mode="eval").body
        except SyntaxError:
            continue
        return node if isinstance(node, ast.Call) else None
    return None
