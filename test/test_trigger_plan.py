"""A plan by the trigger: all is run and rolled back, and nothing stays."""

import json
import threading

import pytest

from support.scripts import SHOP

pytestmark = pytest.mark.extension

PLAN = {'plan': True}
REPLY_AT_MOST = 128 * 1024


def test_an_event_asks_for_a_plan(trigger, planned):
    payload = trigger(SHOP).succeed(PLAN)
    assert (payload['statusCode'], payload['mode'], payload['database']) == (200, 'extension', planned.name)
    assert 'nothing was changed' in payload['body']
    assert [(step['script'], step['line'], step['tag'], step['rows']) for step in payload['plan']] == [
        ('schema.sql', 2, 'CREATE SCHEMA', 0), ('schema.sql', 3, 'CREATE TABLE', 0), ('schema.sql', 7, 'INSERT', 2)]
    assert payload['statements'] == 3 and payload['warnings'] == {'high': 0, 'medium': 0, 'low': 0}
    assert 'truncated' not in payload and 'scripts' not in payload and 'databaseCreated' not in payload
    assert planned.relations() == ['public.product'] and planned.history('rdsinit') == []


def test_plan_false_is_a_deployment(trigger, planned):
    assert trigger(SHOP).succeed({'plan': False})['scripts'][0]['outcome'] == 'applied'


def test_plan_must_be_a_boolean(trigger, planned):
    assert '"plan"' in trigger(SHOP).fail({'plan': 'text'})['errorMessage']


def test_warnings_are_in_the_answer(trigger, planned):
    payload = trigger('TRUNCATE product;').succeed(PLAN)
    assert payload['plan'][0]['warnings'][0]['rule'] == 'data-loss'
    assert payload['warnings']['high'] == 1
    assert planned.value('SELECT count(*) FROM product') == 3


def test_a_bundle_that_is_applied_has_an_empty_plan(trigger, planned):
    function = trigger(SHOP)
    function.succeed()
    assert function.succeed(PLAN)['plan'] == []


def test_a_baseline_is_planned_with_and_does_not_stay(trigger, planned):
    bundle = {'V1__a.sql': 'CREATE TABLE product ();', 'V2__b.sql': 'CREATE TABLE b ();'}
    function = trigger(bundle)
    assert function.fail(PLAN)['sqlstate'] == '42P07'
    payload = function.succeed({'plan': True, 'baseline': '1'})
    assert [step['script'] for step in payload['plan']] == ['V2__b.sql']
    assert planned.history('rdsinit') == []
    assert function.fail(PLAN)['sqlstate'] == '42P07', 'the baseline has stayed'


def test_an_error_has_its_place(trigger, planned):
    payload = trigger('CREATE TABLE a ();\nALTER TABLE nosuch ADD x int;').fail(PLAN)
    assert (payload['errorType'], payload['sqlstate']) == ('Rdsinit.Script', '42P01')
    assert payload['errorMessage'] == 'schema.sql:2:1: relation "nosuch" does not exist'
    assert planned.relations() == ['public.product']


def test_a_large_plan_keeps_what_has_warnings(trigger, planned):
    harmless = ''.join('CREATE TABLE t%d (id int, name text);\n' % i for i in range(2000))
    payload = trigger(harmless + 'TRUNCATE product;').succeed(PLAN, timeout=60)
    assert payload['truncated'] is True
    assert payload['statements'] == 2001 == len(payload['plan']) + payload['omitted']
    assert payload['plan'][-1]['tag'] == 'TRUNCATE TABLE'
    ordinals = [step['ordinal'] for step in payload['plan']]
    assert ordinals == sorted(ordinals) and ordinals[:3] == [1, 2, 3]
    assert 100 * 1024 < len(json.dumps(payload, separators=(',', ':'), ensure_ascii=False).encode()) <= REPLY_AT_MOST


def test_no_database_is_created(trigger, database):
    payload = trigger(SHOP).fail(PLAN)
    assert (payload['errorType'], payload['sqlstate']) == ('Rdsinit.Database', '3D000')
    assert 'deploy once' in payload['hint']
    assert not database.exists()


def test_no_extension_is_created(trigger, database):
    database.create()
    payload = trigger(SHOP).fail(PLAN)
    assert payload['errorType'] == 'Rdsinit.Database' and database.name in payload['errorMessage']
    assert 'CREATE EXTENSION rdsinit' in payload['hint']
    assert database.value("SELECT count(*) FROM pg_extension WHERE extname = 'rdsinit'") == 0


def test_the_fallback_has_no_plan(plain, database):
    payload = plain(SHOP).fail(PLAN)
    assert not database.exists()
    assert payload['errorType'] == 'Rdsinit.Configuration' and 'RDSINIT_MODE' in payload['errorMessage']


def test_a_history_that_is_not_adopted(trigger, plain, database):
    plain(SHOP).succeed()
    database.rows('CREATE EXTENSION rdsinit')
    payload = trigger(SHOP).fail(PLAN)
    assert 'rdsinit_plain.history' in payload['errorMessage'] and 'rdsinit.adopt' in payload['hint']
    assert database.history('rdsinit_plain') is not None


def test_a_role_that_may_not_plan(trigger, planned, role):
    name, password = role()
    payload = trigger(SHOP, DB_USER=name, DB_PASSWORD=password).fail(PLAN)
    assert payload['sqlstate'] == '42501'
    assert 'GRANT EXECUTE ON FUNCTION rdsinit.plan_bundle(text[],text[],jsonb)' in payload['hint']


def test_a_lock_that_is_not_to_be_had_before_the_deadline(trigger, planned):
    connection = planned.connect()
    connection.autocommit = False
    connection.cursor().execute('LOCK product')
    payload = trigger('ALTER TABLE product ADD x int;').fail(PLAN, timeout_s=4)
    connection.close()
    assert payload['sqlstate'] in ('55P03', '57014')


def test_by_hand_the_text_is_printed(once, planned):
    result = once('TRUNCATE product;', '--plan')
    assert result.code == 0
    text = planned.value("SELECT rdsinit.plan_text('schema.sql', 'TRUNCATE product;')")
    assert 'TRUNCATE' in result.stdout and 'data-loss' in text and 'data-loss' in result.stdout
    assert result.stdout.splitlines()[0].split(',')[0] == text.splitlines()[0].split(',')[0]
    assert planned.value('SELECT count(*) FROM product') == 3


def test_by_hand_a_failure_leaves_the_output_empty(once, database):
    result = once(SHOP, '--plan')
    assert (result.code, result.stdout) == (1, '')
    assert 'does not exist' in result.log[-1]['message'] and 'deploy once' in result.log[-1]['hint']


def test_plan_is_for_once_alone(once):
    from support import run_once
    result = run_once('', {}, '--plan')
    assert (result.code, result.stdout) == (2, '') and '--plan' in result.stderr


def test_two_plans_at_once_take_turns(trigger, planned):
    first, second = trigger('SELECT pg_sleep(1);'), trigger('SELECT pg_sleep(1);')
    answers = []
    threads = [threading.Thread(target=lambda each=each: answers.append(each.succeed(PLAN))) for each in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer['statements'] for answer in answers] == [1, 1]
    assert max(answer['durationMs'] for answer in answers) >= 1250, 'the second did not wait'
