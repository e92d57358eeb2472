"""Make `twisted_chat/unicode_tables.py` from Unicode's own files.

    python -m tools.unicode_tables confusables.txt Scripts.txt \\
        DerivedGeneralCategory.txt DerivedCoreProperties.txt

The files are those of https://www.unicode.org/Public/security/latest/ and
https://www.unicode.org/Public/UCD/latest/ucd/, all of the same version.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

HEAD = '''"""Unicode data on look-alikes, scripts, marks and invisible characters ({version}).

Made by `python -m tools.unicode_tables` from Unicode's confusables.txt (UTS 39), Scripts.txt
(UAX 24), DerivedGeneralCategory.txt and DerivedCoreProperties.txt (UAX 44): do not edit.
Copyright (c) 1991-2025 Unicode, Inc., under the Unicode License V3,
https://www.unicode.org/license.txt
"""

'''


def fields(path: Path) -> Iterator[list[str]]:
    """The fields of each line of a file of Unicode's."""
    for line in path.read_text(encoding="utf-8-sig").splitlines():
        content = line.partition("#")[0]
        if content.strip():
            yield [field.strip() for field in content.split(";")]


def version(path: Path) -> str:
    """The version of Unicode that a file is of."""
    head = path.read_text(encoding="utf-8-sig")[:1000]
    match = re.search(r"(?:Version: |-)(\d+\.\d+\.\d+)", head)
    if match is None:
        raise SystemExit(f"{path} does not say which version it is of")
    return match[1]


def may_be_in_a_name(character: str) -> bool:
    """Whether a name could contain it: the rest need not be compared."""
    return unicodedata.category(character)[0] in "LNM" or character in "_-"


def confusables(path: Path) -> Iterator[str]:
    """Characters, and what each looks like."""
    for source, target, *_ in fields(path):
        character = chr(int(source, 16))
        if may_be_in_a_name(character):
            yield f"{ord(character):x}={'+'.join(f'{int(code, 16):x}' for code in target.split())}"


def spans(path: Path) -> list[tuple[int, int, str]]:
    """The first and last character of each line of a file, and what they are; sorted."""
    found = []
    for codes, value, *_ in fields(path):
        first, _, last = codes.partition("..")
        found.append((int(first, 16), int(last or first, 16), value))
    return sorted(found)


def merged(parts: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
    """As few spans as say the same."""
    whole: list[tuple[int, int, str]] = []
    for start, end, value in parts:
        if whole and whole[-1][1] + 1 == start and whole[-1][2] == value:
            start = whole.pop()[0]
        whole.append((start, end, value))
    return iter(whole)


def scripts(path: Path) -> Iterator[str]:
    """The ranges of characters of each script; what many scripts share is left out."""
    of_one = [span for span in spans(path) if span[2] not in ("Common", "Inherited")]
    for start, end, script in merged(of_one):
        yield f"{start:x}-{end:x}={script}"


def having(path: Path, *values: str) -> set[int]:
    """The characters that a file says one of these of."""
    found: set[int] = set()
    for start, end, value in spans(path):
        if value in values:
            found.update(range(start, end + 1))
    return found


def ranges(characters: set[int]) -> Iterator[str]:
    """Characters as ranges, of one or more."""
    for start, end, _ in merged([(code, code, "") for code in sorted(characters)]):
        yield f"{start:x}" if start == end else f"{start:x}-{end:x}"


def constant(name: str, doc: str, words: Iterator[str]) -> str:
    """A constant of many words, in lines that an editor can show."""
    lines, line = [], ""
    for word in words:
        if len(line) + len(word) > 90:
            lines.append(line)
            line = ""
        line += f"{word} "
    lines.append(line)
    body = "\n".join(f'    "{line}"' for line in lines)
    return f'{name} = (\n{body}\n)\n"""{doc}"""\n'


def main() -> None:
    """Write the module."""
    files = looks, owners, categories, properties = [Path(name) for name in sys.argv[1:]]
    if len({version(file) for file in files}) > 1:
        raise SystemExit("the files are of different versions of Unicode")
    ignorable = having(properties, "Default_Ignorable_Code_Point")
    marks = having(categories, "Mn", "Me") - ignorable
    module = HEAD.format(version=version(looks)) + "\n".join(
        (
            f'VERSION = "{version(looks)}"\n',
            constant("CONFUSABLES", "Characters and their look-alikes.", confusables(looks)),
            constant("SCRIPTS", "Ranges of characters and their script.", scripts(owners)),
            constant("MARKS", "Marks drawn on the character before them.", ranges(marks)),
            constant("IGNORABLE", "Characters that show nothing themselves.", ranges(ignorable)),
        )
    )
    path = Path(__file__).parent.parent / "twisted_chat" / "unicode_tables.py"
    path.write_text(module, encoding="ascii")


if __name__ == "__main__":
    main()
