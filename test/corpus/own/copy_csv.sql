CREATE TABLE book (isbn text, title text, pages int);
COPY book FROM stdin WITH (FORMAT csv, HEADER);
isbn,title,pages
1,"quoted, with comma",10
2,"a line
break; and "" a quote",20
3,,30
\.
COPY book FROM stdin (FORMAT csv, DELIMITER ';', QUOTE '''', FORCE_NOT_NULL (title), NULL 'NIL');
4;'it''s';40
5;;NIL
\.
COPY book FROM STDIN DELIMITERS '|';
6|old syntax|60
\.
COPY book (title) FROM STDIN CSV;
\N
\.
