INSERT INTO second VALUES (1);
COPY first FROM stdin;
5
\.
