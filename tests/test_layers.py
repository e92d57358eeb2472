"""Who may import whom: arrows go one way, and the core knows neither reactor nor sockets."""

import ast
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

PACKAGE = Path(__file__).parent.parent / "twisted_chat"

LAYERS = (
    {"refusal", "events", "limits", "pace", "turn", "networks", "unicode_tables", "figures"},
    {"looks", "marks", "ranges", "request"},
    {"text", "names", "stores", "stores.private", "stores.strays", "pacing", "doorkeeper"},
    {"log"},
    {"reader", "stores.memory", "stores.schema"},
    {"stores.lock", "stores.checkpoints"},
    {"stores.sqlite"},
    {"person"},
    {"people"},
    {"presence"},
    {"room"},
    {"chat"},
    {"commands", "strangers"},
    {"session"},
    {
        "wires.plain",
        "wires.structured",
        "telnet",
        "lines",
        "outlet",
        "turnstile",
        "sockets",
        "vanished",
    },
    {"plain_session", "structured_session"},
    {"protocol"},
    {"values", "config"},
    {"transcript", "options", "clock"},
    {"listening", "process", "logs", "metrics", "exchange"},
    {"service", "archive"},
)
"""From the ground up: each imports from the layers below its own, and from nothing else."""

CORE = {module for layer in LAYERS[: LAYERS.index({"session"}) + 1] for module in layer}
OUTSIDE = ("socket", "twisted.internet.reactor", "twisted.internet.tcp", "twisted.application")
CLIENT_MAY = {"events", "lines", "names", "limits", "refusal", "text", "wires.plain"} | {
    "wires.structured"
}


def imports(path: Path) -> set[str]:
    """The modules that a file imports at its top, when it runs."""
    found: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return found


def ours(path: Path) -> set[str]:
    """The modules of ours that a file imports."""
    found = {name.removeprefix("twisted_chat.") for name in imports(path)}
    return {name for name in found if (PACKAGE / (name.replace(".", "/") + ".py")).exists()} | (
        {"stores"} & found
    )


def path_of(module: str) -> Path:
    """Where a module is."""
    path = PACKAGE / (module.replace(".", "/") + ".py")
    return path if path.exists() else PACKAGE / module / "__init__.py"


class LayerTests(SynchronousTestCase):
    def test_every_module_imports_only_from_below(self) -> None:
        below: set[str] = set()
        for layer in LAYERS:
            for module in layer:
                extra = ours(path_of(module)) - below - (layer - {module})
                self.assertEqual(extra, set(), f"{module} imports {extra}")
            below |= layer

    def test_every_module_has_its_place(self) -> None:
        known = {module for layer in LAYERS for module in layer}
        files = {
            path.relative_to(PACKAGE).with_suffix("").as_posix().replace("/", ".")
            for path in PACKAGE.rglob("*.py")
            if path.name != "__init__.py" and "client" not in path.parts
        }
        self.assertEqual(files - known, set())

    def test_the_core_knows_neither_reactor_nor_sockets(self) -> None:
        for module in CORE:
            for name in imports(path_of(module)):
                self.assertFalse(name.startswith(OUTSIDE), f"{module} imports {name}")

    def test_the_client_never_reaches_the_servers_core(self) -> None:
        for path in (PACKAGE / "client").glob("*.py"):
            extra = {name for name in ours(path) if not name.startswith("client")} - CLIENT_MAY
            self.assertEqual(extra, set(), f"{path.name} imports {extra}")

    def test_twisteds_own_package_is_not_shadowed(self) -> None:
        root = PACKAGE.parent / "twisted"
        self.assertFalse((root / "__init__.py").exists())
        self.assertFalse((root / "plugins" / "__init__.py").exists())
