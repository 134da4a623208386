"""Bundles: the files of a directory in one text, as bundle_reader.c takes it apart."""

from .damage import damaged

NAMES = ['schema.sql', 'R__a.sql', 'V1.2__b.sql', 'U1.2__b.sql', 'B1__c.sql', 'V1_d.sql', '0001_e.sql', '1_f.up.sql', '1_f.down.sql',
         '20260101120000_g.sql', '2026-01-01-120000_h/up.sql', '2026-01-01-120000-0000_h/down.sql', '2026-01-01-120000_h/metadata.toml',
         '20260101120000_i/migration.sql', '01.02.03_04_j.sql', 'V.sql', 'V1.sql', '1.sql', '.sql', 'up.sql', 'x/up.sql', 'a/b/c.sql',
         'V1..2__k.sql', 'V1._2__k.sql', 'V00__k.sql', 'V9' + '9' * 200 + '__l.sql', 'ä.sql', 'a\x01.sql', 'readme.txt', 'a/' * 40 + 'z.sql']
LINES = ['SELECT 1;', '-- rdsinit: no-transaction', '-- migrate:up', '-- migrate:up transaction:false x', '-- migrate:down', '-- +goose Up',
         '-- +goose Down', '-- +goose NO TRANSACTION', '-- +goose ENVSUB ON', '  --  +GOOSE  up ', '\ufeff-- migrate:up', "SET client_encoding = 'LATIN1';",
         'run_in_transaction = false', 'run_in_transaction = maybe # x', '[table]', '', '\r', '-> schema.sql', '-> /etc/passwd', '-> ..', 'x' * 3000]
END = b'\x1e'

SEEDS = [
    {'schema.sql': 'CREATE TABLE t ();\r\n'}, {'V1__a.sql': 'SELECT 1;', 'U1__a.sql': 'SELECT 2;', 'R__b.sql': '\ufeffSELECT 3;'},
    {'1_a.sql': '-- migrate:up transaction:false\nSELECT 1;\n-- migrate:down\nSELECT 2;\n'},
    {'2026-01-01-120000_h/up.sql': 'SELECT 1;', '2026-01-01-120000_h/metadata.toml': '# x\nrun_in_transaction = false\n'},
    {'2_a.sql': '-- +goose Down\nSELECT 1;'}, {'V1_a.sql': ''}, {'readme.txt': 'x'}, {'a.sql': '-> /etc/passwd'},
    {'a.sql': 'SELECT 1;', 'b.sql': '-> a.sql'}, {'h/up.sql': '', 'h/metadata.toml': 'run_in_transaction=maybe'},
    {'a.sql': b"SET client_encoding = 'LATIN1'; SELECT '\xe4';"}, {'a.sql': b"SELECT '\xe4';"}, {'a.sql': 'SELECT \0;'},
]
WORDS = ['bundle', 'bundle', 'bundle', 'bundle', 'wrong', 'wrong', 'refused', 'refused', 'bundle', 'refused', 'encoded', 'refused', 'refused']


def _text(files):
    return END.join(name.encode() + b'\n' + (body if isinstance(body, bytes) else body.encode()) for name, body in files.items())


def seeds():
    return [_text(files) for files in SEEDS]


def made(chance):
    files = dict(chance.choice(SEEDS))
    for _ in range(chance.randrange(4)):
        files[chance.choice(NAMES)] = '\n'.join(chance.choice(LINES) for _ in range(chance.randrange(6)))
    text = _text(files)
    return damaged(chance, text) if chance.random() < 0.5 else text
