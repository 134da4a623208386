"""A template of CloudFormation as it is deployed: parameters, conditions and functions carried out.

Reads what CDK has synthesised (JSON).  What only a deployment knows is a word in angle
brackets: <Role.Arn>, <Secret>.
"""

import re

NOTHING = object()
PSEUDO = {'AWS::Partition': 'aws', 'AWS::Region': 'eu-central-1', 'AWS::AccountId': '123456789012',
          'AWS::URLSuffix': 'amazonaws.com', 'AWS::StackName': 'stack', 'AWS::NoValue': NOTHING}


class Refused(Exception):
    """CloudFormation does not begin with these parameters."""


class Deployment:
    """The resources that a template comes to with these parameters."""

    def __init__(self, template, pseudo=None, **parameters):
        self.template = template
        self.values = {**PSEUDO, **(pseudo or {})}
        self._take(parameters)
        self._check_rules()
        self.resources = {
            name: {key: self._resolve(value) for key, value in resource.items()}
            for name, resource in template['Resources'].items()
            if 'Condition' not in resource or self._condition(resource['Condition'])}

    def of_type(self, type_):
        return {name: resource['Properties'] for name, resource in self.resources.items() if resource['Type'] == type_}

    def properties(self, name):
        return self.resources[name]['Properties']

    def _take(self, given):
        declared = {name: each for name, each in self.template['Parameters'].items() if name != 'BootstrapVersion'}
        for name in given:
            if name not in declared:
                raise Refused('%s is no parameter' % name)
        for name, each in declared.items():
            if name not in given and 'Default' not in each:
                raise Refused('%s must have a value' % name)
            self.values[name] = _checked(name, each, given.get(name, each.get('Default')))

    def _check_rules(self):
        for name, rule in self.template.get('Rules', {}).items():
            if name == 'CheckBootstrapVersion' or not self._truth(rule.get('RuleCondition', {'Fn::Equals': ['', '']})):
                continue
            for assertion in rule['Assertions']:
                if not self._truth(assertion['Assert']):
                    raise Refused(assertion['AssertDescription'])

    def _condition(self, name):
        return self._truth(self.template['Conditions'][name])

    def _truth(self, expression):
        (function, argument), = expression.items()
        if function == 'Condition':
            return self._condition(argument)
        if function == 'Fn::Equals':
            one, other = map(self._resolve, argument)
            return str(one) == str(other)
        if function == 'Fn::Not':
            return not self._truth(argument[0])
        return {'Fn::And': all, 'Fn::Or': any}[function](map(self._truth, argument))

    def _resolve(self, value):
        if isinstance(value, list):
            return [each for each in map(self._resolve, value) if each is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (function, argument), = value.items()
            if function == 'Ref':
                return self._named(argument)
            if function.startswith('Fn::'):
                return getattr(self, '_' + function[4:].lower())(argument)
        resolved = {key: self._resolve(each) for key, each in value.items()}
        return {key: each for key, each in resolved.items() if each is not NOTHING}

    def _named(self, name):
        return self.values[name] if name in self.values else '<%s>' % name

    def _getatt(self, argument):
        return '<%s>' % (argument if isinstance(argument, str) else '.'.join(argument))

    def _if(self, argument):
        return self._resolve(argument[1 if self._condition(argument[0]) else 2])

    def _split(self, argument):
        return self._resolve(argument[1]).split(argument[0])

    def _sub(self, argument):
        text, extra = argument if isinstance(argument, list) else (argument, {})
        extra = {name: self._resolve(value) for name, value in extra.items()}
        return re.sub(r'\$\{([^}]*)\}', lambda match: str(extra.get(match[1], self._named(match[1]))), text)


def _checked(name, declared, value):
    """What CloudFormation checks of a parameter; the value."""
    def refuse_unless(fits):
        if not fits:
            raise Refused('%s is %r: %s' % (name, value, declared.get('ConstraintDescription', declared)))
    text = str(value)
    refuse_unless(text in map(str, declared.get('AllowedValues', [text])))
    refuse_unless(re.fullmatch(declared.get('AllowedPattern', '(?s).*'), text))
    refuse_unless(declared.get('MinLength', 0) <= len(text) <= declared.get('MaxLength', 4096))
    if declared['Type'] == 'Number':
        refuse_unless(re.fullmatch('-?[0-9]+', text))
        refuse_unless(declared.get('MinValue', int(text)) <= int(text) <= declared.get('MaxValue', int(text)))
    return text.split(',') if declared['Type'].startswith('List<') else value
