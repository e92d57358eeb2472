"""Who may import whom: a folder from those below it, and the core knows no sockets."""

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

PACKAGE = Path(__file__).parent.parent / "twisted_chat"

LAYERS = (
    ("addresses", "limits", "rate", "refusal", "counters", "turn"),
    ("events",),
    ("text",),
    ("stores",),
    ("wire",),
    ("log",),
    ("chat",),
    ("commands",),
    ("sessions",),
    ("frontends",),
    ("service",),
)
"""Files and folders from the ground up: each imports from its own layer and those below."""

BESIDE = {"client": {"events", "text", "wire", "limits", "refusal"}}
"""Folders that are in no layer, and what they may import."""

CORE = ("events", "text", "log", "chat", "commands", "sessions")
OUTSIDE = ("socket", "twisted.internet.reactor", "twisted.internet.tcp", "twisted.application")


def imports(path: Path) -> set[str]:
    """The modules that a file imports at its top, when it runs."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({node.module, *(f"{node.module}.{alias.name}" for alias in node.names)})
    return found


def files(name: str) -> list[Path]:
    """The files of a layer's member."""
    single = PACKAGE / f"{name}.py"
    return [single] if single.exists() else sorted((PACKAGE / name).rglob("*.py"))


def ours(path: Path) -> set[str]:
    """The files and folders of the package that a file imports from."""
    names = (name.split(".") for name in imports(path))
    return {parts[1] for parts in names if parts[0] == "twisted_chat" and len(parts) > 1}


def graph() -> dict[str, set[str]]:
    """Which module of ours imports which."""
    modules = {
        "twisted_chat." + path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", "."): (
            imports(path)
        )
        for path in PACKAGE.rglob("*.py")
    }
    return {name: found & modules.keys() for name, found in modules.items()}


class LayerTests(SynchronousTestCase):
    def test_every_folder_imports_only_from_below(self) -> None:
        allowed: set[str] = set()
        for layer in LAYERS:
            allowed |= set(layer)
            for name in layer:
                for path in files(name):
                    self.assertEqual(ours(path) - allowed, set(), f"{path} imports from above")

    def test_every_file_has_its_place(self) -> None:
        known = {name for layer in LAYERS for name in layer} | BESIDE.keys() | {"__init__"}
        there = {path.stem for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
        self.assertEqual(there - {"__pycache__", "py", "page"} - known, set())

    def test_no_modules_import_each_other_in_a_circle(self) -> None:
        modules = graph()
        while free := [name for name, found in modules.items() if not found & modules.keys()]:
            for name in free:
                del modules[name]
        self.assertEqual(modules, {})

    def test_the_core_knows_neither_reactor_nor_sockets(self) -> None:
        for path in (path for name in CORE for path in files(name)):
            for name in imports(path):
                self.assertFalse(name.startswith(OUTSIDE), f"{path} imports {name}")

    def test_the_client_never_reaches_the_servers_core(self) -> None:
        for folder, allowed in BESIDE.items():
            for path in files(folder):
                self.assertEqual(ours(path) - allowed - {folder}, set(), str(path))

    def test_twisteds_own_package_is_not_shadowed(self) -> None:
        root = PACKAGE.parent / "twisted"
        self.assertFalse((root / "__init__.py").exists())
        self.assertFalse((root / "plugins" / "__init__.py").exists())
