CREATE TABLE u (n int);

SELECT nosuch;
