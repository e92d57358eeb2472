"""Make `twisted_chat/unicode_tables.py` from Unicode's own files.

    python -m tools.unicode_tables confusables.txt Scripts.txt

The files are those of https://www.unicode.org/Public/security/latest/ and
https://www.unicode.org/Public/UCD/latest/ucd/, both of the same version.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path

HEAD = '''"""Unicode's data about look-alike characters and scripts, version {version}.

Made by `python -m tools.unicode_tables` from Unicode's confusables.txt (UTS 39) and Scripts.txt
(UAX 24): do not edit. Copyright (c) 1991-2025 Unicode, Inc., under the Unicode License V3,
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


def scripts(path: Path) -> Iterator[str]:
    """The ranges of characters of each script; what many scripts share is left out."""
    ranges = []
    for codes, script, *_ in fields(path):
        first, _, last = codes.partition("..")
        if script not in ("Common", "Inherited"):
            ranges.append((int(first, 16), int(last or first, 16), script))
    merged: list[tuple[int, int, str]] = []
    for start, end, script in sorted(ranges):
        if merged and merged[-1][1] + 1 == start and merged[-1][2] == script:
            start = merged.pop()[0]
        merged.append((start, end, script))
    for start, end, script in merged:
        yield f"{start:x}-{end:x}={script}"


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
    looks, owners = map(Path, sys.argv[1:])
    if version(looks) != version(owners):
        raise SystemExit("the files are of different versions of Unicode")
    module = HEAD.format(version=version(looks)) + "\n".join(
        (
            f'VERSION = "{version(looks)}"\n',
            constant("CONFUSABLES", "Characters and their look-alikes.", confusables(looks)),
            constant("SCRIPTS", "Ranges of characters and their script.", scripts(owners)),
        )
    )
    path = Path(__file__).parent.parent / "twisted_chat" / "unicode_tables.py"
    path.write_text(module, encoding="ascii")


if __name__ == "__main__":
    main()
