"""Who speaks another protocol to a chat port is turned away, and nothing of it is shown."""

from tests.people import ChatTestCase

HELLO = bytes.fromhex("1603010200010001fc0303") + bytes(range(32))
STRANGERS = (
    (b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n", "web server"),
    (b"POST / HTTP/1.1\r\nHost: chat\r\n\r\nmallory\r\nhello\r\n", "web server"),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "web server"),
    (b"OPTIONS rtsp://chat/x RTSP/1.0\r\nCSeq: 1\r\n\r\n", "web server"),
    (HELLO, "TLS"),
    (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
    (b"CAP LS 302\r\nNICK mallory\r\nUSER mallory 0 * :m\r\n", "IRC"),
    (b"NICK mallory\r\n", "IRC"),
    (b"EHLO mallory.example\r\nMAIL FROM:<m@mallory.example>\r\n", "mail"),
    (b"PROXY TCP4 203.0.113.9 192.0.2.1 5 6\r\nmallory\r\n", "proxy"),
    (b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x0c\x7f\0\0\x01\x7f\0\0\x01\0\x01\0\x02mallory\r\n", "proxy"),
    (b"\x05\x01\0", "proxy"),
    (b"\x04\x01\x13\x88\x7f\0\0\x01\0", "proxy"),
    (b"\x10\x0e\x00\x04MQTT\x04\x02\x00\x3c\x00\x02me", "does not speak your"),
    (b"\0\0\0\x08\x04\xd2\x16/", "does not speak your"),
    (b"<?xml version='1.0'?><stream:stream to='chat'>\n", "does not speak your"),
    (b"*1\r\n$4\r\nPING\r\n", "does not speak your"),
)


class StrangerTests(ChatTestCase):
    def test_who_speaks_another_protocol_is_told_so_wherever_it_is_cut(self) -> None:
        alice = self.joins("alice")
        alice.raw()
        for data, word in STRANGERS:
            for cut in range(len(data)):
                stranger = self.connects()
                stranger.raw()
                stranger.sends(data[:cut])
                stranger.sends(data[cut:])
                answer = stranger.sees()[-1]
                self.assertTrue(answer.startswith("!!! This is a chat port"), (data, cut, answer))
                self.assertIn(word, answer)
                self.assertTrue(stranger.is_gone, data)
                stranger.closes()
        self.assertEqual(alice.raw(), "")

    def test_what_comes_byte_by_byte_is_no_different(self) -> None:
        for data, word in STRANGERS:
            stranger = self.connects()
            for byte in data:
                stranger.sends(bytes([byte]))
            self.assertIn(word, stranger.sees()[-1])
            self.assertTrue(stranger.is_gone)
            stranger.closes()

    def test_a_person_may_speak_of_these_things(self) -> None:
        alice, bob = self.joins("alice"), self.joins("bob")
        alice.raw()
        bob.types("GET / HTTP/1.1", "SSH-2.0 is old", "NICK me", "EHLO you", "*1")
        self.assertEqual(len(alice.sees()), 5)

    def test_names_that_look_like_the_beginning_of_something_are_names(self) -> None:
        for nickname in ("GET", "Post", "PING", "QUIT_", "ehlo", "SSH", "proxy", "xml"):
            self.joins(nickname)
