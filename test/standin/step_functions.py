"""Step Functions, as far as fleet.yaml goes: a distributed map over a list, and a task that invokes a function.

It walks the definition by the rules of the Amazon States Language: what it does not know it refuses.  Nothing waits:
the pauses before another attempt are kept, and not slept through.  Items are done one after another.
"""

import csv
import dataclasses
import io
import json

MAP_KEYS = {'Type', 'Label', 'ItemReader', 'MaxConcurrency', 'ToleratedFailurePercentage', 'ItemProcessor', 'ResultWriter', 'End'}
TASK_KEYS = {'Type', 'Resource', 'Arguments', 'Output', 'TimeoutSeconds', 'Retry', 'End'}


class Failed(Exception):
    """What a service or a function answers a task with: an error's name, and its cause."""

    def __init__(self, error, cause=''):
        super().__init__(error, cause)
        self.error, self.cause = error, cause


@dataclasses.dataclass
class Child:
    """The execution for one item, as the ResultWriter writes it."""
    input: object
    status: str = 'PENDING'
    output: object = None
    error: str = None
    attempts: int = 0
    pauses: list = dataclasses.field(default_factory=list)


@dataclasses.dataclass
class Run:
    """How a map run has ended."""
    status: str
    error: str
    children: list
    written_to: dict            # the ResultWriter's arguments

    def by_status(self, status):
        return [child for child in self.children if child.status == status]


def run(definition, text, evaluate, invoke):
    """The definition run with the list's text.

    evaluate(expression, input, result) is JSONata's; invoke(function's ARN, payload) gives what the function answers, or
    raises Failed.
    """
    assert definition['QueryLanguage'] == 'JSONata'
    state = definition['States'][definition['StartAt']]
    assert state['Type'] == 'Map' and set(state) == MAP_KEYS and state['End'] is True
    processor = state['ItemProcessor']
    assert processor['ProcessorConfig']['Mode'] == 'DISTRIBUTED'
    assert state['ItemReader']['Resource'].endswith(':states:::s3:getObject')
    assert state['ResultWriter']['Resource'].endswith(':states:::s3:putObject')
    task = processor['States'][processor['StartAt']]
    assert task['Type'] == 'Task' and set(task) == TASK_KEYS and task['Resource'].endswith(':states:::lambda:invoke')

    children = [Child(item) for item in _items(state['ItemReader']['ReaderConfig'], text)]
    error = None
    for child in children:
        _run_task(task, child, evaluate, invoke)
        failed = sum(each.status == 'FAILED' for each in children)
        if failed * 100 > state['ToleratedFailurePercentage'] * len(children):
            error = 'States.ExceedToleratedFailureThreshold'
            break
    return Run('FAILED' if error else 'SUCCEEDED', error, children, state['ResultWriter']['Arguments'])


def _items(reader, text):
    if reader['InputType'] == 'JSON':
        return json.loads(text)
    if reader['InputType'] == 'JSONL':
        return [json.loads(line) for line in text.splitlines() if line]
    assert reader == {'InputType': 'CSV', 'CSVHeaderLocation': 'FIRST_ROW'}
    return list(csv.DictReader(io.StringIO(text)))


def _run_task(task, child, evaluate, invoke):
    arguments = {name: evaluate(value, child.input, None) if value.startswith('{%') else value
                 for name, value in task['Arguments'].items()}
    assert set(arguments) == {'FunctionName', 'Payload'}
    while True:
        child.attempts += 1
        try:
            result = {'StatusCode': 200, 'Payload': invoke(arguments['FunctionName'], arguments['Payload'])}
        except Failed as failed:
            pause = _pause(task['Retry'], failed.error, child.attempts)
            if pause is not None:
                child.pauses.append(pause)
                continue
            child.status, child.error, child.output = 'FAILED', failed.error, failed.cause
            return
        child.status, child.output = 'SUCCEEDED', evaluate(task['Output'], child.input, result)
        return


def _pause(retriers, error, attempts):
    """Before the next attempt, at most; None: there is none."""
    for retrier in retriers:
        if error in retrier['ErrorEquals'] or 'States.ALL' in retrier['ErrorEquals']:
            if attempts > retrier['MaxAttempts']:
                return None
            return min(retrier['IntervalSeconds'] * retrier['BackoffRate'] ** (attempts - 1), retrier['MaxDelaySeconds'])
    return None
