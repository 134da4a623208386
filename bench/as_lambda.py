"""What a Lambda in Python does to fill a database: read the file, execute it, commit."""

import sys

import psycopg2

with open(sys.argv[1], encoding='utf-8') as file:
    script = file.read()
connection = psycopg2.connect('')
with connection.cursor() as cursor:
    cursor.execute(script)
connection.commit()
connection.close()
