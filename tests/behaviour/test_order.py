"""Rooms are kept in order: people are removed, muted and banned, and rooms are locked."""

from tests.behaviour.rooms import OrderBehaviour
from tests.behaviour.seen import Here, Left, Noticed, Refusal, Said, Told
from tests.people import NOW
from twisted_chat import Pace
from twisted_chat.text.spans import moment

AN_HOUR = moment(NOW + 3600, NOW)


class KickTests(OrderBehaviour):
    def test_somebody_is_removed_and_everybody_reads_why(self) -> None:
        self.decides("/kick dan noise", who=self.bob)
        for person in (self.alice, self.carol):
            self.assert_sees(
                person,
                Noticed("bob removed dan from #dev: noise"),
                Left("dan", "removed by bob", "#dev"),
            )
        self.assertEqual(
            self.dan.sees(),
            [
                Noticed("bob removed dan from #dev: noise"),
                Noticed("You were removed from #dev by bob: noise"),
            ],
        )
        self.assert_sees(
            self.alice.does("/users"),
            Here(("alice (owner)", "bob (operator)", "carol (voiced)"), "#dev"),
        )

    def test_what_they_type_goes_nowhere_until_they_say_where(self) -> None:
        self.decides("/kick dan", who=self.bob)
        eve = self.comes("eve", "192.0.2.9")
        self.look_away(*self.everybody)
        for line in ("hello", "again"):
            refusal = (
                "You are not in #dev any more, so that was not done: /join #lobby to talk there."
            )
            self.assert_refused(self.dan.says(line), refusal)
        self.assert_refused(self.dan.does("/me waves"), "You are not in #dev any more")
        self.dan.does("/join lobby").says("hello")
        self.all_is_done()
        self.assertEqual(eve.sees(Said), [Said("dan", "hello")])

    def test_lines_that_wait_for_their_pace_are_not_said(self) -> None:
        self.factory.chat.limits.pace = Pace(2, 10)
        self.dan.says(*(f"line {number}" for number in range(8)))
        self.clock.advance(0)
        self.look_away(*self.everybody)
        self.decides("/kick dan", who=self.bob)
        self.time_passes(60)
        self.assertEqual(self.alice.sees(Said), [])
        self.assertEqual(len(self.dan.sees(Refusal)), 6)

    def test_they_may_come_back_at_once(self) -> None:
        self.decides("/kick dan", who=self.bob)
        self.decides("/join dev", who=self.dan)
        self.dan.says("I am back")
        self.all_is_done()
        self.assertIn(Said("dan", "I am back", "#dev"), self.alice.sees())

    def test_whoever_is_in_no_other_room_goes_to_the_lobby(self) -> None:
        self.decides("/leave lobby", who=self.dan)
        self.decides("/kick dan", who=self.bob)
        self.look_away(*self.everybody)
        self.assertEqual(
            self.alice.does("/users lobby").sees(), [Here(("alice", "bob", "carol", "dan"))]
        )

    def test_whoever_is_removed_from_the_lobby_and_is_nowhere_else_leaves_the_chat(self) -> None:
        self.has_account(self.alice, is_admin=True)
        eve = self.comes("eve", "192.0.2.9")
        self.decides("/join lobby", "/kick eve spam")
        self.assertTrue(eve.is_gone)
        self.assertIn(Left("eve", "removed by alice"), self.bob.sees())

    def test_whoever_is_not_in_the_room_is_not_removed(self) -> None:
        self.comes("eve", "192.0.2.9")
        self.assert_is_refused(self.bob, "/kick eve", "eve is not in #dev.")
        self.assert_is_refused(self.bob, "/kick nobody1", "There is nobody called nobody1")

    def test_a_storm_of_kicks_removes_each_once(self) -> None:
        for number in range(30):
            self.comes(f"x{number}", f"198.51.100.{number}").joins("dev")
        self.look_away(*self.everybody)
        for number in range(30):
            self.bob.does(f"/kick x{number}", f"/kick x{number}")
        self.decides("/users")
        self.time_passes(10)
        kicks = [each for each in self.carol.sees(Noticed) if "removed" in str(each)]
        self.assertEqual(len(kicks), len(set(map(str, kicks))))
        self.assertEqual(len(kicks), 30)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 4)


class MuteTests(OrderBehaviour):
    def test_an_operator_who_is_muted_does_not_end_it(self) -> None:
        self.decides("/mute bob")
        self.look_away(self.bob)
        self.decides("/unmute bob", who=self.bob)
        self.assert_refused(self.bob, "You cannot do that to yourself")
        self.decides("/unmute bob")
        self.look_away(self.alice, self.bob)
        self.bob.says("thanks")
        self.all_is_done()
        self.assertEqual(self.alice.sees(Said), [Said("bob", "thanks", "#dev")])

    def test_an_operator_who_is_muted_keeps_order_without_words(self) -> None:
        self.decides("/mute bob")
        for doing in ("/kick dan", "/mute dan 1h", "/ban dan 1h"):
            words = "You are muted in #dev by alice. You can do that without a reason"
            self.assert_is_refused(self.bob, f"{doing} you fools", words)
        for target in ("you-fools", "you-fools*"):
            words = "You can do that to people who are here"
            self.assert_is_refused(self.bob, f"/ban {target}", words)
        self.decides("/mute dan 1h", "/ban 192.0.2.99", "/kick carol", "/ban dan", who=self.bob)
        self.assertEqual(
            list(self.factory.chat.rooms["#dev"].members),
            [self.factory.chat.people.find(each).id for each in ("alice", "bob")],
        )

    def test_a_muted_person_is_told_why_and_until_when(self) -> None:
        self.decides("/mute dan 1h noise", who=self.bob)
        self.assert_sees(self.alice, Noticed(f"bob muted dan in #dev until {AN_HOUR}: noise"))
        words = f"You are muted in #dev until {AN_HOUR} by bob: noise."
        for doing in ("/me waves", "/topic tea"):
            self.assert_is_refused(self.dan, doing, words)
        self.look_away(self.dan)
        self.assert_refused(self.dan.says("hello"), words)
        self.time_passes(3601)
        self.dan.says("hello")
        self.all_is_done()
        self.assertIn(Said("dan", "hello", "#dev"), self.alice.sees())

    def test_another_nickname_does_not_help(self) -> None:
        self.decides("/mute dan", who=self.bob)
        self.dan.is_called("daniel")
        self.look_away(self.dan)
        self.assert_refused(self.dan.says("hello"), "You are muted in #dev by bob.")

    def test_leaving_and_entering_anew_does_not_help(self) -> None:
        self.decides("/mute dan", who=self.bob)
        self.decides("/leave dev", "/join dev", who=self.dan)
        self.look_away(self.dan)
        self.assert_refused(self.dan.says("hello"), "You are muted")

    def test_a_second_connection_without_an_account_does_not_help(self) -> None:
        before = self.comes("dan2", "192.0.2.4").joins("dev")
        self.look_away(before)
        self.decides("/mute dan", who=self.bob)
        self.assertIn(
            Told(
                "dan2 has the same address and no account, and is also muted by this: "
                "/voice NICK lets them speak."
            ),
            self.bob.sees(),
        )
        after = self.comes("dan3", "192.0.2.4").joins("dev")
        self.look_away(before, after)
        for second in (before, after):
            self.assert_refused(second.says("hello"), "You are muted in #dev by bob.")
        self.decides("/voice dan2", who=self.bob)
        before.says("I am somebody else")
        self.all_is_done()
        self.assertIn(Said("dan2", "I am somebody else", "#dev"), self.alice.sees())

    def test_logging_in_to_an_account_does_not_help(self) -> None:
        self.registers("eve")
        self.decides("/mute dan 1h noise", who=self.bob)
        self.look_away(*self.everybody)
        self.decides("/login eve correct horse", "/join dev", who=self.dan)
        told = Noticed(f"bob muted eve in #dev until {AN_HOUR}: noise")
        self.assertEqual(self.alice.sees(Noticed), [told])
        self.look_away(self.dan)
        self.assert_refused(self.dan.says("hello"), "You are muted in #dev until")
        again = self.connects("192.0.2.77").proves("eve", "correct horse")
        self.all_is_done()
        again.joins("dev")
        self.look_away(again)
        self.assert_refused(again.says("hello"), "You are muted in #dev until")
        self.decides("/unmute eve", who=self.bob)
        self.assertEqual(self.factory.chat.rooms["#dev"].order.count("mute/"), 0)

    def test_it_does_not_follow_to_somebody_above_the_one_who_muted(self) -> None:
        self.registers("eve")
        eve = self.connects("192.0.2.77").proves("eve", "correct horse")
        self.all_is_done()
        eve.joins("dev")
        self.all_is_done()
        self.decides("/op eve")
        self.decides("/mute dan", who=self.bob)
        self.decides("/login eve correct horse", "/join dev", who=self.dan)
        self.look_away(*self.everybody)
        self.dan.says("hello")
        self.all_is_done()
        self.assert_sees(self.alice, Said("eve", "hello", "#dev"))

    def test_a_mute_that_follows_leaves_that_of_a_namesake_as_it_was(self) -> None:
        self.registers("eve")
        self.decides("/mute dan", who=self.bob)
        self.dan.is_called("daniel")
        self.all_is_done()
        namesake = self.comes("dan", "192.0.2.5").joins("dev")
        self.all_is_done()
        self.decides("/mute dan 1m", who=self.bob)
        self.decides("/login eve correct horse", who=namesake)
        self.time_passes(61)
        self.look_away(self.dan)
        self.assert_refused(self.dan.says("hello"), "You are muted in #dev by bob.")

    def test_others_from_there_with_an_account_can_speak(self) -> None:
        eve = self.comes("eve", "192.0.2.4").joins("dev")
        self.has_account(eve)
        self.decides("/mute dan", who=self.bob)
        eve.says("hello")
        self.all_is_done()
        self.assertIn(Said("eve", "hello", "#dev"), self.alice.sees())

    def test_elsewhere_they_can_speak_and_whisper(self) -> None:
        self.decides("/mute dan", who=self.bob)
        self.dan.whispers("alice", "sorry").joins("lobby").says("hello")
        self.all_is_done()
        self.assertEqual(self.carol.sees(Said), [Said("dan", "hello")])
        self.assertEqual(self.dan.sees(Refusal), [])

    def test_notes_of_a_muted_person_are_not_heard(self) -> None:
        self.decides("/mute dan", who=self.bob)
        self.look_away(*self.everybody)
        self.dan.does("/away idiots", "/users")
        self.assertIn("dan (away: not here just now)", str(self.dan.sees()))
        self.dan.does("/quit idiots")
        self.all_is_done()
        self.assertNotIn("idiots", str(self.alice.sees()))

    def test_who_is_unmuted_speaks_again(self) -> None:
        self.decides("/mute dan", who=self.bob)
        self.dan.is_called("daniel")
        self.decides("/unmute daniel", who=self.bob)
        self.look_away(*self.everybody)
        self.dan.says("thanks")
        self.all_is_done()
        self.assert_sees(self.alice, Said("daniel", "thanks", "#dev"))

    def test_bans_lists_mutes_too(self) -> None:
        self.decides("/mute dan 1h noise", who=self.bob)
        self.time_passes(120)
        self.look_away(self.bob)
        self.assert_sees(
            self.bob.does("/bans"),
            Told(f"dan was muted 2 minutes ago until {AN_HOUR} by bob: noise"),
        )


class BanTests(OrderBehaviour):
    def test_a_banned_person_leaves_and_is_told_why_and_until_when(self) -> None:
        self.decides("/ban dan 1h spam", who=self.bob)
        self.assert_sees(
            self.alice,
            Noticed(f"bob banned dan from #dev until {AN_HOUR}: spam"),
            Left("dan", "removed by bob", "#dev"),
        )
        words = f"You are banned from #dev until {AN_HOUR} by bob: spam."
        self.assert_is_refused(self.dan, "/join dev", words)
        self.time_passes(3601)
        self.decides("/join dev", who=self.dan)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 4)

    def test_neither_another_nickname_nor_another_connection_helps(self) -> None:
        self.decides("/ban dan", who=self.bob)
        self.dan.is_called("daniel")
        self.all_is_done()
        self.assert_is_refused(self.dan, "/join dev", "You are banned from #dev by bob.")
        second = self.comes("eve", "192.0.2.4")
        self.assert_is_refused(second, "/join dev", "You are banned from #dev by bob.")
        named_so = self.comes("dan", "198.51.100.1")
        self.assert_is_refused(named_so, "/join dev", "You are banned from #dev by bob.")

    def test_others_from_there_who_are_in_the_room_or_have_an_account_stay_welcome(self) -> None:
        eve = self.comes("eve", "192.0.2.4").joins("dev")
        fay = self.comes("fay", "192.0.2.4")
        self.has_account(fay)
        self.decides("/ban dan", who=self.bob)
        self.decides("/join dev", who=fay)
        eve.says("I am still here")
        self.all_is_done()
        self.assertIn(Said("eve", "I am still here", "#dev"), fay.sees())

    def test_who_takes_a_banned_nickname_in_the_room_is_refused(self) -> None:
        self.decides("/ban eve", "/ban spam*", who=self.bob)
        for nickname in ("eve", "spammer"):
            words = f"{nickname} is banned from #dev: choose another nickname, or /leave that room"
            self.assert_is_refused(self.dan, f"/nick {nickname}", words)

    def test_who_is_banned_is_so_as_the_owner_of_an_account_too(self) -> None:
        self.registers("eve")
        self.decides("/ban dan 1h spam", who=self.bob)
        self.decides("/login eve correct horse", who=self.dan)
        words = f"You are banned from #dev until {AN_HOUR} by bob: spam."
        self.assert_is_refused(self.dan, "/join dev", words)
        self.decides("/unban eve", who=self.bob)
        self.decides("/join dev", who=self.dan)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 4)

    def test_an_account_is_banned_whether_or_not_it_is_here(self) -> None:
        self.has_account(self.dan)
        self.decides("/ban dan", who=self.bob)
        self.dan.is_called("daniel")
        self.all_is_done()
        self.assert_is_refused(self.dan, "/join dev", "You are banned from #dev by bob.")

    def test_a_ban_by_address_never_shows_it_to_the_room(self) -> None:
        self.decides("/ban 192.0.2.4 1d", who=self.bob)
        (told,) = self.bob.sees(Told)
        word = str(told).split("is called ")[1].split(" ")[0]
        self.assertRegex(word, r"^address-[0-9a-f]{6}$")
        for person in (self.alice, self.carol, self.dan):
            seen = str(person.sees())
            self.assertIn(f"bob banned {word} from #dev", seen)
            self.assertNotIn("192.0.2.4", seen)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 3)
        self.decides("/bans", "/settings", who=self.alice)
        self.assertNotIn("192.0.2.4", str(self.alice.sees()))
        self.assert_is_refused(self.dan, "/join dev", "You are banned from #dev")
        self.decides(f"/unban {word}")
        self.decides("/join dev", who=self.dan)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 4)

    def test_no_program_is_sent_what_a_ban_is_made_of(self) -> None:
        bot = self.program("bot", "198.51.100.9", seen={"#dev": 0})
        self.decides("/ban dan", "/mute bot", "/ban 198.51.100.77", who=self.bob)
        bot.asks(do="history", room="#dev")
        self.all_is_done()
        sent = bot.raw()
        self.assertIn('"event":"ban"', sent)
        for secret in (
            "192.0.2.4",
            "198.51.100.77",
            self.factory.chat.people.find("dan").id,
            "marks",
        ):
            self.assertNotIn(secret, sent)

    def test_a_mask_that_hits_many_is_told_in_few_lines_and_each_learns_of_it(self) -> None:
        trolls = [self.comes(f"troll{number}", f"198.51.100.{number}") for number in range(40)]
        for troll in trolls:
            troll.joins("dev")
        self.time_passes(60)
        self.look_away(*self.everybody, *trolls)
        self.decides("/ban troll* spam", who=self.bob)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 4)
        gone = {each.who for each in self.carol.sees(Left) if isinstance(each, Left)}
        self.assertTrue(gone)
        for troll in trolls:
            seen = troll.sees()
            self.assertIn(Noticed("You were removed from #dev by bob: spam"), seen)
            self.assert_refused(troll.says("hello"), "You are not in #dev any more")

    def test_a_network_and_a_mask_keep_out_whoever_fits(self) -> None:
        self.decides("/ban 203.0.113.0/24", "/ban troll*", who=self.bob)
        for nickname, host in (("eve", "203.0.113.7"), ("troll1", "198.51.100.1")):
            visitor = self.comes(nickname, host)
            self.assert_is_refused(visitor, "/join dev", "You are banned from #dev by bob.")
        self.comes("fay", "198.51.100.2").does("/join dev")
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 5)

    def test_a_mask_that_means_everybody_or_the_operator_is_refused(self) -> None:
        for mask in ("*", "b*", "**a**", "?", "?????"):
            self.assert_is_refused(self.bob, f"/ban {mask}", "A mask such as spam*")
        self.assert_is_refused(self.bob, "/ban bob*", "cannot ban yourself")
        self.assert_is_refused(self.bob, "/ban 0.0.0.0/0", "cannot ban yourself")
        self.assert_is_refused(self.bob, "/ban 192.0.2.2", "cannot ban yourself")

    def test_nobody_with_a_role_is_banned_by_a_mask_or_an_address(self) -> None:
        self.decides("/ban 192.0.2.1", "/ban alic*", "/ban caro*", who=self.bob)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 4)

    def test_who_is_unbanned_may_enter(self) -> None:
        self.decides("/ban dan", who=self.bob)
        self.decides("/unban DAN", who=self.alice)
        self.assertIn(Noticed("alice ended the ban of dan from #dev"), self.carol.sees())
        self.decides("/join dev", who=self.dan)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 4)

    def test_a_room_has_only_so_many_bans_and_those_that_are_over_make_place(self) -> None:
        self.factory.chat.limits.bans = 3
        self.decides(*(f"/ban x{number} 1m" for number in range(3)), who=self.bob)
        self.assert_is_refused(self.bob, "/ban x3", "#dev has 3 bans, which is the limit")
        self.time_passes(61)
        self.decides("/ban x3", who=self.bob)
        bans = [name for name in self.factory.chat.rooms["#dev"].state if "ban/" in name]
        self.assertEqual(bans, ["ban/nick:x3"])

    def test_a_very_long_reason_is_refused(self) -> None:
        self.assert_is_refused(self.bob, f"/ban dan {'x' * 201}", "at most 200 characters")

    def test_who_is_banned_from_the_lobby_does_not_come_in(self) -> None:
        self.has_account(self.alice, is_admin=True)
        eve = self.comes("eve", "192.0.2.9")
        self.decides("/join lobby", "/ban eve 1h spam")
        self.assertTrue(eve.is_gone)
        words = f"You are banned from #lobby until {AN_HOUR} by alice: spam."
        self.assert_refused(self.connects("192.0.2.9").answers("fay"), words)


class SettingTests(OrderBehaviour):
    def test_what_keeps_nobody_from_speaking_is_not_asked_about_at_each_line(self) -> None:
        self.decides("/ban eve", "/ban 203.0.113.0/24", "/lock key", "/hide on", "/invite fay")
        order = self.factory.chat.rooms["#dev"].order
        self.assertTrue(order.is_open)
        self.decides("/mute dan")
        self.assertFalse(order.is_open)

    def test_a_locked_room_is_entered_by_those_who_are_invited(self) -> None:
        eve = self.comes("eve", "192.0.2.9")
        self.decides("/lock", who=self.bob)
        self.assertIn(
            Noticed("bob locked #dev: only those who are invited can join"), self.alice.sees()
        )
        words = "#dev is locked: ask alice, bob for an invitation."
        self.assert_is_refused(eve, "/join dev", words)
        self.decides("/invite eve", who=self.bob)
        self.assertIn(Noticed("bob invites you to #dev: /join #dev"), eve.sees())
        self.decides("/join dev", who=eve)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 5)

    def test_a_locked_room_opens_with_its_key(self) -> None:
        eve = self.comes("eve", "192.0.2.9")
        self.decides("/lock open sesame", who=self.bob)
        self.assertNotIn("sesame", str(self.alice.sees()))
        self.assertNotIn("sesame", str(self.factory.chat.rooms["#dev"].state))
        self.assert_is_refused(eve, "/join dev", "#dev is locked with a key: type /join #dev KEY")
        self.assert_is_refused(eve, "/join dev open", "That is not the key")
        self.decides("/join dev open sesame", who=eve)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 5)

    def test_a_key_does_not_help_who_is_banned(self) -> None:
        self.decides("/lock sesame", "/ban dan", who=self.bob)
        self.assert_is_refused(self.dan, "/join dev sesame", "You are banned from #dev by bob.")

    def test_what_was_said_in_a_locked_room_is_for_those_in_it(self) -> None:
        eve = self.comes("eve", "192.0.2.9")
        self.decides("/topic a secret", "/lock", who=self.bob)
        self.alice.says("a secret")
        self.all_is_done()
        self.look_away(eve)
        for command in ("/users dev", "/whois bob", "/rooms", "/join dev", "/leave dev"):
            self.decides(command, who=eve)
        seen = str(eve.sees())
        self.assertIn("#dev is locked: only those in it see who is there.", seen)
        self.assertIn("#dev: 4 people, locked", seen)
        for secret in ("secret", "carol", "bob is in #lobby, #dev"):
            self.assertNotIn(secret, seen)
        bot = self.program("bot", "192.0.2.10", seen={"#dev": 0})
        bot.asks(do="history", room="#dev").asks(do="say", room="#dev", text="hello")
        self.all_is_done()
        codes = [each["code"] for each in bot.gets("error")]
        self.assertEqual(codes, ["not-allowed", "not-in-room", "not-in-room"])
        self.assertNotIn("secret", str(self.dan.sees(Refusal)))

    def test_who_is_unlocked_to_reads_what_was_said(self) -> None:
        eve = self.comes("eve", "192.0.2.9")
        self.decides("/lock", "/unlock", who=self.bob)
        self.decides("/join dev", who=eve)
        self.assertIn(Noticed("bob unlocked #dev"), eve.sees())

    def test_a_hidden_room_is_not_known_to_others(self) -> None:
        eve = self.comes("eve", "192.0.2.9")
        self.decides("/hide on")
        self.look_away(eve)
        for command in ("/rooms", "/users dev", "/users dv", "/whois bob", "/leave dev"):
            self.decides(command, who=eve)
        seen = str(eve.sees())
        self.assertIn("There is no room #dev", seen)
        self.assertNotIn("#dev:", seen.replace("There is no room #dev:", ""))
        self.assertNotIn("did you mean #dev", seen)
        self.assertIn("#dev: 4 people", str(self.dan.does("/rooms").sees()))

    def test_only_voiced_people_speak_in_a_moderated_room(self) -> None:
        self.decides("/moderated on", who=self.bob)
        self.look_away(*self.everybody)
        self.assert_refused(
            self.dan.says("hello"),
            "Only voiced people can speak in #dev: ask alice, bob for voice.",
        )
        for person in (self.carol, self.bob, self.alice):
            person.says("hello")
        self.all_is_done()
        self.assertEqual(len(self.dan.sees(Said)), 3)
        self.decides("/voice dan", who=self.bob)
        self.look_away(*self.everybody)
        self.dan.says("thanks")
        self.all_is_done()
        self.assert_sees(self.alice, Said("dan", "thanks", "#dev"))

    def test_in_a_slow_room_each_member_waits(self) -> None:
        self.decides("/slow 10", who=self.bob)
        self.look_away(*self.everybody)
        self.dan.says("one")
        self.all_is_done()
        self.assert_refused(self.dan.says("two"), "#dev is slow", "wait 11 seconds")
        self.decides("/leave dev", "/join dev", who=self.dan)
        self.look_away(self.dan)
        self.assert_refused(self.dan.says("three"), "#dev is slow")
        self.carol.says("one").says("two")
        self.time_passes(10)
        self.dan.says("four")
        self.all_is_done()
        self.assertEqual(
            [each.text for each in self.alice.sees(Said) if isinstance(each, Said)],
            ["one", "one", "two", "four"],
        )

    def test_settings_tell_all_of_a_rooms_to_its_members(self) -> None:
        self.decides("/lock key", "/hide on", "/moderated on", "/slow 5", "/ban eve", "/mute dan")
        self.look_away(*self.everybody)
        self.assert_sees(
            self.dan.does("/settings"),
            Told("Owners of #dev: alice"),
            Told("Operators of #dev: bob"),
            Told("Voiced people of #dev: carol"),
            Told("#dev is locked with a key."),
            Told("#dev is hidden from those who are not in it."),
            Told("#dev is moderated: only voiced people can speak."),
            Told("#dev is slow: one message every 5 seconds from each."),
            Told("#dev has 1 ban and 1 mute."),
        )

    def test_what_is_neither_on_nor_off_is_refused(self) -> None:
        for command in ("/hide maybe", "/moderated yes", "/slow fast", "/slow -1", "/slow 99999"):
            self.assert_is_refused(self.alice, command, "Usage: ")

    def test_a_closed_room_is_its_owners_until_it_is_unlocked(self) -> None:
        self.decides("/close enough")
        self.assertIn(Noticed("alice closed #dev: enough"), self.dan.sees())
        self.assertEqual(
            [each.nickname for each in self.factory.chat.rooms["#dev"].members.values()], ["alice"]
        )
        for person in (self.bob, self.dan):
            words = "#dev was closed by alice (enough): join another room, or ask alice to open it."
            self.assert_is_refused(person, "/join dev", words)
        self.decides("/unlock")
        self.decides("/join dev", who=self.dan)
        self.assertEqual(len(self.factory.chat.rooms["#dev"].members), 2)


for cases in (KickTests, MuteTests, BanTests, SettingTests):
    globals().update(cases.make_test_case_classes())
del cases
