"""The function in the database that stores a group of entries, and all that goes with them.

One call stores it all or nothing: a server that stops in its middle keeps nobody waiting. A group
has a number, so that one whose answer was lost can be sent again, and is stored once.

It gets one JSON object, and the group's news with its entries, see `news`. It answers another
object: the log and the last number before the group of each log, by its place; the places of the
changes of accounts whose name is taken; by the place of a claim that is refused, the key that is
another's; a number that is greater than that of any group before in which the same client was
taken; and which servers are gone, each with its heir.

Everybody who listens is notified of the news. The database does that in the order in which groups
are committed, and tells everybody of them in that order: it is the one order of all servers.
"""

from twisted_chat.stores.postgres.news import PIECE
from twisted_chat.stores.records import ACCOUNT, SESSION
from twisted_chat.stores.rows import COLUMNS

FENCED = "CHAT1"
"""The SQLSTATE of a group that comes too late: another server looks after its people by now."""

_HEAD = 1_000
"""Bytes before the first piece of news, in the same notification."""

MOVED = "CHAT2"
"""The SQLSTATE of a group with requests of clients that went on elsewhere: these, as JSON."""

ASKING = "pg_advisory_xact_lock_shared(4, hashtext(current_schema()))"
TAKING = ASKING.replace("_shared", "")
"""What keeps a client from being taken while something is stored that it has asked for."""

TOGETHER = "pg_advisory_xact_lock(3, hashtext(current_schema()))"
"""What keeps others waiting who claim something too, or who join or leave."""

HEIRLESS = "SELECT node FROM claims WHERE node NOT IN (SELECT node FROM nodes)"
"""Servers that are gone, whose keys nobody has inherited, perhaps as the heir is gone too."""

TELL_NEWS = f"""
CREATE OR REPLACE FUNCTION tell_news(this_node bigint, this_group bigint, head text, news text[])
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    channel text := left('chat_' || current_schema(), 63);
    sender text := this_node || ' ' || this_group || ' ';
    nth int := 0;
BEGIN
    head := head || E'\\n';
    WHILE length(head) > {_HEAD} LOOP
        PERFORM pg_notify(channel, sender || nth || E' more\\n' || left(head, {PIECE}));
        head := substr(head, {PIECE + 1});
        nth := nth + 1;
    END LOOP;
    FOR place IN 1 .. cardinality(news) LOOP
        PERFORM pg_notify(channel, sender || nth
            || CASE WHEN place = cardinality(news) THEN E' end\\n' ELSE E' more\\n' END
            || CASE WHEN place = 1 THEN head ELSE '' END || news[place]);
        nth := nth + 1;
    END LOOP;
END
$$
"""
"""Notify everybody who listens; `head` is JSON that holds only numbers."""

_TYPES = {
    **dict.fromkeys(("time", "since", "until", "created", "used"), "double precision"),
    **dict.fromkeys(("quiet", "asleep", "displaced", "locked", "admin"), "boolean"),
}


def _values(row: str, columns: str, first: int = 0) -> str:
    """The values of a JSON array, from one on, as SQL that gives these columns."""
    types = (_TYPES.get(name.strip(), "text") for name in columns.split(","))
    return ", ".join(f"({row}->>{place})::{each}" for place, each in enumerate(types, first))


def _update(columns: str) -> str:
    """What an upsert does with a row that is there already."""
    names = (name.strip() for name in columns.split(","))
    return "ON CONFLICT (id) DO UPDATE SET " + ", ".join(f"{n} = excluded.{n}" for n in names)


_KEYED = f"{ACCOUNT}, key"
_EVENT = COLUMNS.removeprefix("id, ")
_REF = 1 + COLUMNS.split(", ").index("ref")

STORE_GROUP = f"""
CREATE OR REPLACE FUNCTION store_group(
    this_node bigint, this_group bigint, lease interval, work jsonb, news text
) RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    known nodes%ROWTYPE;
    this_log bigint;
    number bigint;
    change jsonb;
    nth int := 0;
    taken jsonb := '[]';
    bases jsonb := '{{}}';
    pieces text[] := string_to_array(news, E'\\x1f');
    events jsonb := replace(nullif(news, ''), E'\\x1f', '')::jsonb->'stored';
    keys text[];
    owner text;
    refused jsonb := '{{}}';
    departed jsonb;
    takes bigint;
    is_late boolean;
    result jsonb;
BEGIN
    SELECT * INTO known FROM nodes WHERE node = this_node FOR UPDATE;
    IF known.done = this_group THEN
        RETURN known.answer;
    ELSIF known.node IS NULL OR known.done > this_group THEN
        RAISE EXCEPTION 'another server has taken over' USING ERRCODE = '{FENCED}';
    END IF;
    is_late := known.until < clock_timestamp() + lease / 2;

    IF work ? 'takes' THEN
        PERFORM {TAKING};
        takes := nextval('requests');
        INSERT INTO clients SELECT DISTINCT jsonb_array_elements_text(work->'takes'), this_node
        ON CONFLICT (client) DO UPDATE SET node = excluded.node;
    END IF;
    IF work ? 'clients' THEN
        PERFORM {ASKING};
        SELECT jsonb_agg(client) INTO departed FROM clients JOIN nodes USING (node)
        WHERE client IN (SELECT jsonb_array_elements_text(work->'clients')) AND node != this_node;
        IF departed IS NOT NULL THEN
            RAISE EXCEPTION USING ERRCODE = '{MOVED}', MESSAGE = departed::text;
        END IF;
    END IF;
    IF work ? 'claims' OR work ? 'inherited' THEN
        PERFORM {TOGETHER};
    END IF;
    FOR change IN SELECT * FROM jsonb_array_elements(work->'inherited') LOOP
        DELETE FROM claims WHERE node = (change->>0)::bigint
            AND NOT coalesce(change->1->holder, '[]') ? key;
        UPDATE claims SET node = this_node WHERE node = (change->>0)::bigint;
        INSERT INTO claims
        SELECT jsonb_array_elements_text(value), key, this_node FROM jsonb_each(change->1)
        ORDER BY 1 ON CONFLICT (key) DO NOTHING;
    END LOOP;
    FOR change IN SELECT * FROM jsonb_array_elements(work->'claims') LOOP
        keys := ARRAY(SELECT jsonb_array_elements_text(change->2));
        IF change->1 = 'null' THEN
            DELETE FROM claims WHERE key = ANY (keys) AND holder = change->>0
                AND node = this_node;
        ELSE
            SELECT key INTO owner FROM claims WHERE key = ANY (keys)
                AND holder NOT IN (change->>0, change->>1) ORDER BY key LIMIT 1;
            IF FOUND THEN
                refused := refused || jsonb_build_object(nth, owner);
            ELSE
                INSERT INTO claims SELECT unnest(keys), change->>0, this_node
                ON CONFLICT (key) DO UPDATE SET holder = excluded.holder, node = excluded.node;
            END IF;
        END IF;
        nth := nth + 1;
    END LOOP;
    nth := 0;
    IF work ? 'shared' THEN
        PERFORM FROM shared WHERE name IN (SELECT jsonb_object_keys(work->'shared'))
        ORDER BY name FOR UPDATE;
        DELETE FROM shared WHERE name IN
            (SELECT key FROM jsonb_each(work->'shared') WHERE value = 'null');
        INSERT INTO shared SELECT * FROM jsonb_each(work->'shared') WHERE value != 'null'
        ORDER BY 1 ON CONFLICT (name) DO UPDATE SET value = excluded.value
            WHERE coalesce(shared.value->'taken' <= excluded.value->'taken', true);
    END IF;

    IF work ? 'erased' THEN
        WITH gone AS (
            DELETE FROM logs WHERE name IN (SELECT jsonb_array_elements_text(work->'erased'))
            RETURNING log
        ), stated AS (DELETE FROM state USING gone WHERE state.log = gone.log)
        DELETE FROM events USING gone WHERE events.log = gone.log;
    END IF;
    FOR change IN SELECT * FROM jsonb_array_elements(work->'accounts') LOOP
        IF jsonb_typeof(change) = 'string' THEN
            DELETE FROM accounts WHERE id = change #>> '{{}}';
        ELSE
            BEGIN
                INSERT INTO accounts ({_KEYED}) VALUES ({_values("change", _KEYED)})
                {_update(_KEYED)};
            EXCEPTION WHEN unique_violation THEN
                taken := taken || to_jsonb(nth);
            END;
        END IF;
        nth := nth + 1;
    END LOOP;
    IF work ? 'dropped' THEN
        DELETE FROM sessions WHERE id IN (SELECT jsonb_array_elements_text(work->'dropped'));
        DELETE FROM clients WHERE client IN (SELECT jsonb_array_elements_text(work->'dropped'));
    END IF;
    IF work ? 'sessions' THEN
        INSERT INTO sessions ({SESSION})
        SELECT {_values("r", SESSION)} FROM jsonb_array_elements(work->'sessions') r
        ORDER BY 1 {_update(SESSION)};
    END IF;

    IF work ? 'logs' THEN
        INSERT INTO logs (name, room)
        SELECT r->>0, r->>1 FROM jsonb_array_elements(work->'logs') r
        WHERE (r->>2)::boolean ORDER BY 1 ON CONFLICT (name) DO NOTHING;
        PERFORM FROM logs WHERE name IN
            (SELECT r->>0 FROM jsonb_array_elements(work->'logs') r) ORDER BY log FOR UPDATE;
        WITH wanted AS (
            SELECT at - 1 AS place, r->>0 AS name, (r->>3)::bigint AS count
            FROM jsonb_array_elements(work->'logs') WITH ORDINALITY AS each (r, at)
        ), grown AS (
            UPDATE logs SET last = last + count FROM wanted WHERE logs.name = wanted.name
            RETURNING wanted.place, logs.log, last - count AS base
        )
        SELECT jsonb_object_agg(grown.place, jsonb_build_array(log, base)) INTO bases FROM grown;
        INSERT INTO events (log, id, {_EVENT}, request)
        SELECT (base->>0)::bigint, (base->>1)::bigint + (r->>1)::bigint, {_values("r", _EVENT, 2)},
            CASE WHEN r->>{_REF} IS NOT NULL THEN nextval('requests') END
        FROM jsonb_array_elements(events) WITH ORDINALITY AS each (r, at),
            LATERAL (SELECT bases->(r->>0)) AS b (base)
        WHERE base IS NOT NULL ORDER BY at;
    END IF;
    FOR change IN SELECT * FROM jsonb_array_elements(work->'state') LOOP
        this_log := bases->(change->>0)->>0;
        number := (bases->(change->>0)->>1)::bigint + (change->>1)::bigint;
        IF change->3 = 'null' THEN
            DELETE FROM state WHERE log = this_log AND name = change->>2;
        ELSIF this_log IS NOT NULL THEN
            INSERT INTO state VALUES (this_log, change->>2, CASE
                WHEN change->4 = 'null' THEN change->3
                WHEN change->4 = '[]' THEN to_jsonb(number)
                ELSE jsonb_set(change->3,
                    ARRAY(SELECT jsonb_array_elements_text(change->4)), to_jsonb(number))
            END) ON CONFLICT (log, name) DO UPDATE SET value = excluded.value;
        END IF;
    END LOOP;
    IF work ? 'renames' THEN
        FOR change IN SELECT * FROM jsonb_array_elements(work->'renames') LOOP
            UPDATE sessions SET nickname = change->>2 WHERE person = change->>0;
            UPDATE shared SET value = jsonb_set(value, '{{nickname}}', change->2)
            WHERE name = 'name/' || (change->>0)
                AND value->'nickname' = change->1 AND value->'displaced' = 'false';
        END LOOP;
    END IF;

    IF work ? 'renews' AND NOT is_late AND known.since < clock_timestamp() - lease THEN
        WITH dead AS (
            SELECT node FROM nodes WHERE until < clock_timestamp() AND node != this_node
            ORDER BY node FOR UPDATE SKIP LOCKED
        ), buried AS (
            DELETE FROM nodes USING dead WHERE nodes.node = dead.node RETURNING nodes.node
        )
        SELECT jsonb_agg(jsonb_build_array(node, this_node) ORDER BY node) INTO departed
        FROM (SELECT node FROM buried UNION {HEIRLESS}) gone;
    END IF;
    IF departed IS NOT NULL AND pieces = '{{}}' THEN
        pieces := '{{"{{}}"}}';
    END IF;
    IF pieces != '{{}}' THEN
        PERFORM tell_news(this_node, this_group,
            jsonb_build_object('bases', bases, 'gone', departed)::text, pieces);
    END IF;
    IF departed IS NULL AND NOT work ? 'is_kept' THEN
        PERFORM set_config('synchronous_commit', 'off', true);
    END IF;

    result := jsonb_build_object(
        'bases', bases, 'taken', taken, 'refused', refused, 'order', takes,
        'gone', coalesce(departed, '[]'));
    UPDATE nodes SET done = this_group, answer = result, until = clock_timestamp() + lease,
        since = CASE WHEN is_late THEN clock_timestamp() ELSE since END WHERE node = this_node;
    RETURN result;
END
$$
"""  # noqa: S608 - ours
