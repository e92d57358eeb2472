"""What the package is made of."""

import re
import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from hatchling.builders.wheel import WheelBuilder
from twisted.trial.unittest import SynchronousTestCase

ROOT = Path(__file__).parent.parent


class PackageTests(SynchronousTestCase):
    def test_the_folder_of_the_plugin_does_not_hide_twisted(self) -> None:
        self.assertEqual(list((ROOT / "twisted").rglob("__init__.py")), [])

    def test_a_wheel_has_the_chat_and_its_plugin_and_nothing_that_a_run_has_left(self) -> None:
        cache = ROOT / "twisted" / "plugins" / "dropin.cache"
        if not cache.exists():  # as after any run from the checkout
            cache.write_bytes(b"")
            self.addCleanup(cache.unlink)
        with TemporaryDirectory() as folder:
            (wheel,) = WheelBuilder(str(ROOT)).build(directory=folder)
            names = zipfile.ZipFile(wheel).namelist()
        packaged = [name for name in names if ".dist-info/" not in name]
        self.assertIn("twisted/plugins/twisted_chat_plugin.py", packaged)
        self.assertIn("twisted_chat/py.typed", packaged)
        self.assertEqual([name for name in packaged if "__pycache__" in name], [])
        self.assertNotIn("twisted/plugins/dropin.cache", packaged)
        sources = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("twisted_chat/**/*.py")}
        page = {path.relative_to(ROOT).as_posix() for path in ROOT.glob("twisted_chat/page/*")}
        self.assertIn("twisted_chat/page/index.html", page)
        self.assertEqual((sources | page) - set(packaged), set())

    def test_the_page_names_all_its_modules_and_nothing_else(
        self,
    ) -> None:
        page = ROOT / "twisted_chat" / "page"
        asked = set(re.findall(r'(?:href|src)="/page/([^"]+)"', (page / "index.html").read_text()))
        there = {path.name for path in page.iterdir()}
        self.assertEqual({name for name in there if name.endswith(".js")} - asked, set())
        self.assertEqual(asked - there, set())
