"""What an operator does with the files that people sent."""

import contextlib
import io
import json
from hashlib import sha256

from tests.sharing import SharingTestCase
from twisted_chat.service.archive import run

HELLO, SAME = sha256(b"hello").hexdigest(), sha256(b"same").hexdigest()


class KeptFilesTests(SharingTestCase):
    keep = None

    def setUp(self) -> None:
        """Alice has sent a file and bob two, one of which is the same; the server has stopped."""
        super().setUp()
        bob = self.joins("bob", "192.0.2.7")
        self.sends(bob, "secret.txt", b"hello")
        self.sends(bob, "same.txt", b"same")
        self.sends(self.joins("alice"), "mine.txt", b"same")
        self.stops()

    def archive(self, *arguments: str, status: int = 0) -> tuple[str, str]:
        """What the command writes and says."""
        output, errors = io.TextIOWrapper(io.BytesIO()), io.StringIO()
        with contextlib.redirect_stdout(output), contextlib.redirect_stderr(errors):
            self.assertEqual(run(["--db", str(self.path), *arguments]), status, errors.getvalue())
        output.flush()
        buffer = output.buffer
        assert isinstance(buffer, io.BytesIO)
        return buffer.getvalue().decode(), errors.getvalue()

    def test_a_backup_has_them_and_can_be_restored(self) -> None:
        copy = self.path.with_name("copy.sqlite")
        _, told = self.archive("backup", str(copy))
        folder = self.path.with_name("copy.files")
        self.assertEqual(told, f"copied to {copy} and {folder}\n")
        self.assertEqual({each.name for each in folder.iterdir()}, {HELLO, SAME})
        self.assertEqual(folder.stat().st_mode & 0o777, 0o700)
        for each in folder.iterdir():
            self.assertEqual(each.stat().st_mode & 0o777, 0o600)
        self.path, self.folder = copy, folder
        self.starts()
        (line,) = (line for line in self.connects().types("eve").sees() if "secret.txt" in line)
        self.assertEqual(self.gets(line.partition("http://chat.example")[2])[2], b"hello")

    def test_no_backup_overwrites_another(self) -> None:
        self.path.with_name("copy.files").mkdir()
        told = self.archive("backup", str(self.path.with_name("copy.sqlite")), status=1)[1]
        self.assertIn("copy.files exists already", told)
        self.assertFalse(self.path.with_name("copy.sqlite").exists())

    def test_an_export_says_where_they_are(self) -> None:
        exported, told = self.archive("export")
        self.assertIn(f"the contents of 3 files are in {self.folder}", told)
        digests = {json.loads(line)["digest"] for line in exported.splitlines()}
        self.assertEqual(digests, {HELLO, SAME})

    def test_what_is_exported_can_be_imported_beside_the_contents(self) -> None:
        export = self.path.with_name("chat.ndjson")
        export.write_text(self.archive("export")[0])
        self.path = self.path.with_name("new.sqlite")
        self.archive("import", str(export))
        self.starts()
        (line,) = (line for line in self.connects().types("eve").sees() if "secret.txt" in line)
        self.assertEqual(self.gets(line.partition("http://chat.example")[2])[2], b"hello")

    def test_a_strange_import_harms_nobody(self) -> None:
        export = self.path.with_name("chat.ndjson")
        things = [json.loads(line) for line in self.archive("export")[0].splitlines()]
        things[0]["digest"] = "../../etc/passwd"
        things[1]["url"] = "javascript:alert(1)"
        things[2]["owner"] = {}
        export.write_text("".join(json.dumps(thing) + "\n" for thing in things))
        self.path = self.path.with_name("new.sqlite")
        self.archive("import", str(export))
        self.starts()
        shown = "\n".join(self.connects().types("eve").sees())
        self.assertNotIn("javascript", shown)
        self.assertEqual(shown.count("no longer available"), 2)

    def test_a_number_that_is_none_is_not_imported(self) -> None:
        export = self.path.with_name("chat.ndjson")
        things = [json.loads(line) for line in self.archive("export")[0].splitlines()]
        for size in (-1, "5", None, 1.5, True):
            export.write_text(json.dumps(things[0] | {"size": size}))
            self.path = self.path.with_name("new.sqlite")
            told = self.archive("import", str(export), status=1)[1]
            self.assertIn("the size must be a whole number", told)

    def test_check_finds_contents_that_are_missing(self) -> None:
        (self.folder / HELLO).unlink()
        told = self.archive("check", status=1)[1]
        self.assertIn(f"the contents of files are missing in {self.folder}: secret.txt", told)

    def test_check_does_not_mind_what_is_deleted_while_it_looks(self) -> None:
        (self.folder / ("0" * 64)).symlink_to("nowhere")  # listed, and then not there
        self.assertIn("is sound", self.archive("check")[1])

    def test_check_finds_contents_that_nobody_needs(self) -> None:
        (self.folder / ("0" * 64)).write_bytes(b"x")
        told = self.archive("check")[1]
        self.assertIn(f"in {self.folder}, 1 file that nobody needs will be deleted", told)

    def test_erasing_somebody_erases_their_files_but_not_those_of_others(self) -> None:
        told = self.archive("erase", "bob")[1]
        self.assertIn(", and 2 files", told)
        self.assertEqual(self.on_disk(), [SAME])
        self.assertIn("is sound", self.archive("check")[1])
        self.starts()
        shown = "\n".join(self.connects().types("eve").sees())
        self.assertNotIn("secret.txt", shown)
        self.assertIn("bob sent (erased) (5 bytes): no longer available", shown)
        self.assertIn("alice sent mine.txt (4 bytes): http://", shown)
        self.stops()
        for path in (self.path, *self.path.parent.glob("chat.sqlite-*")):
            self.assertNotIn(b"secret.txt", path.read_bytes())
            self.assertNotIn(b"192.0.2.7", path.read_bytes())

    def test_another_folder_can_be_named(self) -> None:
        elsewhere = self.folder.rename(self.path.with_name("elsewhere"))
        self.assertIn("missing", self.archive("check", status=1)[1])
        self.assertIn("is sound", self.archive("--files", str(elsewhere), "check")[1])
