"""Which servers there are: they join, catch up when their connection was lost, and leave.

Each is one call, like that which stores a group: a server that stops in its middle keeps nobody
waiting.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import psycopg

from twisted_chat.stores.nodes import Value
from twisted_chat.stores.postgres.functions import FENCED, HEIRLESS, TOGETHER
from twisted_chat.stores.rows import COLUMNS, Row

Connection: TypeAlias = psycopg.Connection[tuple[Any, ...]]

_ROW = ", ".join(f"events.{column}" for column in COLUMNS.split(", "))

CATCH_UP = f"""
CREATE OR REPLACE FUNCTION catch_up(this_node bigint, mark bigint, joins boolean, lasts jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    known nodes%ROWTYPE;
    there jsonb;
    missed jsonb;
BEGIN
    SELECT * INTO known FROM nodes WHERE node = this_node FOR UPDATE;
    IF known.node IS NULL THEN
        RAISE EXCEPTION 'another server has taken over' USING ERRCODE = '{FENCED}';
    END IF;
    IF joins THEN
        PERFORM {TOGETHER};
    END IF;
    LOCK TABLE shared IN SHARE MODE;
    SELECT jsonb_agg(node ORDER BY node) INTO there FROM nodes;
    IF joins AND jsonb_array_length(there) = 1 THEN
        DELETE FROM shared;
        DELETE FROM claims;
        DELETE FROM clients;
    END IF;
    SELECT jsonb_agg(jsonb_build_array(logs.name, {_ROW}) ORDER BY logs.name, id) INTO missed
    FROM (
        SELECT key AS log_name, value::bigint AS number FROM jsonb_each_text(lasts)
        UNION ALL
        SELECT DISTINCT '@' || (value->>'person'), 0 FROM shared
        WHERE starts_with(shared.name, 'device/') AND value->'node' = to_jsonb(this_node)
        AND NOT lasts ? ('@' || (value->>'person'))
    ) AS seen JOIN logs ON logs.name = log_name
    JOIN events ON events.log = logs.log AND id > number;
    PERFORM tell_news(this_node, mark, '{{}}', '{{"{{}}"}}');
    RETURN jsonb_build_object(
        'done', known.done, 'answer', known.answer, 'nodes', there,
        'missed', coalesce(missed, '[]'),
        'shared', (SELECT coalesce(jsonb_object_agg(name, value), '{{}}') FROM shared));
END
$$
"""  # noqa: S608 - ours
"""How everything is at one place in the order of news, which is marked there.

It is locked who sets something, so that what is set is neither of an earlier place nor of a later
one. Groups that were sent over a lost connection are stored before that, or not at all until then.
What was missed may be in a log that is not open here: the first whisper to somebody who is here.
"""

LEAVE = f"""
CREATE OR REPLACE FUNCTION leave(this_node bigint)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    heir bigint;
    gone jsonb;
BEGIN
    PERFORM FROM nodes WHERE node = this_node FOR UPDATE;
    PERFORM {TOGETHER};
    SELECT node INTO heir FROM nodes
    WHERE node != this_node AND until > clock_timestamp() ORDER BY until DESC LIMIT 1;
    IF heir IS NULL AND EXISTS (SELECT FROM nodes WHERE node != this_node) THEN
        UPDATE nodes SET until = clock_timestamp() WHERE node = this_node;
        RETURN;
    END IF;
    DELETE FROM nodes WHERE node = this_node;
    IF FOUND AND heir IS NOT NULL THEN
        SELECT jsonb_agg(jsonb_build_array(node, heir)) INTO gone
        FROM (SELECT this_node AS node UNION {HEIRLESS}) each;
        PERFORM tell_news(this_node, 0, jsonb_build_object('gone', gone)::text, '{{"{{}}"}}');
    END IF;
END
$$
"""  # noqa: S608 - ours
"""A server leaves, and another looks after its people; if none is known to live, whoever comes."""

_ABANDONED = """
WITH gone AS (DELETE FROM logs WHERE starts_with(name, '@') AND substr(name, 2) NOT IN
(SELECT id FROM sessions UNION SELECT person FROM sessions UNION SELECT id FROM accounts)
RETURNING log), stated AS (DELETE FROM state USING gone WHERE state.log = gone.log)
DELETE FROM events USING gone WHERE events.log = gone.log
"""
"""Delete own logs of people who cannot come back."""


_PASSING = ("shared", "claims", "clients")
"""Tables of what only servers that are there know of each other."""


def register(connection: Connection, lease: float) -> int:
    """Become one of the servers on a database; gives its number, which no other ever gets.

    The first one deletes what was left of others: what they shared, and own logs of people who
    cannot come back.

    Args:
        connection: to the database.
        lease: seconds for which it counts as alive if nothing more is heard of it.
    """
    with connection.transaction():
        connection.execute(f"SELECT {TOGETHER}".encode())
        if connection.execute(b"SELECT FROM nodes LIMIT 1").fetchone() is None:
            for statement in (*map("DELETE FROM {}".format, _PASSING), _ABANDONED):
                connection.execute(statement.encode())
        row = connection.execute(
            b"INSERT INTO nodes (until) VALUES (clock_timestamp() + %s * interval '1 second')"
            b" RETURNING node",
            (lease,),
        ).fetchone()
    assert row is not None  # noqa: S101 - that gives one
    return int(row[0])


@dataclass(frozen=True)
class CaughtUp:
    """How everything was at one place in the order of news.

    Args:
        mark: the number of the group whose news mark that place.
        done: the number of this server's last group that was stored until then.
        missed: log and row of events behind those that were known, by log and number; also of own
            logs that were begun elsewhere of people who are here.
        shared: all that was set.
        nodes: the numbers of the servers there were.
    """

    mark: int
    done: int
    missed: Sequence[Row]
    shared: Mapping[str, Value]
    nodes: Sequence[int]


def catch_up(
    connection: Connection, node: int, mark: int, lasts: Mapping[str, int], *, joins: bool
) -> tuple[CaughtUp, Any]:
    """Find out how everything is at a place in the order of news, which is marked there.

    Args:
        connection: to the database.
        node: the number of this server.
        mark: a number that marks the place.
        lasts: by the names of logs, the numbers of the last events that are known.
        joins: whether the server begins to hear what others tell.

    Returns:
        That, and what was answered to the last group that is stored.
    """
    values = node, mark, joins, json.dumps(lasts)
    row = connection.execute(b"SELECT catch_up(%s, %s, %s, %s::jsonb)", values).fetchone()
    assert row is not None  # noqa: S101 - a function has an answer
    (found,) = row
    missed = [tuple(each) for each in found["missed"]]
    return CaughtUp(mark, found["done"], missed, found["shared"], found["nodes"]), found["answer"]


def listen(connection: Connection) -> None:
    """Have this connection notified of what all servers tell."""
    row = connection.execute(
        b"SELECT quote_ident(left('chat_' || current_schema(), 63))"
    ).fetchone()
    assert row is not None  # noqa: S101 - that gives one
    connection.execute(f"LISTEN {row[0]}".encode())
