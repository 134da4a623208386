"""The function that rdsinit replaces: boto3 and psycopg2, with the loop of Lambda's own runtime around it.

As such functions are written with care: clients are made once, outside the handler; the secret is got, the database made
where it is missing, the script applied in one transaction, and a failure is a failure.
"""

import http.client
import json
import os
import traceback

import boto3
import psycopg2
from psycopg2 import sql

# Debian's boto3 is older than this variable, which later ones read themselves.
secrets = boto3.client('secretsmanager', endpoint_url=os.environ['AWS_ENDPOINT_URL_SECRETS_MANAGER'])
with open(os.environ['SCHEMA'], encoding='utf-8') as file:
    SCHEMA = file.read()


def handler(event, context):
    del event, context
    secret = json.loads(secrets.get_secret_value(SecretId=os.environ['DB_SECRET_NAME'])['SecretString'])
    name = os.environ['DB_NAME']
    try:
        connection = connect(secret, name)
    except psycopg2.OperationalError as error:
        if 'does not exist' not in str(error):
            raise
        create_database(secret, name)
        connection = connect(secret, name)
    try:
        with connection, connection.cursor() as cursor:
            cursor.execute(SCHEMA)
    finally:
        connection.close()
    return {'statusCode': 200, 'body': 'RDS schema initialization successful!'}


def connect(secret, database):
    return psycopg2.connect(host=os.environ['DB_HOST'], port=os.environ['DB_PORT'], dbname=database,
                            user=secret['username'], password=secret['password'], sslmode=os.environ['DB_SSLMODE'])


def create_database(secret, name):
    connection = connect(secret, 'postgres')
    connection.autocommit = True        # CREATE DATABASE cannot be in a transaction
    try:
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL('CREATE DATABASE {}').format(sql.Identifier(name)))
    finally:
        connection.close()


def main():
    """The Runtime API, as Lambda's client for Python uses it: one connection, kept open."""
    api = http.client.HTTPConnection(os.environ['AWS_LAMBDA_RUNTIME_API'])
    while True:
        api.request('GET', '/2018-06-01/runtime/invocation/next')
        response = api.getresponse()
        event = json.loads(response.read())
        request_id = response.headers['Lambda-Runtime-Aws-Request-Id']
        try:
            answer, how, headers = handler(event, None), 'response', {}
        except Exception as error:      # pylint: disable=broad-except
            answer = {'errorType': type(error).__name__, 'errorMessage': str(error), 'stackTrace': traceback.format_exc()}
            how, headers = 'error', {'Lambda-Runtime-Function-Error-Type': type(error).__name__}
        api.request('POST', '/2018-06-01/runtime/invocation/%s/%s' % (request_id, how), json.dumps(answer), headers)
        api.getresponse().read()


if __name__ == '__main__':
    main()
