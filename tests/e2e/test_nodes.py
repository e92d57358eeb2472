"""Three servers on one PostgreSQL are one chat: every command works from each to each."""

import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.history import findings
from tests.e2e.cluster import Cluster
from tests.e2e.patience import eventually
from tests.e2e.people import Plain, Typist, said
from tests.e2e.test_admin import admin
from tests.postgres import Engine, why_not

pytestmark = [pytest.mark.e2e, pytest.mark.skipif(bool(why_not()), reason=why_not())]

SECRET = "correct horse"


@pytest.fixture(scope="module")
def cluster(shared_engine: Engine, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Three servers, with an administrator called warden."""
    folder = tmp_path_factory.mktemp("nodes")
    url = shared_engine.new()
    admin(folder, "--db", url, "create", "warden", "--admin", typed=f"{SECRET}\n")
    made = Cluster(folder, shared_engine, url=url)
    yield made
    made.ends()
    assert "Traceback" not in made.output


@pytest.fixture(autouse=True)
def _all_go(cluster: Cluster) -> Iterator[None]:
    yield
    cluster.crowd.clears()


def logs_in(cluster: Cluster, node: int, nickname: str, secret: str = SECRET) -> Typist:
    """Somebody with an account comes in."""
    person = cluster.at_netcat(node)
    person.sees("What is your nickname?")
    person.types(f"{nickname} {secret}")
    person.sees(f"*** Welcome, {nickname}!")
    person.sees("*** In #lobby: ")
    return person


def asks_until(person: Typist, command: str, text: str) -> None:
    """Ask again until the answer is what it is on other servers already."""

    def is_so() -> bool:
        person.types(command)
        person.reads(0.2)
        return person.has_seen(text)

    eventually(is_so, f"{command} is answered with {text!r}: {person.lines[-5:]}")


def test_what_is_said_is_read_everywhere_in_one_order(cluster: Cluster) -> None:
    people = [cluster.at_netcat(number, f"talker{number}") for number in range(3)]
    bots = [cluster.brings(f"bot{number}", number) for number in range(3)]
    for person in people:
        person.types("/join talk")
        person.sees("You are in #talk")
    for bot in bots:
        bot.does("/join talk")
    for turn in range(10):
        for number, person in enumerate(people):
            person.types(f"{number} says {turn}")
            bots[number].says(f"bot {number} says {turn}", "#talk")
    for number in range(3):
        bots[0].sees(event="message", text=f"{number} says 9")
    cluster.crowd.all_see("#talk", "that was all")
    for person in people:
        person.sees("that was all")
    story = cluster.crowd.story("#talk")
    assert findings(story) == []
    kept = [event["text"] for event in story.final["#talk"] if event["event"] == "message"]
    assert len(kept) == 61
    for number, person in enumerate(people):
        read = [said(line).partition(": ")[2] for line in person.lines if "says" in line]
        mine = [text for text in kept[:-1] if not text.startswith(f"{number} says")]
        assert read == mine
    late = cluster.at_netcat(2, "late")
    late.types("/join talk")
    assert said(late.sees("that was all")).startswith("#talk bot")


def test_coming_and_going_is_told_everywhere_once(cluster: Cluster) -> None:
    people = [cluster.at_netcat(number, f"goer{number}") for number in range(3)]
    people[0].types("/join yard")
    people[0].sees("You are in #yard")
    for number in (1, 2):
        people[number].types("/join yard")
        people[0].sees(f"*** goer{number} has joined #yard")

    def all_are_there() -> bool:  # in the order in which that was heard here
        people[2].types("/users")
        people[2].reads(0.2)
        return any(line.startswith("*** In #yard: ") and "(3)" in line for line in people[2].lines)

    eventually(all_are_there, "all three are in the list")
    people[0].types("/leave yard")
    people[1].types("/nick strider")
    people[2].sees("goer1 is now known as strider")
    people[1].types("/quit see you")
    people[2].sees("*** strider has left #yard (see you)")
    people[2].types("/users")
    people[2].sees("*** In #yard: goer2 (1)")
    for line in ("goer0 has left #yard", "strider has left #yard"):
        assert sum(line in each for each in people[2].lines) == 1, line


def test_whispers_arrive_on_another_server_and_their_answers(cluster: Cluster) -> None:
    ann, ben = cluster.at_netcat(0, "ann"), cluster.at_netcat(1, "ben")
    eve = cluster.at_netcat(2, "eve")
    ann.types("/whisper ben psst")
    assert said(ben.sees("psst")) == "[whisper from ann] psst"
    assert said(ann.sees("psst")) == "[whisper to ben] psst"
    ben.types("/reply what is it?")
    assert said(ann.sees("what is it?")) == "[whisper from ben] what is it?"
    ann.types("@bne nothing")
    ann.sees("!!! There is nobody called bne: did you mean ben?")
    ann.types("to all")
    eve.sees("ann: to all")
    assert not eve.has_seen("whisper")


def test_a_new_nickname_is_known_wherever_it_is_seen(cluster: Cluster) -> None:
    abel, bert = cluster.at_netcat(0, "abel"), cluster.at_netcat(1, "bert")
    bert.types("/nick berthold")
    abel.sees("bert is now known as berthold")
    abel.types("@berthold still you?", "to all")
    bert.sees("abel: to all")
    assert bert.has_seen("[whisper from abel] still you?")


def test_who_is_where_is_known_everywhere(cluster: Cluster) -> None:
    fay, gus = cluster.at_netcat(0, "fay"), cluster.at_netcat(1, "gus")
    fay.types("/join attic", "/topic old things", "/away at lunch")
    fay.sees("You are away")
    fay.sees("fay changed the topic of #attic")
    asks_until(gus, "/rooms", "*** #attic: 1 person, topic: old things")
    gus.types("/users attic")
    gus.sees("*** In #attic: fay")
    gus.types("/whois fay")
    gus.sees("*** fay is in #lobby, #attic.")
    gus.sees("*** fay is away")
    gus.types("/join attic", "@fay hello?")
    gus.sees("*** In #attic: fay")
    gus.sees("at lunch")
    fay.types("/back")
    fay.types("/topic new things")
    assert said(gus.sees("new things")) == "*** fay changed the topic of #attic to: new things"
    bot = cluster.brings("bot-of-rooms", 2)
    bot.does("/join attic")
    state = bot.sees(event="state", room="#attic")
    assert {member["nick"] for member in state["members"]} == {"fay", "gus", "bot-of-rooms"}
    assert state["topic"] == "new things"
    fay.types("/away again")
    assert bot.sees(event="away", room="#attic")["text"] == "again"


def test_whoever_is_ignored_is_not_heard_from_another_server(cluster: Cluster) -> None:
    hal, ivy = cluster.at_netcat(0, "hal"), cluster.at_netcat(1, "ivy")
    jon = cluster.at_netcat(2, "jon")
    hal.types("/ignore ivy")
    hal.sees("You are ignoring ivy")
    ivy.types("you do not hear me", "@hal nor this", "/nick ivory")
    jon.sees("ivy is now known as ivory")
    ivy.types("still not")
    jon.sees("ivory: still not")
    jon.types("but me")
    hal.sees("jon: but me")
    for text in ("you do not hear me", "nor this", "still not"):
        assert not hal.has_seen(text)
    hal.types("/unignore ivory")
    hal.sees("You are no longer ignoring ivory")
    ivy.types("and now?")
    hal.sees("ivory: and now?")


def test_a_class_is_kept_in_order_from_another_server(cluster: Cluster) -> None:
    teacher = cluster.at_netcat(0, "teacher")
    teacher.types(f"/register {SECRET}", "/join class")
    teacher.sees("teacher is the owner of #class")
    kim, leo, mia = (cluster.at_netcat(node, name) for node, name in (
        (1, "kim"), (2, "leo"), (1, "mia")))  # fmt: skip
    for pupil, nickname in ((kim, "kim"), (leo, "leo"), (mia, "mia")):
        pupil.types("/join class")
        teacher.sees(f"{nickname} has joined #class")

    teacher.types("/freeze on")
    kim.sees("teacher froze #class")
    mia.types("me! me!")
    mia.sees("!!! #class is frozen, and only operators can speak")
    leo.types("/hand")
    teacher.sees("leo raised a hand in #class")
    kim.types("/hand")
    teacher.sees("kim raised a hand in #class")
    for person in (teacher, mia):
        asks_until(person, "/hands", "Raised hands in #class: leo, kim (2)")
    teacher.types("/next")
    leo.sees("teacher gives the word to leo in #class")
    leo.types("is it 42?", "/hand")
    assert said(kim.sees("42")) == "#class leo: is it 42?"
    kim.sees("leo has given back the word")
    leo.types("or 43?")
    leo.sees("!!! #class is frozen")
    teacher.types("/clear hands", "/freeze off")
    kim.sees("teacher lets everybody in #class speak")

    teacher.types("/op leo")
    leo.sees("teacher made leo an operator of #class")
    leo.types("/mute mia 10m noise")
    mia.sees("leo muted mia in #class until")
    mia.types("I say what I like")
    mia.sees("!!! You are muted in #class until")
    leo.types("/unmute mia")
    mia.sees("leo let mia speak in #class again")
    mia.types("thank you")
    teacher.sees("#class mia: thank you")
    leo.types("/kick mia enough")
    mia.sees("You were removed from #class by leo: enough")
    mia.types("what?")
    mia.sees("!!! You are not in #class any more, so that was not done")
    leo.types("/ban mia 1h")
    kim.sees("leo banned mia from #class until")
    mia.types("/join class")
    mia.sees("!!! You are banned from #class until")
    kim.types("/bans")
    kim.sees("mia")
    teacher.types("/lock sesame")
    leo.sees("teacher locked #class")
    kim.types("/leave", "/join class")
    kim.sees("!!! #class is locked with a key")
    teacher.sees("kim has left #class")
    teacher.types("/invite kim")
    kim.sees("teacher invites you to #class")
    kim.types("/join class")
    leo.sees("kim has joined #class")
    kim.types("thanks")
    assert said(leo.sees("thanks")) == "#class kim: thanks"
    teacher.types("/unban mia", "/deop leo")
    leo.sees("teacher ended the ban of mia")
    leo.sees("teacher made leo an ordinary member of #class")
    leo.types("/kick kim")
    leo.sees("!!!")
    teacher.types("/close we are done")
    kim.sees("we are done")
    kim.types("/users class")
    for text in ("me! me!", "43", "I say", "what?"):
        for person in (leo, kim, teacher):
            assert not person.has_seen(text)


def test_of_ten_who_want_one_name_on_three_servers_one_gets_it(cluster: Cluster) -> None:
    for want in (["olga"] * 10, ["petra", "Petra", "PETRA", "реtra", "pеtra"] * 2):
        people = [Plain(cluster[number].port) for number in range(10)]
        for person in people:
            person.sees("What is your nickname?")
        for person, name in zip(people, want, strict=True):
            person.types(name)
        for person in people:
            person.waits(
                lambda p=person: p.has_seen("*** Welcome") or p.has_seen("!!! "),  # type: ignore[misc]
                "an answer",
            )
        winners = [person for person in people if person.has_seen("*** Welcome")]
        assert len(winners) == 1, [person.lines for person in people]
        other = next(person for person in people if person is not winners[0])
        winners[0].types("/quit")
        winners[0].sees_the_end()
        other.types(want[people.index(other)])  # and when they have gone, another
        eventually_in(other, want[people.index(other)])


def eventually_in(person: Plain, name: str) -> None:
    """Ask for a nickname until it is free."""

    def is_in() -> bool:
        refused = sum("!!! " in line for line in person.lines)
        person.waits(
            lambda: (
                person.has_seen("*** Welcome")
                or sum("!!! " in line for line in person.lines) >= refused
            ),
            "an answer",
        )
        if person.has_seen("*** Welcome"):
            return True
        person.types(name)
        person.reads(0.2)
        return False

    eventually(is_in, f"somebody is {name}")


def test_of_ten_who_register_one_name_on_three_servers_one_has_it(cluster: Cluster) -> None:
    people = [Plain(cluster[number].port) for number in range(9)]
    for person in people:
        person.sees("What is your nickname?")
    for number, person in enumerate(people):
        person.types("queen", f"/register {SECRET} {number}")
    for person in people:
        person.waits(
            lambda p=person: p.has_seen("is yours.") or p.has_seen("!!! "),  # type: ignore[misc]
            "an answer",
        )
    (owner,) = (each for each in people if each.has_seen("The nickname queen is yours."))
    secret = f"{SECRET} {people.index(owner)}"
    for node in range(3):
        logs_in(cluster, node, "queen", secret)


def test_a_name_that_is_taken_cannot_be_had_on_another_server(cluster: Cluster) -> None:
    cluster.at_netcat(0, "rosa")
    sam = cluster.at_netcat(1, "sam")
    sam.types("/nick rosa")
    sam.sees("!!! ")
    other = Plain(cluster[2].port)
    other.sees("What is your nickname?")
    other.types("rоsa")  # with a Cyrillic letter
    other.sees("!!! ")
    other.types("rosalind")
    other.sees("*** Welcome, rosalind!")


def test_two_devices_on_two_servers_are_one_person(cluster: Cluster) -> None:
    tom = cluster.at_netcat(0, "tom")
    una = cluster.at_netcat(2, "una")
    tom.types(f"/register {SECRET}")
    tom.sees("The nickname tom is yours.")
    second = logs_in(cluster, 1, "tom")
    tom.types("hello from one")
    assert said(second.sees("hello from one")) == "tom: hello from one"
    second.types("hello from two")
    assert said(tom.sees("hello from two")) == "tom: hello from two"
    una.types("@tom psst")
    for device in (tom, second):
        device.sees("[whisper from una] psst")
    tom.types("/devices")
    tom.sees("*** 2. ")
    second.types("/join den", "/ignore una", "/leave den")
    second.sees("You left #den")
    una.types("cannot you hear me?")
    una.types("/users")
    una.sees("tom*")
    tom.types("/quit")
    tom.ends_input()
    tom.sees_the_end()
    second.types("still here")
    una.sees("tom: still here")
    assert not una.has_seen("tom has left")
    second.types("/quit")
    una.sees("tom has left #lobby")
    assert sum("tom has" in line for line in una.lines) == 1
    assert not second.has_seen("cannot you hear me?")


def test_a_device_is_ended_from_another_server(cluster: Cluster) -> None:
    vic = cluster.at_netcat(0, "vic")
    vic.types("/register correct-horse")
    vic.sees("The nickname vic is yours.")
    lost = logs_in(cluster, 1, "vic", "correct-horse")
    asks_until(vic, "/devices", "*** 2. ")
    other = 1 if "this one" in vic.sees("*** 2. ") else 2
    vic.types(f"/devices end {other}")
    lost.sees("logged")
    vic.types("/password correct-horse battery-staple")
    vic.sees("password")
    logs_in(cluster, 2, "vic", "battery-staple")


def test_read_marks_are_told_to_a_device_on_another_server(cluster: Cluster) -> None:
    wes = cluster.at_netcat(0, "wes")
    wes.types(f"/register {SECRET}")
    wes.sees("The nickname wes is yours.")
    one = cluster.brings("wes", 0, password=SECRET)
    two = cluster.crowd.brings("wes", cluster.addresses(1), password=SECRET).is_let_in()
    one.says_until_stored("something to read")
    number = two.sees(event="message", text="something to read")["id"]
    one.asks(do="read", room="#lobby", id=number)
    assert two.sees(event="read", room="#lobby")["id"] == number
    three = cluster.crowd.brings("wes", cluster.addresses(2), password=SECRET).is_let_in()
    assert three.sees(event="welcome")["read"]["#lobby"] == number


def test_who_resumes_on_another_server_misses_nothing_and_nobody_sees_it(cluster: Cluster) -> None:
    xen = cluster.at_netcat(0, "xen")
    yak = cluster.brings("yak", 0)
    xen.sees("*** yak has joined")
    for turn in range(6):
        xen.types(f"line {turn}", f"@yak whisper {turn}")
        yak.moves()
        yak.says_until_stored(f"answer {turn}")
        xen.sees(f"yak: answer {turn}")
    for turn in range(6):
        assert yak.sees(event="message", text=f"line {turn}")
        assert yak.sees(event="whisper", text=f"whisper {turn}")
    xen.types("/whois yak")
    xen.sees("yak has been here since")
    assert sum("yak has joined" in line or "yak has left" in line for line in xen.lines) == 1
    yak.does("/join moves")
    cluster.brings("zoe", 1).does("/join moves")
    cluster.crowd.all_see("#moves")
    assert findings(cluster.crowd.story("#moves")) == []
    assert len({line.what for line in yak.lines if line.kind == "on"}) == len(cluster.nodes)


def test_a_file_that_is_sent_on_one_server_can_be_fetched_from_another(cluster: Cluster) -> None:
    abe = cluster.brings("abe", 0)
    bea = cluster.brings("bea", 1)
    place = abe.does("/upload")["url"].partition("/file/")
    path = place[1] + place[2] if place[1] else "/" + abe.does("/upload")["url"].split("/", 3)[3]
    request = urllib.request.Request(
        f"http://127.0.0.1:{cluster[0].port}{path}/cat.txt", b"meow", method="PUT"
    )
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 201
    url = bea.sees(event="file", name="cat.txt")["url"].split("/", 3)[3]
    for node in cluster.nodes:
        with urllib.request.urlopen(f"http://127.0.0.1:{node.port}/{url}") as answer:
            assert answer.read() == b"meow"


def test_an_administrator_reaches_everybody(cluster: Cluster) -> None:
    warden = logs_in(cluster, 0, "warden")
    cat, dog = cluster.at_netcat(1, "cat"), cluster.at_netcat(2, "dog")
    warden.types("/announce tea is ready")
    for person in (warden, cat, dog):
        person.sees("*** Announcement by warden: tea is ready")
    warden.types("/rename dog hound")
    dog.sees("hound")
    warden.types("/disconnect cat enough")
    cat.sees("enough")
    cat.ends_input()
    cat.sees_the_end()
    dog.sees("cat has left")
    warden.types("/lockdown new")
    for node in (1, 2):
        stranger = cluster.at_netcat(node)
        stranger.sees("What is your nickname?")
        stranger.types(f"stranger{node}")
        stranger.sees("!!! ")
    warden.types("/lockdown off")
    warden.sees("lockdown")
    late = cluster.at_netcat(2)
    late.sees("What is your nickname?")
    late.types("latecomer")
    late.sees("*** Welcome, latecomer!")
    warden.types("/shutdown 10m soon")
    dog.sees("*** The server shuts down in 10 minutes (soon).")
    warden.types("/shutdown cancel")
    dog.sees("*** The server does not shut down after all.")


def test_a_shutdown_ends_all_servers(shared_engine: Engine, tmp_path: Path) -> None:
    url = shared_engine.new()
    admin(tmp_path, "--db", url, "create", "warden", "--admin", typed=f"{SECRET}\n")
    cluster = Cluster(tmp_path, shared_engine, url=url)
    try:
        warden, ann = logs_in(cluster, 0, "warden"), cluster.at_netcat(1, "ann")
        warden.types("/shutdown 1s good night")
        ann.sees("good night")
        for node in cluster.nodes:
            eventually(lambda n=node: not n.server.is_running, "it has stopped")  # type: ignore[misc]
            assert node.server.process.returncode == 0
    finally:
        cluster.ends()


def test_a_server_that_was_cut_off_does_what_an_administrator_decided_meanwhile(
    engine: Engine, tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path, engine, count=0)
    admin(tmp_path, "--db", cluster.url, "create", "warden", "--admin", typed=f"{SECRET}\n")
    try:
        cluster.adds()
        cable = cluster.adds().cable
        warden = logs_in(cluster, 0, "warden")
        ann, eve = cluster.at_netcat(1, "ann"), cluster.at_netcat(1, "eve")
        assert cable is not None
        cable.cuts()
        warden.types("/announce tea is ready", "/disconnect eve enough", "/shutdown 1h soon")
        warden.sees("*** The server shuts down in 1 hour (soon).")
        ann.reads()
        assert not ann.has_seen("tea is ready")
        cable.mends()
        ann.sees("*** Announcement by warden: tea is ready")
        ann.sees("*** The server shuts down in 1 hour (soon).")
        eve.sees("!!! You were disconnected by warden: enough.")
        ann.sees("eve has left #lobby (disconnected by warden)")
        assert sum("tea is ready" in line for line in ann.lines) == 1
    finally:
        cluster.ends()


def test_a_server_that_stops_lets_its_programs_go_on_elsewhere(
    shared_engine: Engine, tmp_path: Path
) -> None:
    cluster = Cluster(tmp_path, shared_engine)
    try:
        bot, other = cluster.brings("bot", 0), cluster.brings("other", 1)
        person, watcher = cluster.at_netcat(0, "person"), cluster.at_netcat(1, "watcher")
        bot.says_until_stored("before")
        cluster[0].server.stop()
        person.sees("*** The server is shutting down")
        watcher.sees("person has left #lobby")
        bot.says_until_stored("after")
        other.sees(event="message", text="after")
        assert not watcher.has_seen("bot has left")
        cluster.crowd.all_see()
        assert findings(cluster.crowd.story("#lobby")) == []
    finally:
        cluster.ends()
