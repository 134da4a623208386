SELECT 'CREATE TABLE made (n int)', 'SELECT nosuch' \gexec
