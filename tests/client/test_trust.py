"""Whether a server's certificate is to be trusted."""

import stat
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from twisted_chat.client.failed import Failed, Untrusted
from twisted_chat.client.trust import KnownServers, Trust, fingerprint

ONE = "SHA256:" + ":".join(["1A"] * 32)
OTHER = "SHA256:" + ":".join(["2B"] * 32)
HOME = "home:5000"

_AT_FIRST = "No authority vouches for home:5000, so its certificate is trusted from now on."


class TrustTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp()) / "twisted-chat" / "known_servers"
        self.told: list[str] = []

    def trust(self, server: str = HOME, pinned: str | None = None) -> Trust:
        """What somebody knows who starts the client again."""
        return Trust(server, KnownServers(self.path), self.told.append, pinned)

    def refuses(self, trust: Trust, shown: str) -> str:
        """What one reads whose client does not go on."""
        why = self.assertRaises(Untrusted, trust.check, shown, is_vouched_for=False)
        self.assertIn("Nothing was sent to it", str(why))
        return str(why)

    def test_at_first_the_fingerprint_is_shown_and_later_nothing(self) -> None:
        self.trust().check(ONE, is_vouched_for=False)
        self.assertEqual(
            self.told,
            [f"{_AT_FIRST} The server's log should show the same fingerprint: {ONE}"],
        )
        self.trust().check(ONE, is_vouched_for=False)
        self.assertEqual(len(self.told), 1)

    def test_a_changed_certificate_is_refused_each_time_with_what_to_do(self) -> None:
        self.trust().check(ONE, is_vouched_for=False)
        for _ in range(2):
            why = self.refuses(self.trust(), OTHER)
            self.assertIn("THE CERTIFICATE OF home:5000 HAS CHANGED", why)
            self.assertIn(f"delete the lines of home:5000 in {self.path}", why)
            self.assertTrue(ONE in why and OTHER in why)
        self.path.write_text("")  # as the sentence says
        self.trust().check(OTHER, is_vouched_for=False)

    def test_each_port_has_a_certificate_of_its_own(self) -> None:
        self.trust().check(ONE, is_vouched_for=False)
        self.trust("home:5001").check(OTHER, is_vouched_for=False)
        self.trust().check(ONE, is_vouched_for=False)
        self.trust("home:5001").check(OTHER, is_vouched_for=False)
        self.assertEqual(len(self.told), 2)

    def told_of(self, accepted: set[str]) -> Trust:
        """What holds for an address that only the server has named."""
        known = KnownServers(self.path)
        return Trust(HOME, known, self.told.append, accepted=accepted, is_named=False)

    def test_an_address_that_only_the_server_named_is_not_trusted_at_first(self) -> None:
        accepted: set[str] = set()
        why = self.assertRaises(Untrusted, self.told_of(accepted).check, ONE, is_vouched_for=False)
        self.assertIn("name it when you start", str(why))
        self.assertFalse(self.path.exists())
        self.told_of(accepted).check(ONE, is_vouched_for=True)

    def test_it_is_trusted_with_the_certificate_that_the_chat_has_elsewhere(self) -> None:
        accepted: set[str] = set()
        Trust("away:5000", None, self.told.append, accepted=accepted).check(
            ONE, is_vouched_for=False
        )
        self.told_of(accepted).check(ONE, is_vouched_for=False)
        self.assertRaises(Untrusted, self.told_of(accepted).check, OTHER, is_vouched_for=False)

    def test_the_same_certificate_at_another_address_needs_no_word(self) -> None:
        accepted: set[str] = set()
        for server in (HOME, "away:5000"):
            known = KnownServers(self.path)
            Trust(server, known, self.told.append, accepted=accepted).check(
                ONE, is_vouched_for=False
            )
        self.assertEqual(len(self.told), 1)
        self.refuses(self.trust("away:5000"), OTHER)

    def test_what_only_the_server_named_is_not_kept(self) -> None:
        self.told_of({ONE}).check(ONE, is_vouched_for=False)
        self.assertFalse(self.path.exists())

    def test_it_is_trusted_if_it_is_known_from_before(self) -> None:
        self.trust().check(ONE, is_vouched_for=False)
        self.told_of(set()).check(ONE, is_vouched_for=False)
        self.refuses(self.told_of(set()), OTHER)

    def test_what_an_authority_vouches_for_may_change_without_a_word(self) -> None:
        for shown in (ONE, OTHER, ONE):
            self.trust().check(shown, is_vouched_for=True)
        self.assertEqual(self.told, [])
        self.assertEqual(self.path.read_text(), "home:5000 authority\n")

    def test_a_server_that_an_authority_vouched_for_cannot_do_without_one_later(self) -> None:
        self.trust().check(ONE, is_vouched_for=True)
        self.assertIn("NO AUTHORITY VOUCHES FOR home:5000", self.refuses(self.trust(), ONE))

    def test_a_server_that_was_trusted_may_have_an_authority_later(self) -> None:
        self.trust().check(ONE, is_vouched_for=False)
        self.trust().check(OTHER, is_vouched_for=True)
        self.refuses(self.trust(), ONE)

    def test_a_pinned_fingerprint_alone_counts_and_is_not_kept(self) -> None:
        self.trust(pinned=ONE).check(ONE, is_vouched_for=False)
        self.assertIn("--fingerprint", self.refuses(self.trust(pinned=ONE), OTHER))
        vouched = self.trust(pinned=ONE)
        self.assertRaises(Untrusted, vouched.check, OTHER, is_vouched_for=True)
        self.assertFalse(self.path.exists())
        self.assertEqual(self.told, [])

    def test_nobody_else_may_read_the_file(self) -> None:
        self.trust().check(ONE, is_vouched_for=False)
        self.assertEqual(stat.S_IMODE(self.path.stat().st_mode), 0o600)
        self.assertEqual(stat.S_IMODE(self.path.parent.stat().st_mode), 0o700)

    def test_a_file_with_other_lines_in_it_is_understood(self) -> None:
        self.path.parent.mkdir(parents=True)
        self.path.write_bytes(b"# mine\n\n\xff\xfe x y z\n" + f"{HOME} {ONE}\nx\n".encode())
        self.trust().check(ONE, is_vouched_for=False)
        self.refuses(self.trust(), OTHER)

    def test_a_file_that_cannot_be_read_ends_it(self) -> None:
        self.path.mkdir(parents=True)
        why = self.assertRaises(Untrusted, self.trust().check, ONE, is_vouched_for=False)
        self.assertIn(f"Cannot read {self.path}", str(why))

    def test_where_nothing_can_be_kept_one_is_told_and_a_change_is_still_noticed(self) -> None:
        self.path.parent.parent.mkdir(parents=True)
        self.path.parent.write_text("")  # a file where the folder should be
        for known in (None, KnownServers(self.path)):
            trust = Trust(HOME, known, self.told.append)
            trust.check(ONE, is_vouched_for=False)
            self.assertIn("trusted this time (", self.told.pop())
            trust.check(ONE, is_vouched_for=False)
            self.assertEqual(self.told, [])
            self.refuses(trust, OTHER)

    def test_who_does_not_speak_tls_is_a_mistake_at_first_and_an_alarm_later(self) -> None:
        why = self.trust().without_tls()
        self.assertEqual(str(why), "home:5000 is not a TLS server: leave out --tls")
        self.assertNotIsInstance(why, Untrusted)
        self.trust().check(ONE, is_vouched_for=False)
        for trust in (self.trust(), self.trust("new:5000", pinned=ONE)):
            alarm = trust.without_tls()
            self.assertIsInstance(alarm, Untrusted)
            self.assertIn("DOES NOT SPEAK TLS", str(alarm))
            self.assertIsInstance(alarm, Failed)


class FingerprintTests(SynchronousTestCase):
    def test_it_may_be_written_in_all_the_usual_ways(self) -> None:
        for text in (ONE, ONE.lower(), ONE.replace(":", "").replace("256", "256:"), f" {ONE}\n"):
            self.assertEqual(fingerprint(text), ONE)

    def test_anything_else_is_refused(self) -> None:
        for text in ("", "1A" * 32, ONE[:-3], f"{ONE}:1A", ONE.replace("1A", "XX"), f"{ONE}:"):
            self.assertRaises(ValueError, fingerprint, text)
