-- A database as version 1 made it, with two rooms, a whisper, and somebody who may resume.
CREATE TABLE logs (
    log INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    room TEXT NOT NULL,
    topic TEXT NOT NULL DEFAULT ''
);
CREATE TABLE events (
    log INTEGER NOT NULL,
    id INTEGER NOT NULL,
    time REAL NOT NULL,
    kind TEXT NOT NULL,
    sender TEXT NOT NULL,
    recipient TEXT,
    text TEXT,
    origin TEXT NOT NULL,
    ref TEXT,
    PRIMARY KEY (log, id)
) WITHOUT ROWID;
CREATE INDEX refs ON events (origin, time) WHERE ref IS NOT NULL;
CREATE TABLE seats (
    id TEXT PRIMARY KEY,
    token TEXT NOT NULL,
    nickname TEXT NOT NULL,
    address TEXT NOT NULL,
    since REAL NOT NULL,
    rooms TEXT NOT NULL
) WITHOUT ROWID;
PRAGMA user_version = 1;
INSERT INTO logs (log, name, room) VALUES (1, '#lobby', '#lobby'), (2, '#old', '#old'),
    (3, '@0000000000000000', '@');
INSERT INTO events VALUES
    (1, 1, 1780000000, 'message', 'veteran', NULL, '=m0.1=', '0000000000000000', NULL),
    (1, 2, 1780000001, 'message', 'veteran', NULL, '=m0.2=', '0000000000000000', NULL),
    (2, 1, 1780000002, 'message', 'veteran', NULL, '=m0.3=', '0000000000000000', NULL),
    (3, 1, 1780000003, 'whisper', 'friend', 'veteran', '=w0.4=', 'ffffffffffffffff', NULL);
INSERT INTO seats VALUES (
    '0000000000000000', '9bdf10a691a1cfda89d9ff66629d1609ab176cec9b6a3146a8929f28937a9fce',
    'veteran', '127.0.0.1', 1780000000, '{"#lobby": 0, "#old": 0}'
);
