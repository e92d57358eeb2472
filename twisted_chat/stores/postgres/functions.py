"""The function in the database that stores a group of entries, and all that goes with them.

One call stores it all or nothing: a server that stops in its middle keeps nobody waiting. A group
has a number, so that one whose answer was lost can be sent again, and is stored once.

It gets one JSON object, and answers another: the log and the last number before the group of each
log, by its place, and the places of the changes of accounts whose name is taken.
"""

from twisted_chat.stores.records import ACCOUNT, SESSION
from twisted_chat.stores.rows import COLUMNS

FENCED = "CHAT1"
"""The SQLSTATE of a group that comes too late: another server writes by now."""

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
CREATE OR REPLACE FUNCTION store_group(this_node bigint, this_group bigint, work jsonb)
RETURNS jsonb LANGUAGE plpgsql AS $$
DECLARE
    known nodes%ROWTYPE;
    this_log bigint;
    number bigint;
    change jsonb;
    nth int := 0;
    taken jsonb := '[]';
    bases jsonb := '{{}}';
    result jsonb;
BEGIN
    SELECT * INTO known FROM nodes WHERE node = this_node FOR UPDATE;
    IF known.done = this_group THEN
        RETURN known.answer;
    ELSIF known.done IS DISTINCT FROM this_group - 1 THEN
        RAISE EXCEPTION 'another server has taken over' USING ERRCODE = '{FENCED}';
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
    END IF;
    IF work ? 'sessions' THEN
        INSERT INTO sessions ({SESSION})
        SELECT {_values("r", SESSION)} FROM jsonb_array_elements(work->'sessions') r
        {_update(SESSION)};
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
        FROM jsonb_array_elements(work->'events') WITH ORDINALITY AS each (r, at),
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
        UPDATE sessions SET nickname = value FROM jsonb_each_text(work->'renames')
        WHERE person = key;
    END IF;

    result := jsonb_build_object('bases', bases, 'taken', taken);
    UPDATE nodes SET done = this_group, answer = result WHERE node = this_node;
    RETURN result;
END
$$
"""  # noqa: S608 - ours
