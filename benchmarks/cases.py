"""The cases: what the load does to a server, and which counters tell how that went."""

import math
import resource
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from benchmarks import generator, servers
from benchmarks.generator import Step, Unavailable
from benchmarks.servers import Server

Counters = dict[str, float]
"""What one run of a case found, each under the column's title."""


@dataclass
class Run:
    """One case at one server: the loads that it was under, each with a fresh process.

    Args:
        server: who is measured.
        minutes: how long the soak is.
    """

    server: Server
    minutes: int = 5
    steps: list[Step] = field(default_factory=list)

    def load(self, *words: str, rooms: bool = False, seconds: float = 120) -> list[Step]:
        """Put a load on a fresh server.

        Args:
            words: the generator's arguments.
            rooms: whether the clients go into rooms of their own.
            seconds: when the load is stopped in any case.
        """
        way_in = self.server.way_into_rooms if rooms else self.server.way_in
        if not way_in:
            raise Unavailable(f"{self.server.name} has no rooms")
        at_once = () if "--at-once" in words else ("--at-once", str(self.server.at_once))
        with servers.started_together(self.server) as (pid, ports):
            where = ["--port", ",".join(map(str, ports)), "--pid", str(pid)]
            steps = generator.run([*where, *way_in, *at_once, *words], seconds)
        if not steps:
            raise Unavailable(f"{self.server.name}: the load got nowhere in {seconds:.0f} s")
        self.steps += steps
        return steps


@dataclass(frozen=True)
class Case:
    """Something to measure: its title, and how."""

    title: str
    measure: Callable[[Run], Counters]
    rounds: int = 3


CASES: dict[str, Case] = {}
NODES = ("between", "fanout", "rooms", "storm2k")
"""What shows how several servers do that are one chat."""
LADDERS = ("quick", "fanout", "talk", "rooms")
"""The cases that climb until the server ends: the ones worth a picture."""


def case(name: str, title: str, rounds: int = 3) -> Callable[[Callable[[Run], Counters]], None]:
    """Put a function among the cases."""

    def put(measure: Callable[[Run], Counters]) -> None:
        CASES[name] = Case(title, measure, rounds)

    return put


THOUSAND = ("--clients", "1000", "--senders", "10")
LADDER = "100,400,700,1000,1300,1700,2200,3000,4200,6000,8000,11000,15000,21000,26000,31000,36000"
QUICK = "100,1000,1300,1700,2500,4000,6000,8000,11000,15000,20000"
CLIMB = ("--sustain-ms", "250", "--warmup", "0.3", "--duration", "1.5", "--drain", "3")


def best(steps: Iterable[Step]) -> float:
    """The most deliveries a second, in thousands, before p99 passes 250 ms."""
    held = [s["deliveries_per_s"] for s in steps if s.get("sustained") and s["p99_ms"] <= 250]
    return max(held, default=0) / 1e3


def at(steps: Iterable[Step], rate: float) -> Counters:
    """How long a delivery took, and what it cost, at one rate."""
    label = f"at {rate:g} msg/s: "
    for step in steps:
        if step["rate"] == rate:
            return {
                label + "p50 ms": step["p50_ms"],
                label + "p99 ms": step["p99_ms"],
                label + "CPU us": step["us_per_delivery"],
            }
    return {}


def whole(step: Step) -> Counters:
    """A step that is measured for what it moves."""
    return {
        "deliveries/s (k)": step["deliveries_per_s"] / 1e3,
        "p50 ms": step["p50_ms"],
        "p99 ms": step["p99_ms"],
        "CPU us": step["us_per_delivery"],
    }


@case("quick", "Fan-out: 1,000 clients in one room, ten of them talk, 100 bytes (short)", rounds=2)
def _quick(run: Run) -> Counters:
    short = ("--sustain-ms", "250", "--warmup", "0.25", "--duration", "1", "--drain", "2")
    steps = run.load(*THOUSAND, "--rate", QUICK, *short)
    return {"most deliveries/s (k), p99 < 250 ms": best(steps), **at(steps, 100)}


@case("fanout", "Fan-out: 1,000 clients in one room, ten of them talk, 100 bytes")
def _fanout(run: Run) -> Counters:
    steps = run.load(*THOUSAND, "--rate", LADDER, *CLIMB)
    return {"most deliveries/s (k), p99 < 250 ms": best(steps), **at(steps, 1000)}


@case("between", "60 clients in one room, spread over all servers of a chat; ten of them talk")
def _between(run: Run) -> Counters:
    rates = "100,2000,4000,6000,8000,10000,13000,16000,20000,25000"
    steps = run.load("--clients", "60", "--senders", "10", "--verify", "1", "--rate", rates, *CLIMB)
    found = {"most msg/s, p99 < 250 ms": best(steps) * 1000 / 59}
    found |= at(steps, 100) | at(steps, 2000)
    return {name: value for name, value in found.items() if "CPU" not in name}  # one server's alone


@case("closed", "Closed loop: the same, each of the ten with eight messages under way")
def _closed(run: Run) -> Counters:
    steps = run.load(*THOUSAND, "--mode", "window", "--window", "8", "--duration", "3")
    return whole(steps[0])


@case("one", "One message under way: nothing can be batched")
def _one(run: Run) -> Counters:
    words = ("--clients", "1000", "--senders", "1", "--mode", "window", "--window", "1")
    return whole(run.load(*words, "--duration", "3")[0])


@case("light", "Light load: 20 and 100 messages a second to 1,000 clients")
def _light(run: Run) -> Counters:
    steps = run.load(*THOUSAND, "--rate", "20,100", "--duration", "4")
    return {**at(steps, 20), **at(steps, 100)}


@case("talk", "200 clients, all talking")
def _talk(run: Run) -> Counters:
    rates = "200,1000,2000,4000,6000,9000,13000,20000,30000,45000"
    everyone = ("--clients", "200", "--senders", "200", "--verify", "1")
    steps = run.load(*everyone, "--rate", rates, *CLIMB)
    return {"most deliveries/s (k), p99 < 250 ms": best(steps), **at(steps, 1000)}


@case("overload", "Three times what saturates it", rounds=2)
def _overload(run: Run) -> Counters:
    climb = run.load(*THOUSAND, "--rate", LADDER, *CLIMB)
    rate = 3 * max(1, round(best(climb) * 1000 / 999))
    few = ("--light", "2", "--light-rate", "4", "--max-rss", "2000")
    step = run.load(*THOUSAND, *few, "--rate", str(rate), "--duration", "6", "--drain", "8")[0]
    return {
        "offered msg/s": rate,
        "kept, % of its best": step["deliveries_per_s"] / 10 / max(best(climb), 1e-9),
        **_grown(step),
        "p99 ms of who talks little": _little(step),
        "disconnected": step["disconnects"],
    }


@case("flood", "90 who never stop talking among 101, ten who talk a little, one who never reads", 1)
def _flood(run: Run) -> Counters:
    crowd = ("--clients", "102", "--senders", "100", "--light", "10", "--light-rate", "10")
    flood = ("--mode", "flood", "--duration", "6", "--drain", "10", "--max-rss", "2000")
    step = run.load(*crowd, *flood, "--stopped", "1")[0]
    return {
        "deliveries/s (k)": step["deliveries_per_s"] / 1e3,
        **_grown(step),
        "p99 ms of who talks little": _little(step),
        "slowest sender msg/s": step["sender_fewest_per_s"],
        "fastest sender msg/s": step["sender_most_per_s"],
        "disconnected": step["disconnects"],
    }


def _little(step: Step) -> float:
    return step["light_p99_ms"] if step["light_max_ms"] else math.inf  # nothing of theirs came


def _grown(step: Step) -> Counters:
    return {"grew by MB": step["rss_max_mb"] - step["rss_joined_mb"]}


@case("rooms", "1,000 rooms of ten, all talking", rounds=2)
def _rooms(run: Run) -> Counters:
    everyone = ("--clients", "10000", "--senders", "10000", "--rooms", "1000", "--verify", "5")
    rates = ("--rate", "1000,5000,10000,15000,20000,25000,30000,40000,60000,80000,110000")
    steps = run.load(*everyone, *rates, *CLIMB, rooms=True, seconds=180)
    return {"most deliveries/s (k), p99 < 250 ms": best(steps), **at(steps, 5000)}


def _storm(run: Run, clients: int, patience: int) -> Counters:
    # who announces nobody leaves nothing to wait for
    mode = "storm" if run.server.announces else "idle"
    crowd = ("--clients", str(clients), "--at-once", str(clients), "--mode", mode)
    wait = ("--join-timeout", str(patience), "--duration", "0.1")
    step = run.load(*crowd, *wait, seconds=2 * patience + 20)[0]
    told = {"told of everyone %": step["told_pct"]} if run.server.announces else {}
    if step["told_s"] >= 0:
        told["told of everyone s"] = step["told_s"]
    return {
        "joined": step["joined"],
        "joined s": step["join_s"],
        **told,
        "server CPU s": step["join_cpu_s"],
        "grew by MB": step["rss_joined_mb"] - step["rss_before_mb"],
    }


@case("storm2k", "2,000 connect at once to one room, and are told of everyone", rounds=2)
def _storm2k(run: Run) -> Counters:
    return _storm(run, 2000, 30)


@case("storm8k", "8,000 connect at once to one room, and are told of everyone", rounds=1)
def _storm8k(run: Run) -> Counters:
    return _storm(run, 8000, 40)


@case("idle", "Memory per idle connection: 5,000, in 50 rooms where there are rooms", rounds=1)
def _idle(run: Run) -> Counters:
    rooms = bool(run.server.way_into_rooms)
    crowd = ("--clients", "5000", "--mode", "idle", "--rooms", "50" if rooms else "1")
    step = run.load(*crowd, "--duration", "2", "--join-timeout", "90", rooms=rooms)[0]
    return {"joined": step["joined"], "kB a connection": step["kb_per_connection"]}


@case(
    "many", "100,000 connections (as many as the machine lets a process have), 100 talk", rounds=1
)
def _many(run: Run) -> Counters:
    idle = min(100_000, resource.getrlimit(resource.RLIMIT_NOFILE)[1] - 500)
    talk = ("--clients", "100", "--senders", "10", "--rate", "200", "--duration", "5")
    alone = run.load(*talk, rooms=True)[0]
    crowd = ("--idle", str(idle), "--idle-rooms", str(1 + idle // 200))
    spread = ("--sources", str(1 + idle // 20_000), "--join-timeout", "240")
    step = run.load(*talk, *crowd, *spread, rooms=True, seconds=400)[0]
    return {
        "connections": step["joined"],
        "kB a connection": step["kb_per_connection"],
        "p50 ms": step["p50_ms"],
        "p99 ms": step["p99_ms"],
        "p99 ms without them": alone["p99_ms"],
    }


@case(
    "slow", "One stopped reader among 101; 2,000 messages of 400 bytes a second for 15 s", rounds=1
)
def _slow(run: Run) -> Counters:
    crowd = ("--clients", "102", "--senders", "100", "--size", "400", "--rate", "2000")
    pace = ("--duration", "15", "--drain", "15")
    alone = run.load(*crowd, *pace)[0]
    step, after = run.load(*crowd, *pace, "--stopped", "1", "--resume")
    return {
        "p99 ms with it": step["p99_ms"],
        "p99 ms without": alone["p99_ms"],
        **_grown(step),
        "still connected": after["still_connected"],
        "never got": after["missing"],
        "caught up in s": after["catch_up_s"],
    }


@case("soak", "Mixed load with people coming and going", rounds=1)
def _soak(run: Run) -> Counters:
    crowd = ("--clients", "600", "--senders", "20", "--churners", "100", "--churn-rate", "20")
    minutes = ",".join(["200"] * max(2, run.minutes))
    words = (*crowd, "--rate", minutes, "--warmup", "1", "--duration", "59")
    steps = run.load(*words, seconds=70 * run.minutes + 120)
    first, last = steps[0], steps[-1]
    return {
        "minutes": len(steps),
        "p99 ms, first": first["p99_ms"],
        "p99 ms, last": last["p99_ms"],
        "MB, first": first["rss_end_mb"],
        "MB, last": last["rss_end_mb"],
        "came and went": last["churned"],
    }
