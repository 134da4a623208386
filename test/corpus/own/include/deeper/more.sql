CREATE TABLE third (n int);
COPY third FROM stdin;
1
2
