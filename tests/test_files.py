"""Files that people send to a room: what is shown, what is kept, and what goes when."""

from dataclasses import replace
from hashlib import sha256

from tests.sharing import PNG, WHERE, SharingTestCase
from twisted_chat import Limits, Observer
from twisted_chat.chat.observers import Observers
from twisted_chat.events import Event, File
from twisted_chat.limits import Size
from twisted_chat.refusal import Refused
from twisted_chat.text.counted import in_bytes
from twisted_chat.text.filenames import filename
from twisted_chat.text.media import media_type

GONE = "no longer available"


class SendingTests(SharingTestCase):
    def test_a_file_is_a_line_in_its_room_with_its_size_and_address(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        path = self.sends(bob, "report.pdf", b"x" * 1_234_567)
        shown = f"bob sent report.pdf (1.2 MB): {WHERE}{path}"
        self.assertEqual(alice.sees()[-1:], [shown])
        self.assertEqual(bob.sees(), [shown])  # the terminal has not shown it yet

    def test_another_room_is_named(self) -> None:
        alice, bob = self.joins("alice").types("/join dev"), self.joins("bob").types("/join dev")
        path = self.sends(bob, "a.txt", b"x")
        self.assertEqual(alice.sees()[-1], f"#dev bob sent a.txt (1 byte): {WHERE}{path}")

    def test_a_program_gets_it_as_an_event(self) -> None:
        program, bob = self.program("eve"), self.joins("bob")
        path = self.sends(bob, "cat.png", PNG)
        (event,) = program.gets("file")
        self.assertEqual(
            {key: event[key] for key in ("from", "name", "type", "size", "url", "until")},
            {
                "from": "bob",
                "name": "cat.png",
                "type": "image/png",
                "size": len(PNG),
                "url": WHERE + path,
                "until": "2026-09-21T15:13:20.000Z",
            },
        )
        self.assertEqual(event.keys() & {"digest", "person", "owner", "ends"}, set())

    def test_a_program_gets_the_address_to_send_to_beside_the_line(self) -> None:
        program = self.program("eve")
        program.asks(do="command", text="/upload", ref="u")
        (answer,) = program.gets("answer")
        self.assertEqual(answer["lines"][0], f"curl -T FILE {answer['url']}")
        status, body = self.puts(answer["url"].removeprefix(WHERE) + "a.txt", b"x")
        self.assertEqual((status, body.startswith(f"{WHERE}/file/")), (201, True))

    def test_it_is_on_the_disk_once_under_the_hash_of_its_content(self) -> None:
        bob, alice = self.joins("bob"), self.joins("alice")
        self.sends(bob, "one.txt", b"the same")
        self.sends(alice, "two.txt", b"the same")
        self.assertEqual(self.on_disk(), [sha256(b"the same").hexdigest()])
        self.assertEqual(self.folder.stat().st_mode & 0o777, 0o700)
        (path,) = self.folder.glob("?" * 64)
        self.assertEqual(path.stat().st_mode & 0o777, 0o600)

    def test_an_empty_file_is_a_file(self) -> None:
        path = self.sends(self.joins("bob"), "empty.txt", b"")
        self.assertEqual(self.gets(path)[::2], (200, b""))

    def test_it_is_there_after_a_restart(self) -> None:
        path = self.sends(self.joins("bob"), "a.txt", b"hello")
        self.restarts()
        self.assertEqual(self.gets(path)[::2], (200, b"hello"))
        self.assertIn(f"bob sent a.txt (5 bytes): {WHERE}{path}", self.connects_and_reads())

    def connects_and_reads(self) -> list[str]:
        return self.connects().types("newcomer").sees()

    def test_who_ignores_somebody_sees_none_of_their_files(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.types("/ignore bob").raw()
        self.sends(bob, "a.txt", b"x")
        self.assertEqual(alice.sees(), [])


class RightsTests(SharingTestCase):
    def test_who_may_not_speak_may_not_send_files(self) -> None:
        boss, bob = self.in_a_room_of_its_own()
        in_dev = self.is_offered(bob)
        bob.types("/join #lobby")
        in_the_lobby = self.is_offered(bob)
        bob.types("/join #dev").raw()
        boss.types("/mute bob noise").raw()
        self.assertTrue(
            bob.types("/upload").sees()[-1].startswith("!!! You are muted in #dev"),
        )
        status, why = self.puts(in_dev + "a.txt", b"x")
        self.assertEqual((status, why), (403, "You are muted in #dev by boss: noise."))
        self.assertEqual(self.puts(in_the_lobby + "a.txt", b"x")[0], 201)
        boss.types("/unmute bob", "/moderated on").raw()
        self.assertEqual(self.puts(in_dev + "a.txt", b"x")[0], 403)
        boss.types("/moderated off", "/freeze on").raw()
        self.assertEqual(self.puts(in_dev + "a.txt", b"x")[0], 403)
        self.assertEqual(len(self.on_disk()), 1)

    def test_in_a_slow_room_files_are_as_slow_as_messages(self) -> None:
        boss, bob = self.in_a_room_of_its_own()
        boss.types("/slow 30")
        first, second = self.is_offered(bob), self.is_offered(bob)
        self.assertEqual(self.puts(first + "a.txt", b"x")[0], 201)
        status, why = self.puts(second + "b.txt", b"y")
        self.assertEqual(status, 429)
        self.assertIn("#dev is slow", why)

    def test_who_has_left_sends_nothing(self) -> None:
        bob = self.joins("bob")
        path = self.is_offered(bob)
        bob.types("/quit")
        bob.closes()
        status, why = self.puts(path + "a.txt", b"x")
        self.assertEqual(status, 403)
        self.assertIn("has left the chat", why)
        self.assertEqual(self.on_disk(), [])

    def test_who_is_muted_while_the_file_comes_sends_nothing(self) -> None:
        boss, bob = self.in_a_room_of_its_own()
        path = self.is_offered(bob)
        asker = self.begins(path + "a.txt", b"hello", 2)
        boss.types("/mute bob").raw()
        asker.sends(b"llo")
        self.clock.advance(0)
        self.assertEqual(asker.gets()[0], 403)
        self.assertEqual(self.on_disk(), [])

    def test_observers_may_be_against_a_file(self) -> None:
        class Against(Observer):
            def check(self, event: Event) -> None:
                if isinstance(event, File) and event.name.endswith(".exe"):
                    raise Refused("no-programs", "No programs here.")

        self.patch(self.chat, "_observers", Observers([Against()]))
        bob = self.joins("bob")
        path = self.is_offered(bob)
        self.assertEqual(self.puts(path + "a.exe", b"x"), (403, "No programs here."))
        self.assertEqual(self.on_disk(), [])
        self.assertEqual(self.puts(path + "a.txt", b"x")[0], 201)


class DeletingTests(SharingTestCase):
    def test_its_author_takes_it_away_for_good(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        path = self.sends(bob, "a.txt", b"x")
        alice.raw()
        bob.types("/delete a.txt")
        self.assertEqual(alice.sees(), ["*** bob deleted a.txt in #lobby"])
        self.assertEqual(self.on_disk(), [])
        self.assertEqual(self.gets(path)[0], 404)
        self.assertIn(f"bob sent a.txt (1 byte): {GONE}", alice.types("/history").sees())
        self.assertIn(f"bob sent a.txt (1 byte): {GONE}", self.joins_and_reads("carol"))
        self.restarts()
        self.assertIn(f"bob sent a.txt (1 byte): {GONE}", self.joins_and_reads("carol"))
        self.assertEqual(self.gets(path)[0], 404)

    def joins_and_reads(self, nickname: str) -> list[str]:
        return self.connects().types(nickname).sees()

    def test_a_program_is_told_which_file_is_gone(self) -> None:
        eve, bob = self.program("eve"), self.joins("bob")
        self.sends(bob, "a.txt", b"x")
        bob.types("/delete a.txt")
        file, gone = eve.gets("file", "delete")
        self.assertEqual((gone["of"], gone["name"]), (file["id"], "a.txt"))
        eve.asks(do="history", room="#lobby", ref="h")
        (page,) = eve.gets("history")
        (deleted,) = [each for each in page["events"] if each["event"] == "file"]
        self.assertNotIn("url", deleted)

    def test_the_content_stays_while_somebody_else_has_sent_the_same(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        gone, kept = self.sends(bob, "a.txt", b"same"), self.sends(alice, "b.txt", b"same")
        bob.types("/delete a.txt")
        self.assertEqual((self.gets(gone)[0], self.gets(kept)[::2]), (404, (200, b"same")))
        self.restarts()
        self.assertEqual((self.gets(gone)[0], self.gets(kept)[::2]), (404, (200, b"same")))

    def test_the_last_of_several_of_one_name_goes_first(self) -> None:
        bob = self.joins("bob")
        first, last = self.sends(bob, "a.txt", b"1"), self.sends(bob, "a.txt", b"2")
        bob.types("/delete a.txt")
        self.assertEqual((self.gets(first)[0], self.gets(last)[0]), (200, 404))

    def test_others_may_not(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        path = self.sends(bob, "a.txt", b"x")
        alice.raw()
        (why,) = alice.types("/delete a.txt").sees()
        self.assertTrue(why.startswith("!!! Deleting the files of others is for operators"), why)
        self.assertEqual(self.gets(path)[0], 200)

    def test_an_operator_may_and_the_servers_log_has_it(self) -> None:
        boss, bob = self.in_a_room_of_its_own()
        path = self.sends(bob, "a.txt", b"x")
        boss.types("/delete a.txt")
        self.assertEqual(boss.sees()[-1], "*** boss deleted a.txt in #dev")
        self.assertEqual(self.gets(path)[0], 404)
        (act,) = self.successResultOf(self.chat.server_log.latest(1))
        self.assertEqual(getattr(act.event, "act", ""), "deleted a.txt in #dev")

    def test_nobody_keeps_others_from_deleting_by_sending_files_that_are_called_alike(self) -> None:
        program, bob, eve = self.program("carol"), self.joins("bob"), self.joins("eve")
        paths = [self.sends(bob, "a.txt", b"1"), self.sends(bob, "b.txt", b"2")]
        first, _ = program.gets("file")
        self.sends(eve, "b.txt", b"3")
        self.sends(eve, f"#{first['id']}", b"4")
        bob.types(f"/delete #{first['id']}", "/delete b.txt")
        self.assertEqual([self.gets(path)[0] for path in paths], [404, 404])

    def test_a_file_that_is_not_there_cannot_be_deleted(self) -> None:
        bob = self.joins("bob")
        self.assertEqual(
            bob.types("/delete a.txt").sees(),
            ["!!! There is no file a.txt in #lobby: give its whole name."],
        )


class KeepingTests(SharingTestCase):
    def test_an_old_file_ends(self) -> None:
        bob = self.joins("bob")
        path = self.sends(bob, "a.txt", b"x")
        self.time_passes(3599)
        self.assertEqual(self.gets(path)[0], 200)
        self.time_passes(2)
        self.assertEqual(self.gets(path)[0], 404)
        self.assertEqual(self.on_disk(), [])

    def test_files_end_in_time_after_a_restart_too(self) -> None:
        bob = self.joins("bob")
        paths = []
        for number in range(5):
            paths.append(self.sends(bob, f"{number}", bytes([number])))
            self.time_passes(100)
        self.restarts()
        self.time_passes(3600 - 250)
        self.assertEqual([self.gets(path)[0] for path in paths], [404, 404, 404, 200, 200])

    def test_a_file_that_ended_while_the_server_was_down_goes_at_the_start(self) -> None:
        path = self.sends(self.joins("bob"), "a.txt", b"x")
        self.stops()
        self.clock.advance(4000)
        self.starts()
        self.assertEqual((self.gets(path)[0], self.on_disk()), (404, []))

    def test_what_is_over_leaves_the_rooms_state_with_the_next_file(self) -> None:
        bob = self.joins("bob")
        self.sends(bob, "a.txt", b"x")
        self.time_passes(3601)
        self.sends(bob, "b.txt", b"y")
        names = [name for name in self.chat.lobby.state if name.startswith("file/")]
        self.assertEqual(len(names), 1)

    def test_what_a_crash_has_left_is_deleted_at_the_start(self) -> None:
        self.stops()
        (self.folder / ("0" * 64)).write_bytes(b"nobody's")
        (self.folder / ("0" * 32 + ".part")).write_bytes(b"half")
        (self.folder / "notes.txt").write_bytes(b"somebody's")
        self.starts()
        self.assertEqual(self.on_disk(), ["notes.txt"])

    def test_the_files_of_another_database_are_left_alone(self) -> None:
        self.sends(self.joins("bob"), "a.txt", b"x")
        theirs = self.on_disk()
        self.stops()
        self.path = self.path.with_name("other.sqlite")
        self.starts()
        path = self.sends(self.joins("bob"), "b.txt", b"y")
        self.restarts()
        self.assertLess(set(theirs), set(self.on_disk()))
        self.assertEqual(self.gets(path)[0], 200)

    def test_a_disk_that_was_full_at_the_first_start_keeps_no_deleted_files(self) -> None:
        self.stops()
        (self.folder / "epoch").write_text("")
        self.starts()
        bob = self.joins("bob")
        self.sends(bob, "a.txt", b"x")
        bob.types("/delete a.txt")
        self.assertEqual(self.on_disk(), [])

    def test_a_file_whose_content_is_lost_is_not_offered(self) -> None:
        path = self.sends(self.joins("bob"), "a.txt", b"x")
        self.stops()
        self.loses()
        self.starts()
        self.assertEqual(self.gets(path)[0], 404)
        self.assertIn(f"bob sent a.txt (1 byte): {GONE}", self.connects().types("carol").sees())


class ForEverTests(SharingTestCase):
    keep = None

    def test_a_file_may_be_kept_for_ever(self) -> None:
        eve, bob = self.program("eve"), self.joins("bob")
        path = self.sends(bob, "a.txt", b"x")
        self.clock.advance(10 * 365 * 86400)
        self.assertEqual(self.gets(path)[0], 200)
        self.assertNotIn("until", eve.gets("file")[0])


class QuotaTests(SharingTestCase):
    limits = replace(
        Limits(),
        file_size=Size(100_000),
        file_quota=Size(150_000),
        file_total=Size(250_000),
    )

    def test_a_file_that_is_too_large_is_refused(self) -> None:
        status, why = self.puts(self.is_offered(self.joins("bob")) + "a", b"x" * 100_001)
        self.assertEqual(
            (status, why),
            (413, "That file has 100 kB, and the limit is 100 kB: send a smaller one."),
        )

    def test_one_address_has_a_quota_and_deleting_makes_place(self) -> None:
        bob = self.joins("bob")
        self.sends(bob, "a", b"a" * 90_000)
        path = self.is_offered(bob)
        status, why = self.puts(path + "b", b"b" * 90_000)
        self.assertEqual(
            (status, why), (507, "Your files would take more than 150 kB: /delete some first.")
        )
        bob.types("/delete a")
        self.assertEqual(self.puts(path + "b", b"b" * 90_000)[0], 201)

    def test_all_together_have_one(self) -> None:
        for number in range(2):
            self.sends(
                self.joins(f"bob{number}", f"192.0.2.{number}"), "a", bytes([number]) * 90_000
            )
        path = self.is_offered(self.joins("bob2", "192.0.2.2"))
        status, why = self.puts(path + "a", b"2" * 90_000)
        self.assertEqual(status, 507)
        self.assertIn("All files here would take more than 250 kB", why)
        self.assertEqual(self.puts(path + "a", b"2" * 20_000)[0], 201)

    def test_the_same_content_takes_place_once_in_all(self) -> None:
        for number in range(4):
            self.sends(self.joins(f"bob{number}", f"192.0.2.{number}"), "a", b"a" * 90_000)

    def test_who_registers_has_no_second_quota(self) -> None:
        bob = self.joins("bob")
        self.sends(bob, "a", b"x" * 100_000)
        bob.types("/register correct horse").raw()
        for _ in range(2):
            status, why = self.puts(self.is_offered(bob) + "b", b"x" * 60_000)
            self.assertEqual((status, "Your files would take more" in why), (507, True))
            self.restarts()
            bob = self.connects().types("bob correct horse")
            bob.raw()
        self.sends(bob, "c", b"x" * 40_000)

    def test_the_quotas_hold_after_a_restart(self) -> None:
        self.sends(self.joins("bob"), "a", b"a" * 90_000)
        self.restarts()
        path = self.is_offered(self.joins("bob"))
        self.assertEqual(self.puts(path + "b", b"b" * 90_000)[0], 507)

    def test_many_small_files_take_place_too(self) -> None:
        bob = self.joins("bob")
        for number in range(9):
            self.sends(bob, f"{number}", f"{number}".encode())
            self.time_passes(5)
        self.assertEqual(self.puts(self.is_offered(bob) + "9", b"9")[0], 507)


class WithoutFilesTests(SharingTestCase):
    def test_a_server_that_takes_none_says_so(self) -> None:
        self.chat.files = None
        bob = self.joins("bob")
        self.assertEqual(
            bob.types("/upload", "/delete a").sees(),
            ["!!! This server takes no files: put it somewhere else."] * 2,
        )

    def test_a_server_without_a_web_address_says_what_is_missing(self) -> None:
        self.patch(self.files, "where", lambda: "")
        (why,) = self.joins("bob").types("/upload").sees()
        self.assertIn("--web-port", why)

    def test_nobody_asks_for_addresses_without_end(self) -> None:
        bob = self.joins("bob")
        for _ in range(8):
            self.is_offered(bob)
            self.time_passes(1)
        (why,) = bob.types("/upload").sees()
        self.assertTrue(why.startswith("!!! You have asked for 8 addresses"), why)
        self.time_passes(600)
        self.assertTrue(self.is_offered(bob))


class NameTests(SharingTestCase):
    def test_folders_are_no_part_of_a_name(self) -> None:
        for name, expected in {
            "report.pdf": "report.pdf",
            "../../etc/passwd": "passwd",
            "..\\..\\boot.ini": "boot.ini",
            "C:\\docs\\a.txt": "a.txt",
            "a/b/": "b",
            "..": "file",
            "": "file",
            "\u2800": "file",
            "x\u202egpj.exe": "xgpj.exe",
            "a" * 200 + ".tar": "a" * 76 + ".tar",
            " a b ": "a b",
        }.items():
            self.assertEqual(filename(name), expected)

    def test_a_name_that_cannot_be_displayed_is_refused(self) -> None:
        for name in ("a\nb", "\x1b[31m", "a" + "\u0301" * 100):
            self.assertRaises(Refused, filename, name)

    def test_a_traversing_path_is_a_name_like_any_other(self) -> None:
        bob = self.joins("bob")
        path = self.is_offered(bob)
        self.assertEqual(self.puts(path + "..%2f..%2fetc%2fpasswd", b"x")[0], 201)
        self.assertTrue(bob.sees()[-1].startswith("bob sent passwd (1 byte): "))

    def test_pictures_are_known_by_what_is_in_them(self) -> None:
        for name, head, expected in (
            ("a.png", PNG, "image/png"),
            ("a.txt", PNG, "image/png"),
            ("a.png", b"<svg>", "application/octet-stream"),
            ("a.svg", b"<svg>", "image/svg+xml"),
            ("a.html", b"<script>", "text/html"),
            ("a.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"),
            ("a.gif", b"GIF89a", "image/gif"),
            ("a", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
            ("report.pdf", b"%PDF", "application/pdf"),
            ("logs.tar.gz", b"\x1f\x8b", "application/octet-stream"),
            ("data:image/png,x", b"x", "application/octet-stream"),
        ):
            self.assertEqual(media_type(name, head), expected, name)

    def test_sizes_are_shown_as_people_say_them(self) -> None:
        for size, expected in {
            0: "0 bytes",
            1: "1 byte",
            999: "999 bytes",
            1000: "1.0 kB",
            12_345: "12 kB",
            999_400: "999 kB",
            999_600: "1.0 MB",
            1_234_567: "1.2 MB",
            2_000_000_000: "2.0 GB",
        }.items():
            self.assertEqual(in_bytes(size), expected)
