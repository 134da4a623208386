-- corpus: psql -v owner_table=caller
\set one 1
\set word 'it''s a word'
\set table my table
\set joined a 'b c' d
\set both :one:one
\set ON_ERROR_STOP on
CREATE TABLE :"table" (n int DEFAULT :one, v text DEFAULT :'word');
CREATE TABLE :"joined" (a int[]);
CREATE TABLE :owner_table (b int DEFAULT :both);
INSERT INTO :"joined" SELECT (ARRAY[1,2,3])[:one:2];
INSERT INTO :"table" VALUES (2, ':one'), (3, $$ :word $$), (4, E'\':one'), ('5'::int, ':"table"');
SELECT 1 AS ":one", :{?one} AS is_set, :{?nosuch} AS is_not, '10:30:00'::time;
INSERT INTO :"table" VALUES (:one::int, /* :word */ -- :word
  :'word');
\unset one
INSERT INTO :"table" SELECT 6 WHERE NOT :{?one};
SELECT n AS a_number, v AS a_word FROM :"table" WHERE n = 2 \gset got_
INSERT INTO :"table" VALUES (:got_a_number + 100, :'got_a_word');
