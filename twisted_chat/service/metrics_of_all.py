"""The metrics of several processes on one page, and their problems."""

from collections.abc import Iterable, Iterator
from typing import Any

from prometheus_client import CollectorRegistry, ProcessCollector
from prometheus_client.core import Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.interfaces import IReactorTime

from twisted_chat.service.child_process import ChildProcess
from twisted_chat.service.children import Children

WAIT = 3.0
"""Seconds for which a process is waited for that does not answer."""


class _Merged(Collector):
    """What several processes have measured, by process.

    Args:
        pages: the text of each, by what it is called.
    """

    def __init__(self, pages: Iterable[tuple[str, str]]) -> None:
        self._pages = pages

    def collect(self) -> Iterator[Metric]:
        """See `prometheus_client`."""
        merged: dict[str, Metric] = {}
        for node, page in self._pages:
            for family in text_string_to_metric_families(page):
                known = merged.setdefault(
                    family.name, Metric(family.name, family.documentation, family.type)
                )
                for sample in family.samples:
                    known.samples.append(sample._replace(labels={"node": node} | sample.labels))
        yield from merged.values()


def metrics(children: Children, clock: IReactorTime) -> Deferred[bytes]:
    """What all processes have measured, and how much the parent takes itself."""
    asked = [process for process in children.all.values() if process.is_ready]
    return _ask(asked, "metrics", clock).addCallback(_page, asked)


def _page(answers: list[tuple[bool, str]], asked: list[ChildProcess]) -> bytes:
    own = CollectorRegistry()
    ProcessCollector(registry=own)
    pages = [
        (str(process.number), page)
        for process, (is_answer, page) in zip(asked, answers, strict=True)
        if is_answer
    ]
    registry = CollectorRegistry()
    registry.register(_Merged([("parent", generate_latest(own).decode()), *pages]))
    return generate_latest(registry)


def problems(children: Children, clock: IReactorTime) -> Deferred[list[str]]:
    """The problems of all processes, a line each; those that are being emptied do not count."""
    asked = [process for process in children.kept if process.is_ready]
    away = {process.number for process in children.kept if not process.is_ready}
    lines = [f"process {number} does not run" for number in sorted(away | set(children.missing))]
    return _ask(asked, "problems", clock).addCallback(_problems, asked, lines)


def _problems(
    answers: list[tuple[bool, list[str]]], asked: list[ChildProcess], lines: list[str]
) -> list[str]:
    for process, (is_answer, told) in zip(asked, answers, strict=True):
        wrong = told if is_answer else ["does not answer"]
        lines += [f"process {process.number}: {line}" for line in wrong]
    return lines or ([] if asked else ["no process runs"])


def _ask(
    asked: list[ChildProcess], what: str, clock: IReactorTime
) -> Deferred[list[tuple[bool, Any]]]:
    answers = [process.ask(what).addTimeout(WAIT, clock) for process in asked]
    answered: Deferred[list[tuple[bool, Any]]] = DeferredList(answers, consumeErrors=True)
    return answered
