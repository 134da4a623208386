\set prefix in_
CREATE TABLE first (n int);
\i include/tables.sql
\ir include/deeper/data.sql
\set QUIET on
CREATE TABLE last (n int);
