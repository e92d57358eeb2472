"""Files over HTTP: what is taken, what is refused and when, and how they are served."""

import resource
from collections.abc import Callable
from typing import TypeVar

from twisted.internet.defer import Deferred, fail
from twisted.web.http import HTTPChannel

from tests.browsers import Asker
from tests.disk import Disk
from tests.people import at_once
from tests.sharing import PNG, WHERE, SharingTestCase, put

_T = TypeVar("_T")


class UploadTests(SharingTestCase):
    def setUp(self) -> None:
        """Bob may send a file."""
        super().setUp()
        self.bob = self.joins("bob")
        self.offered = self.is_offered(self.bob)

    def test_an_address_is_good_for_one_file(self) -> None:
        self.assertEqual(self.puts(self.offered + "a.txt", b"x")[0], 201)
        status, why = self.puts(self.offered + "a.txt", b"x")
        self.assertEqual(status, 404)
        self.assertIn("/upload gives another one", why)

    def test_and_for_ten_minutes(self) -> None:
        self.clock.advance(601)
        self.assertEqual(self.puts(self.offered + "a.txt", b"x")[0], 404)

    def test_who_has_left_the_room_is_told_to_come_back(self) -> None:
        self.bob.types("/join dev")
        in_dev = self.is_offered(self.bob)
        self.bob.types("/leave dev")
        refused = (403, "You are not in #dev: /join #dev first.")
        self.assertEqual(self.puts(in_dev + "a.txt", b"x"), refused)
        self.bob.types("/join dev")
        self.assertEqual(self.puts(in_dev + "a.txt", b"x")[0], 201)

    def test_an_address_that_was_never_given_takes_nothing(self) -> None:
        for path in ("/upload/", "/upload/x", "/upload/x/a", "/upload/%00/a", "/upload//a"):
            self.assertEqual(self.puts(path, b"x")[0], 404, path)

    def test_two_cannot_send_to_one_address_at_once(self) -> None:
        first = self.begins(self.offered + "a.txt", b"hello", 3)
        self.assertEqual(self.puts(self.offered + "b.txt", b"x")[0], 404)
        first.sends(b"lo")
        self.clock.advance(0)
        self.assertEqual(first.gets()[0], 201)

    def test_post_is_as_good_as_put(self) -> None:
        data = put(self.offered + "a.txt", b"a=1&b=2").replace(b"PUT ", b"POST ", 1)
        form = data.replace(
            b"\r\n\r\n", b"\r\nContent-Type: application/x-www-form-urlencoded\r\n\r\n", 1
        )
        asker = Asker(self.web).sends(form)
        self.clock.advance(0)
        status, _, body = asker.gets()
        self.assertEqual(status, 201)
        self.assertEqual(self.gets(body.decode().strip().removeprefix(WHERE))[2], b"a=1&b=2")

    def test_a_form_is_no_file(self) -> None:
        for kind in ("multipart/form-data", "Multipart/Form-Data"):
            form = {"Content-Type": f"{kind}; boundary=x"}
            self.assertEqual(self.puts(self.offered + "a", b"--x--", form)[0], 415)

    def test_a_length_that_is_no_number_of_bytes_is_refused(self) -> None:
        endless = put(self.offered + "a", b"", {"Content-Length": "9" * 5000})
        self.assertEqual(Asker(self.web).sends(endless).gets()[0], 400)

    def test_headers_that_are_no_text_are_answered(self) -> None:
        odd = put(self.offered + "a", b"x", {"Content-Type": "?"}).replace(b"?", b"\xff")
        asker = Asker(self.web).sends(odd)
        self.clock.advance(0)
        status, _, body = asker.gets()
        self.assertEqual(status, 201)
        path = body.decode().strip().removeprefix(WHERE)
        whole = f"GET {path} HTTP/1.1\r\nHost: x\r\nRange: bytes=".encode() + b"\xff\r\n\r\n"
        self.assertEqual(Asker(self.web).sends(whole).gets()[0], 200)

    def test_what_is_no_upload_is_refused(self) -> None:
        for method in ("GET", "DELETE", "OPTIONS"):
            status, headers, _ = self.gets(self.offered + "a", method=method)
            self.assertEqual((status, headers["allow"]), (405, "PUT, POST"))

    def test_the_page_takes_nothing(self) -> None:
        for path in ("/", "/file/x", "/page/x", "/ws", "/uploads/x", "/UPLOAD/x"):
            asker = Asker(self.web).sends(put(path, b"x"))
            self.assertEqual(asker.gets()[0], 400, path)

    def test_a_file_without_its_length_is_refused(self) -> None:
        chunked = f"PUT {self.offered}a HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
        asker = Asker(self.web).sends(chunked.encode() + b"1\r\nx\r\n0\r\n\r\n")
        self.assertEqual(asker.gets()[0], 411)
        none = f"PUT {self.offered}a HTTP/1.1\r\nHost: x\r\n\r\n"
        self.assertEqual(Asker(self.web).sends(none.encode()).gets()[0], 411)
        self.assertEqual(self.on_disk(), [])

    def test_nothing_is_smuggled_behind_a_file(self) -> None:
        hidden = b"GET /ws HTTP/1.1\r\nHost: x\r\n\r\n"
        for headers in (
            {"Transfer-Encoding": "chunked"},
            {"Transfer-Encoding": "identity"},
            {"Content-Length ": "5"},
            {"content-length": "5"},
            {"Content-Length": "+5"},
            {"Content-Length": "5, 5"},
        ):
            data = put(self.offered + "a", b"", headers) + b"hello" + hidden
            asker = Asker(self.web).sends(data)
            self.clock.advance(0)
            self.assertEqual(asker.transport.value().count(b"HTTP/1.1 "), 1, headers)
            self.assertIn(asker.gets()[0], (400, 411), headers)
        self.assertEqual(self.on_disk(), [])

    def test_a_second_request_behind_a_file_is_not_heard(self) -> None:
        asker = Asker(self.web).sends(put(self.offered + "a", b"x") * 2)
        self.clock.advance(0)
        self.assertEqual(asker.transport.value().count(b"HTTP/1.1 "), 1)
        self.assertTrue(asker.is_gone)


class EarlyTests(SharingTestCase):
    """Files that are refused before they come."""

    def setUp(self) -> None:
        """Bob has an address, and a file that is too large."""
        super().setUp()
        self.offered = self.is_offered(self.joins("bob"))
        self.head = (
            f"PUT {self.offered}a HTTP/1.1\r\nHost: x\r\nContent-Length: 11000000\r\n"
        ).encode()

    def test_a_large_file_is_refused_by_its_length_alone(self) -> None:
        asker = Asker(self.web).sends(self.head + b"\r\n")
        status, headers, body = asker.gets()
        self.assertEqual((status, headers["connection"]), (413, "close"))
        self.assertEqual(
            body, b"That file has 11 MB, and the limit is 10 MB: send a smaller one.\n"
        )
        self.assertFalse(asker.is_gone)  # or the answer could be lost with what is under way

    def test_who_asks_before_sending_is_not_told_to_go_on(self) -> None:
        asker = Asker(self.web).sends(self.head + b"Expect: 100-continue\r\n\r\n")
        self.assertEqual(asker.transport.value().count(b"HTTP/1.1 "), 1)
        self.assertEqual(asker.gets()[0], 413)

    def test_who_asks_and_may_is_told_to_go_on(self) -> None:
        data = put(self.offered + "a", b"x", {"Expect": "100-continue"})
        asker = Asker(self.web).sends(data[:-1])
        self.assertEqual(asker.transport.value(), b"HTTP/1.1 100 Continue\r\n\r\n")

    def test_what_is_under_way_is_thrown_away(self) -> None:
        asker = Asker(self.web).sends(self.head + b"\r\n" + b"x" * 100_000)
        for _ in range(100):
            asker.sends(b"x" * 110_000)
        asker.sends(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        self.assertEqual(asker.transport.value().count(b"HTTP/1.1 "), 1)
        self.assertEqual(self.on_disk(), [])

    def test_who_goes_on_sending_is_disconnected(self) -> None:
        asker = Asker(self.web).sends(self.head + b"\r\n")
        for _ in range(20):
            self.time_passes(1)
            asker.sends(b"x" * 1000)
        self.assertTrue(asker.is_gone)


class InterruptedTests(SharingTestCase):
    def setUp(self) -> None:
        """Bob may send a file."""
        super().setUp()
        self.offered = self.is_offered(self.joins("bob"))

    def test_half_a_file_leaves_nothing_and_can_be_sent_again(self) -> None:
        asker = self.begins(self.offered + "a.txt", b"hello", 2)
        self.assertEqual(len(self.on_disk()), 1)
        asker.channel.connectionLost()
        self.assertEqual(self.on_disk(), [])
        self.assertEqual(self.puts(self.offered + "a.txt", b"hello")[0], 201)

    def test_a_slow_sender_is_disconnected(self) -> None:
        asker = self.begins(self.offered + "a.txt", b"x" * 100, 1)
        for _ in range(21):
            self.time_passes(1)
            asker.sends(b"x")
        self.assertTrue(asker.is_gone)
        asker.channel.connectionLost()
        self.assertEqual(self.on_disk(), [])

    def test_a_large_file_has_its_time_also_with_breaks(self) -> None:
        asker = self.begins(self.offered + "a", b"x" * 5_000_000, 1)
        for _ in range(10):
            self.time_passes(50)
            asker.sends(b"x")
        self.assertFalse(asker.is_gone)
        self.time_passes(20)
        self.assertTrue(asker.is_gone)

    def test_a_sender_who_is_silent_for_a_minute_makes_room_for_others(self) -> None:
        eve = self.joins("eve")
        paths = [self.offered, *(self.is_offered(eve) for _ in range(3))]
        askers = [self.begins(path + "a", b"x" * 5_000_000, 1) for path in paths]
        another = self.is_offered(eve) + "a"
        self.time_passes(59)
        self.assertEqual(self.puts(another, b"hello")[0], 429)
        askers[0].sends(b"x")
        self.time_passes(1)
        self.assertEqual([each.is_gone for each in askers], [False, True, True, True])
        for each in askers[1:]:
            each.channel.connectionLost()
        self.assertEqual(self.puts(another, b"hello")[0], 201)

    def test_one_address_sends_four_at_once(self) -> None:
        bob = self.joins("eve")
        paths = [self.is_offered(bob) for _ in range(5)]
        for path in paths[:4]:
            self.begins(path + "a", b"hello", 2)
        status, why = self.puts(paths[4] + "a", b"hello")
        self.assertEqual(
            (status, why), (429, "Too many files are being sent: try again in a moment.")
        )
        alice = self.is_offered(self.joins("alice", "192.0.2.1"))
        self.assertEqual(self.puts(alice + "a", b"hello")[0], 201)

    def test_uploads_do_not_give_way_to_requests(self) -> None:
        asker = self.begins(self.offered + "a.txt", b"hello", 2)
        self.time_passes(10)
        for _ in range(300):
            Asker(self.web, "127.0.0.1")
        self.assertFalse(asker.is_gone)


class FullDisk:
    """A disk that is full from some moment on."""

    def __init__(self) -> None:
        self.is_full = False

    def __call__(self, work: Callable[[], _T]) -> Deferred[_T]:
        """Do some work, if it is about what is there already."""
        if self.is_full and getattr(work, "__qualname__", "").startswith("Incoming.write"):
            return fail(OSError(28, "No space left on device"))
        return at_once(work)


class FullDiskTests(SharingTestCase):
    def setUp(self) -> None:
        """Bob may send a file."""
        self.elsewhere = self.disk = FullDisk()
        super().setUp()
        self.offered = self.is_offered(self.joins("bob"))

    def test_a_disk_that_is_full_in_the_middle_is_said_and_leaves_nothing(self) -> None:
        asker = self.begins(self.offered + "a", b"x" * 200_000, 100_000)
        self.disk.is_full = True
        asker.sends(b"x" * 50_000)
        status, _, body = asker.gets()
        self.assertEqual(status, 507)
        self.assertIn(b"No space left on device", body)
        asker.sends(b"x" * 50_000)
        self.assertEqual((asker.transport.value(), self.on_disk()), (b"", []))
        self.disk.is_full = False
        self.assertEqual(self.puts(self.offered + "a", b"x")[0], 201)

    def test_a_content_that_lacks_a_piece_is_never_taken_for_a_whole_one(self) -> None:
        incoming = self.files.contents.begin()
        most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, most[1]))
        try:
            self.failureResultOf(incoming.write(b"x" * 100_000), OSError)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, most)
        self.failureResultOf(incoming.end(), OSError)
        incoming.drop()
        self.assertEqual(self.on_disk(), [])


class SlowDiskTests(SharingTestCase):
    def setUp(self) -> None:
        """Bob may send a file, which is written when the test says so."""
        self.elsewhere = self.disk = Disk()
        self.addCleanup(self.the_disk_works)
        super().setUp()
        self.bob = self.joins("bob")
        self.offered = self.is_offered(self.bob)

    def the_disk_works(self) -> None:
        while self.disk.is_busy:
            self.disk.turns()
            self.disk.is_heard()
            self.clock.advance(0)

    def test_no_more_is_read_than_the_disk_takes(self) -> None:
        asker = self.begins(self.offered + "a", b"x" * 1_000_000, 0)
        for _ in range(4):
            asker.sends(b"x" * 60_000)
        self.assertEqual(asker.transport.producerState, "producing")
        asker.sends(b"x" * 60_000)
        self.assertEqual(asker.transport.producerState, "paused")
        self.the_disk_works()
        self.assertEqual(asker.transport.producerState, "producing")

    def test_who_waits_for_the_disk_is_not_silent(self) -> None:
        asker = self.begins(self.offered + "a", b"x" * 1_000_000, 0)
        for _ in range(5):
            asker.sends(b"x" * 60_000)
        self.time_passes(90)
        self.assertFalse(asker.is_gone)
        self.the_disk_works()
        self.time_passes(10)
        asker.sends(b"x" * 700_000)
        self.time_passes(10)
        self.the_disk_works()
        self.assertEqual(asker.gets()[0], 201)

    def test_a_file_is_shown_once_it_is_safe(self) -> None:
        eve = self.program("eve")
        asker = Asker(self.web).sends(put(self.offered + "a", b"hello"))
        self.assertEqual((asker.transport.value(), eve.gets("file")), (b"", []))
        self.the_disk_works()
        self.assertEqual(len(eve.gets("file")), 1)
        self.assertEqual(asker.gets()[0], 201)

    def test_what_somebody_else_is_just_sending_is_not_deleted(self) -> None:
        alice = self.joins("alice")
        Asker(self.web).sends(put(self.offered + "a", b"same"))
        self.the_disk_works()
        Asker(self.web).sends(put(self.is_offered(alice) + "b", b"same"))
        for _ in range(2):  # it is written, and its hash is known
            self.disk.turns()
            self.disk.is_heard()
        self.bob.types("/delete a")
        self.the_disk_works()
        kept = self.files.in_room("#lobby", "b", "")
        assert kept is not None
        self.assertEqual(self.on_disk(), [kept[1].digest])


class DownloadTests(SharingTestCase):
    def setUp(self) -> None:
        """Bob has sent a picture and a page."""
        super().setUp()
        bob = self.joins("bob")
        self.picture = self.sends(bob, "cät.png", PNG)
        self.page = self.sends(bob, "evil.html", b"<script>alert(1)</script>")

    def test_a_page_is_never_shown_by_a_browser(self) -> None:
        _, headers, _ = self.gets(self.page)
        self.assertEqual(headers["content-type"], "application/octet-stream")
        self.assertEqual(headers["content-disposition"], "attachment; filename*=UTF-8''evil.html")
        self.assertEqual(headers["x-content-type-options"], "nosniff")
        self.assertIn("sandbox", headers["content-security-policy"])
        self.assertNotIn("script-src", headers["content-security-policy"])

    def test_a_picture_is_shown(self) -> None:
        status, headers, body = self.gets(self.picture)
        self.assertEqual((status, headers["content-type"], body), (200, "image/png", PNG))
        self.assertEqual(headers["content-disposition"], "inline; filename*=UTF-8''c%C3%A4t.png")
        self.assertIn("sandbox", headers["content-security-policy"])

    def test_an_address_cannot_be_guessed(self) -> None:
        key = self.picture.split("/")[2]
        self.assertGreaterEqual(len(key), 22)
        for path in (
            f"/file/{key[:-1]}/cat.png",
            f"/file/{key[:-1]}{'B' if key[-1] == 'A' else 'A'}/x",
            "/file/",
            "/file//cat.png",
        ):
            self.assertEqual(self.gets(path)[0], 404, path)

    def test_the_name_in_an_address_does_not_matter(self) -> None:
        self.assertEqual(self.gets(self.picture.rpartition("/")[0] + "/other")[2], PNG)

    def test_a_file_never_changes(self) -> None:
        _, headers, _ = self.gets(self.picture)
        self.assertIn("immutable", headers["cache-control"])
        status, _, body = self.gets(self.picture, {"If-None-Match": headers["etag"]})
        self.assertEqual((status, body), (304, b""))

    def test_head_tells_the_length(self) -> None:
        status, headers, body = self.gets(self.picture, method="HEAD")
        self.assertEqual((status, headers["content-length"], body), (200, str(len(PNG)), b""))

    def test_one_part_can_be_had(self) -> None:
        size = len(PNG)
        for wanted, begin, end in (
            ("bytes=0-0", 0, 1),
            ("bytes=1-3", 1, 4),
            ("bytes=8-", 8, size),
            ("bytes=-4", size - 4, size),
            ("bytes=-999", 0, size),
            ("bytes=1-999999", 1, size),
        ):
            status, headers, body = self.gets(self.picture, {"Range": wanted})
            self.assertEqual(body, PNG[begin:end], wanted)
            self.assertEqual(int(headers["content-length"]), end - begin)
            if (begin, end) != (0, size):
                self.assertEqual(status, 206)
                self.assertEqual(headers["content-range"], f"bytes {begin}-{end - 1}/{size}")

    def test_many_parts_and_nonsense_are_all_of_it(self) -> None:
        for wanted in (
            "bytes=" + ",".join(f"{n}-" for n in range(500)),
            "bytes=5-2",
            "bytes=-",
            "bytes=a-b",
            "lines=1-2",
            "bytes=1-2-3",
            "bytes=" + "9" * 30 + "-",
        ):
            status, _, body = self.gets(self.picture, {"Range": wanted})
            self.assertEqual((status, body), (200, PNG), wanted[:40])

    def test_what_is_beyond_the_end_cannot_be_had(self) -> None:
        for wanted in ("bytes=999-", "bytes=-0"):
            status, headers, _ = self.gets(self.picture, {"Range": wanted})
            self.assertEqual((status, headers["content-range"]), (416, f"bytes */{len(PNG)}"))
            self.assertEqual(headers["cache-control"], "no-cache")

    def test_a_part_of_another_file_is_all_of_this_one(self) -> None:
        other = {"Range": "bytes=1-2", "If-Range": '"other"'}
        self.assertEqual(self.gets(self.picture, other)[::2], (200, PNG))

    def test_it_is_sent_no_faster_than_it_is_read(self) -> None:
        path = self.sends(self.joins("eve"), "large", b"x" * 1_000_000)
        asker = Asker(self.web)
        asker.channel.pauseProducing()  # as the transport does when its buffer is full
        asker.asks(path)
        self.assertLess(len(asker.transport.value()), 70_000)
        asker.channel.resumeProducing()
        self.assertEqual(len(asker.gets()[2]), 1_000_000)

    def test_a_client_that_never_reads_is_disconnected(self) -> None:
        path = self.sends(self.joins("eve"), "large", b"x" * 1_000_000)
        asker = Asker(self.web)
        asker.channel.pauseProducing()
        asker.asks(path)
        self.time_passes(119)
        self.assertFalse(asker.is_gone)
        self.time_passes(2)
        self.assertTrue(asker.is_gone)
        asker.channel.connectionLost()

    def test_a_file_that_the_disk_has_lost_ends_the_connection(self) -> None:
        for each in self.folder.glob("?" * 64):
            each.write_bytes(b"")
        asker = Asker(self.web).asks(self.picture)
        self.assertTrue(asker.is_gone)

    def test_several_can_be_had_over_one_connection(self) -> None:
        asker = Asker(self.web)
        for _ in range(3):
            self.assertEqual(asker.asks(self.picture).gets()[2], PNG)
        self.assertIsInstance(asker.channel, HTTPChannel)
