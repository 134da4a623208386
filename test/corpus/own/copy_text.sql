-- COPY in text format: nulls, escapes, an empty table, a column list, no end mark at the very end.
CREATE TABLE fruit (id int PRIMARY KEY, name text, note text DEFAULT 'none', price numeric(6,2));
COPY fruit (id, name, note, price) FROM stdin;
1	apple	\N	1.50
2	a\tb\\c	line\nbreak	\N
3	-- no comment; 'no quote $$	/* no comment	0
\.

COPY fruit (id, name) FROM stdin;
4	default note
\.
COPY fruit FROM stdin;
\.
COPY public.fruit (name, id) FROM STDIN WITH (DELIMITER '|', NULL '(null)') WHERE id > 10;
left out|7
taken|11
(null)|12
\.
SELECT count(*) FROM fruit;
copy fruit(id,name) from stdin
;
13	the semicolon is on a line of its own
\.
COPY fruit (id, name) FROM stdin;
14	the file ends without its end mark
