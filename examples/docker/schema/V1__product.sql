CREATE TABLE product (
    id    int  PRIMARY KEY,
    name  text NOT NULL
);

COPY product (id, name) FROM stdin;
1	a chair
2	a table
\.
