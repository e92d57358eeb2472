"""Write docs/map.md, the map of the package, from the first line of each file.

Run it with `python -m tools.package_map`.
"""

import ast
from pathlib import Path

from tests.test_layers import BESIDE, LAYERS, PACKAGE, files

MAP = PACKAGE.parent / "docs" / "map.md"

_HEAD = """# Map

Every file with its one idea, from the ground up. Modules import only from their own layer and the
layers above them on this page, which a test enforces. The core (everything up to `sessions/`) uses
neither the reactor nor sockets. `client/` shares only the wire formats with the server.

This page is made by `python -m tools.package_map`.

"""


def idea(path: Path) -> str:
    """What a file is for, in one line."""
    return (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n")[0]


def text() -> str:
    """The whole page."""
    pieces = [_HEAD]
    for name in [name for layer in LAYERS for name in layer] + sorted(BESIDE):
        single = PACKAGE / f"{name}.py"
        if single.exists():
            pieces.append(f"- `{name}.py`: {idea(single)}\n")
            continue
        rows = [
            f"| `{path.relative_to(PACKAGE / name)}` | {idea(path)} |"
            for path in files(name)
            if path.name != "__init__.py"
        ]
        folder = PACKAGE / name / "__init__.py"
        pieces.append(f"\n## {name}/\n\n{idea(folder)}\n")
        if rows:
            pieces.append("\n| file | what it is |\n|---|---|\n" + "\n".join(rows) + "\n")
    return "".join(pieces)


if __name__ == "__main__":
    MAP.write_text(text())
