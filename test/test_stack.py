"""The templates: AWS's own validator, CDK's CfnInclude, and what a deployment would come to."""

import fnmatch
import json
import re

import pytest

from support import node
from support.deployment import Refused
from support.stack import FUNCTION, NETWORK, PATHS, REQUIRED, SECRET, TEMPLATES

# What the validator warns of, and why it may.
KNOWN = {
    # A condition keeps the empty default away from the property.
    ('template', 'W1030', 'FunctionSecurityGroupId'), ('template', 'W1030', 'Function'),
    # An ARN of a secret, of a key; the beginning of a name: no passwords.
    ('template', 'W2509', 'SecretArn'), ('template', 'W2509', 'SecretKmsKeyArn'), ('template', 'W2509', 'TargetSecretPrefix'),
}

KEY = 'arn:aws:kms:eu-central-1:123456789012:key/11111111-2222-3333-4444-555555555555'


pytestmark = pytest.mark.usefixtures('npm')


# AWS's validator

OVERRIDES = {
    'defaults': {},
    'China': {'pseudoParameterOverrides': {'region': 'cn-north-1', 'partition': 'aws-cn', 'urlSuffix': 'amazonaws.com.cn'}},
    'all': {'pseudoParameterOverrides': {'region': 'eu-central-1'}, 'parameterOverrides': {
        'CreateEndpoints': 'true', 'RouteTableIds': 'rtb-12345678', 'SecretKmsKeyArn': KEY, 'KmsKeyArn': KEY,
        'TargetSecretPrefix': 'fleet/', 'ListType': 'CSV', 'ListKmsKeyArn': KEY, 'ResultKmsKeyArn': KEY}},
}


def found(paths, overrides):
    """What the validator says, but for remarks."""
    reports = node.node_json('validate.js', json.dumps(overrides), *paths)
    return {(name.rsplit('/', 1)[-1].split('.')[0], each['ruleId'], each.get('entity', {}).get('logicalId'))
            for name, report in reports.items() for each in report if each['severity'] != 'INFO'}


@pytest.mark.parametrize('overrides', OVERRIDES.values(), ids=OVERRIDES)
def test_the_validator_finds_nothing_else(overrides):
    assert found(PATHS.values(), overrides) <= KNOWN


@pytest.mark.parametrize('name, right, wrong, rule', [
    ('template', 'Runtime: provided', 'Runtim: provided', 'F3002'),
    ('template', 'Action: kms:Decrypt', 'Action: 7', 'E3510'),
    ('template', '!Ref LogGroup\n', '!Ref LogGrop\n', 'F6101'),
    ('database', 'DeletionPolicy: Snapshot', 'DeletionPolicy: Snapshto', 'F3016'),
    ('fleet', 'RoleArn: !GetAtt Role.Arn', 'RoleArn: 1', 'E1156'),
])
def test_the_validator_finds_a_mistake(tmp_path, name, right, wrong, rule):
    text = PATHS[name].read_text()
    assert right in text
    broken = tmp_path / (name + '.yaml')
    broken.write_text(text.replace(right, wrong))
    assert rule in {each for _, each, _ in found([broken], {})}
    assert node.node('synth.js', tmp_path / 'out', broken).returncode != 0


# Rights

def statements(deployment):
    """(where, statement) of each statement in any policy, lists made of what may be one."""
    def documents(value, where):
        if isinstance(value, dict):
            if 'Statement' in value:
                for statement in value['Statement']:
                    yield where, {**statement, **{key: statement[key] if isinstance(statement[key], list) else [statement[key]]
                                                  for key in ('Action', 'Resource') if key in statement}}
            for key, each in value.items():
                yield from documents(each, where)
        elif isinstance(value, list):
            for each in value:
                yield from documents(each, where)
    for name, resource in deployment.resources.items():
        yield from documents(resource.get('Properties'), name)


def rights(deployment, role='Role'):
    """{(action, resource)} that a role is allowed."""
    names = {role, *(name for name, policy in deployment.of_type('AWS::IAM::RolePolicy').items()
                     if policy['RoleName'] == '<%s>' % role)}
    return {(action, resource) for where, statement in statements(deployment)
            if where in names and statement['Effect'] == 'Allow' and 'Resource' in statement
            for action in statement['Action'] for resource in statement['Resource']}


EVERYTHING = [
    ('database', {}), ('database', {'KmsKeyArn': KEY}),
    ('template', {}), ('template', {'FunctionSecurityGroupId': '', 'DatabaseCidr': '10.0.0.0/16'}),
    ('template', {'SecretKmsKeyArn': KEY, 'TargetSecretPrefix': 'fleet/', 'CreateEndpoints': 'true', 'RouteTableIds': 'rtb-12345678'}),
    ('template', {'SecretArn': '', 'DatabaseResourceId': 'db-ABC', 'DatabaseUser': 'deployer'}),
    ('fleet', {}), ('fleet', {'ListType': 'CSV', 'ListKmsKeyArn': KEY, 'ResultKmsKeyArn': KEY}),
]


@pytest.mark.parametrize('name, parameters', EVERYTHING)
def test_no_right_is_wider_than_aws_makes_it(deploy, name, parameters):
    for where, statement in statements(deploy(name, **parameters)):
        if statement['Effect'] == 'Deny':
            continue
        assert not any('*' in action for action in statement['Action']), where
        if '*' in statement.get('Resource', []):
            assert set(statement['Action']) <= {'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets'}, where
        if statement.get('Principal') == '*':
            assert where in ('SecretsEndpoint', 'S3Endpoint')


LOG = {('logs:CreateLogStream', '<LogGroup.Arn>'), ('logs:PutLogEvents', '<LogGroup.Arn>')}
READ = ('secretsmanager:GetSecretValue', SECRET)


def without_network(found):
    return {each for each in found if not each[0].startswith('ec2:')}


def test_the_function_may_log_and_read_one_secret(deploy):
    assert without_network(rights(deploy('template'))) == LOG | {READ}


def test_a_key_is_for_that_secret_alone(deploy):
    deployment = deploy('template', SecretKmsKeyArn=KEY)
    assert without_network(rights(deployment)) == LOG | {READ, ('kms:Decrypt', KEY)}
    (decrypt,) = [statement for _, statement in statements(deployment) if 'kms:Decrypt' in statement['Action']]
    assert decrypt['Condition'] == {'StringEquals': {
        'kms:ViaService': 'secretsmanager.eu-central-1.amazonaws.com', 'kms:EncryptionContext:SecretARN': SECRET}}


def test_iam_authentication_needs_no_secret(deploy):
    deployment = deploy('template', SecretArn='', DatabaseResourceId='db-ABC', DatabaseUser='deployer')
    assert without_network(rights(deployment)) == LOG | {
        ('rds-db:connect', 'arn:aws:rds-db:eu-central-1:123456789012:dbuser:db-ABC/deployer')}
    variables = deployment.properties('Function')['Environment']['Variables']
    assert (variables['DB_AUTH'], variables['DB_USER']) == ('iam', 'deployer')
    assert 'DB_SECRET_NAME' not in variables


def test_targets_are_those_below_a_prefix(deploy):
    deployment = deploy('template', TargetSecretPrefix='fleet/')
    assert without_network(rights(deployment)) == LOG | {
        READ, ('secretsmanager:GetSecretValue', 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:fleet/*')}
    assert deployment.properties('Function')['Environment']['Variables']['RDSINIT_EVENT_TARGETS'] == 'allow'
    assert 'RDSINIT_EVENT_TARGETS' not in deploy('template').properties('Function')['Environment']['Variables']


def test_the_network_is_lambdas_and_not_the_codes(deploy):
    """The actions of AWSLambdaVPCAccessExecutionRole, denied to what runs in the function."""
    deployment = deploy('template')
    assert {action for action, _ in rights(deployment) if action.startswith('ec2:')} == {
        'ec2:CreateNetworkInterface', 'ec2:DeleteNetworkInterface', 'ec2:DescribeNetworkInterfaces', 'ec2:DescribeSubnets',
        'ec2:AssignPrivateIpAddresses', 'ec2:UnassignPrivateIpAddresses'}
    (deny,) = [statement for _, statement in statements(deployment) if statement['Effect'] == 'Deny']
    assert (deny['Action'], deny['Condition']) == (['ec2:*'], {'ArnEquals': {'lambda:SourceFunctionArn': '<Function.Arn>'}})


def test_the_state_machine_may_invoke_read_write_and_start(deploy):
    machine = 'arn:aws:states:eu-central-1:123456789012:execution:<StateMachine.Name>'
    assert rights(deploy('fleet', ResultPrefix='runs/shops')) == {
        ('lambda:InvokeFunction', FUNCTION), ('s3:GetObject', 'arn:aws:s3:::lists/shops.json'),
        *((action, 'arn:aws:s3:::results/runs/shops/*')
          for action in ('s3:PutObject', 's3:GetObject', 's3:ListMultipartUploadParts', 's3:AbortMultipartUpload')),
        ('states:StartExecution', '<StateMachine>'),
        ('states:DescribeExecution', machine + ':*'), ('states:StopExecution', machine + ':*'),
        ('states:RedriveExecution', machine + '/*:*')}


@pytest.mark.parametrize('name, parameters', EVERYTHING)
def test_no_partition_is_taken_for_granted(deploy, name, parameters):
    china = {'AWS::Partition': 'aws-cn', 'AWS::Region': 'cn-north-1', 'AWS::URLSuffix': 'amazonaws.com.cn'}
    parameters = {key: value.replace('arn:aws:', 'arn:aws-cn:') for key, value in {**REQUIRED['template'], **REQUIRED['fleet'], **parameters}.items()
                  if key in parameters or value.startswith('arn:')}
    known = deploy(name).template['Parameters']
    text = json.dumps(deploy(name, china, **{key: value for key, value in parameters.items() if key in known}).resources)
    assert 'arn:aws:' not in text and 'us-east-1' not in text and 'eu-central-1' not in re.sub(r'arn:aws-cn:[^"]*', '', text)
    assert not re.search(r'amazonaws\.com(?!\.cn)', re.sub('(lambda|states).amazonaws.com|com.amazonaws', '', text))


# The database

def test_what_is_deleted_leaves_its_data(deploy):
    deployment = deploy('database')
    for name, policy in {'Secret': 'Retain', 'Database': 'Snapshot'}.items():
        assert deployment.resources[name]['DeletionPolicy'] == policy
        assert deployment.resources[name]['UpdateReplacePolicy'] == policy


def test_the_database_is_as_small_as_ordered(deploy):
    database = deploy('database').properties('Database')
    assert {key: database[key] for key in (
        'Engine', 'EngineVersion', 'DBInstanceClass', 'AllocatedStorage', 'MaxAllocatedStorage', 'MultiAZ',
        'StorageEncrypted', 'PubliclyAccessible')} == {
            'Engine': 'postgres', 'EngineVersion': '17', 'DBInstanceClass': 'db.t4g.micro', 'AllocatedStorage': 20,
            'MaxAllocatedStorage': 100, 'MultiAZ': False, 'StorageEncrypted': True, 'PubliclyAccessible': False}
    assert deploy('database').properties('SubnetGroup')['SubnetIds'] == NETWORK['SubnetIds'].split(',')


def test_the_secret(deploy):
    deployment = deploy('database')
    how = deployment.properties('Secret')['GenerateSecretString']
    assert json.loads(how['SecretStringTemplate']) == {'username': 'postgres'}
    assert (how['GenerateStringKey'], how['ExcludeCharacters']) == ('password', '"@/\\')
    database = deployment.properties('Database')
    for field in ('username', 'password'):
        assert '{{resolve:secretsmanager:<Secret>:SecretString:%s}}' % field in database.values()
    assert deployment.properties('SecretAttachment') == {
        'SecretId': '<Secret>', 'TargetType': 'AWS::RDS::DBInstance', 'TargetId': '<Database>'}


def open_ports(rules):
    """What rules let through, (port, where), but for the one that stands for "nothing"."""
    rules = [rule for rule in rules if rule.get('CidrIp') != '255.255.255.255/32']
    for rule in rules:
        assert rule['IpProtocol'] == 'tcp' and rule['FromPort'] == rule['ToPort']
    return sorted((rule['FromPort'], rule.get('CidrIp') or rule.get('SourceSecurityGroupId') or rule.get('DestinationSecurityGroupId'))
                  for rule in rules)


def test_the_function_alone_reaches_the_database(deploy):
    groups = deploy('database').of_type('AWS::EC2::SecurityGroup')
    assert open_ports(groups['DatabaseSecurityGroup']['SecurityGroupIngress']) == [(5432, '<FunctionSecurityGroup.GroupId>')]
    assert open_ports(groups['DatabaseSecurityGroup']['SecurityGroupEgress']) == []
    assert 'SecurityGroupIngress' not in groups['FunctionSecurityGroup']
    assert open_ports(groups['FunctionSecurityGroup']['SecurityGroupEgress']) == [(443, '0.0.0.0/0')]
    assert open_ports(deploy('database').of_type('AWS::EC2::SecurityGroupEgress').values()) == [
        (5432, '<DatabaseSecurityGroup.GroupId>')]


def test_the_function_takes_what_the_database_gives(synthesised):
    """Each output of database.yaml is a parameter of template.yaml, under its name."""
    assert set(synthesised['database']['Outputs']) <= set(synthesised['template']['Parameters'])
    assert synthesised['database']['Outputs']['SecretArn']['Value'] == {'Ref': 'SecretAttachment'}


# The function

def test_the_function(deploy):
    function = deploy('template').properties('Function')
    assert {key: function[key] for key in ('Runtime', 'Handler', 'Architectures', 'Timeout')} == {
        'Runtime': 'provided.al2023', 'Handler': 'bootstrap', 'Architectures': ['x86_64'], 'Timeout': 60}
    assert function['Code'] == {'S3Bucket': 'packages', 'S3Key': 'rdsinit.zip'}
    assert function['VpcConfig'] == {'SubnetIds': NETWORK['SubnetIds'].split(','), 'SecurityGroupIds': ['sg-12345678']}
    assert function['Environment']['Variables'] == {
        'DB_HOST': 'db.example', 'DB_PORT': 5432, 'DB_NAME': 'shop', 'DB_SECRET_NAME': SECRET, 'RDSINIT_MODE': 'auto'}


def test_an_invocation_that_failed_is_not_repeated(deploy):
    deployment = deploy('template')
    assert deployment.properties('InvokeConfig')['MaximumRetryAttempts'] == 0
    schema = deployment.resources['Schema']
    assert schema['Type'] == 'Custom::RdsInit'
    assert schema['Properties'] == {'ServiceToken': '<Function.Arn>', 'ServiceTimeout': 300, 'BundleChecksum': 'ab' * 32,
                                    'allow_data_loss': 'false', 'allow_missing': 'false'}
    assert {'InvokeConfig', 'RoleDenial'} <= set(schema['DependsOn'])


def test_the_log_is_kept_for_a_time(deploy):
    deployment = deploy('template', LogRetentionDays=14)
    assert deployment.properties('LogGroup')['RetentionInDays'] == 14
    assert deployment.properties('Function')['LoggingConfig'] == {'LogGroup': '<LogGroup>'}


def test_a_security_group_where_none_is_given(deploy):
    deployment = deploy('template', FunctionSecurityGroupId='', DatabaseCidr='10.1.0.0/16', DatabasePort=6432)
    assert deployment.properties('Function')['VpcConfig']['SecurityGroupIds'] == ['<SecurityGroup.GroupId>']
    assert open_ports(deployment.properties('SecurityGroup')['SecurityGroupEgress']) == [(443, '0.0.0.0/0'), (6432, '10.1.0.0/16')]
    assert deploy('template').of_type('AWS::EC2::SecurityGroup') == {}


def test_endpoints_where_there_is_no_way_out(deploy):
    assert deploy('template').of_type('AWS::EC2::VPCEndpoint') == {}
    deployment = deploy('template', CreateEndpoints='true', RouteTableIds='rtb-12345678,rtb-87654321')
    endpoints = deployment.of_type('AWS::EC2::VPCEndpoint')
    assert {(each['VpcEndpointType'], each['ServiceName']) for each in endpoints.values()} == {
        ('Gateway', 'com.amazonaws.eu-central-1.s3'), ('Interface', 'com.amazonaws.eu-central-1.secretsmanager')}
    assert endpoints['S3Endpoint']['RouteTableIds'] == ['rtb-12345678', 'rtb-87654321']
    assert endpoints['SecretsEndpoint']['PrivateDnsEnabled'] is True
    assert open_ports(deployment.properties('EndpointSecurityGroup')['SecurityGroupIngress']) == [(443, 'sg-12345678')]
    # ResponseURL, and nothing but that.
    (put,) = endpoints['S3Endpoint']['PolicyDocument']['Statement']
    assert put['Action'] == 's3:PutObject'
    assert fnmatch.fnmatch('arn:aws:s3:::cloudformation-custom-resource-response-eucentral1/arn%3Aaws', put['Resource'])
    assert not fnmatch.fnmatch('arn:aws:s3:::my-bucket/key', put['Resource'])
    # The function comes after them, and the custom resource after the function.
    assert {each['Value'] for each in deployment.properties('Function')['Tags']} == {'<SecretsEndpoint>', '<S3Endpoint>'}


@pytest.mark.parametrize('parameters, said', [
    ({'SecretArn': ''}, 'give SecretArn, or else'),
    ({'DatabaseResourceId': 'db-ABC'}, 'give SecretArn, or else'),
    ({'SecretArn': '', 'DatabaseResourceId': 'db-ABC'}, 'give SecretArn, or else'),
    ({'FunctionSecurityGroupId': ''}, 'give FunctionSecurityGroupId'),
    ({'CreateEndpoints': 'true'}, 'CreateEndpoints needs RouteTableIds'),
    ({'SecretArn': 'shop/db'}, 'the six characters'), ({'SecretArn': SECRET[:-7]}, 'the six characters'),
    ({'BundleChecksum': 'x'}, '64 hexadecimal digits'), ({'TargetSecretPrefix': 'a'}, 'with a slash'),
    ({'TargetSecretPrefix': '*/'}, 'with a slash'), ({'DatabaseUser': '*'}, 'DatabaseUser'),
    ({'Timeout': 300}, 'Timeout'), ({'Architecture': 'mips'}, 'Architecture'),
])
def test_parameters_that_do_not_fit_are_refused(deploy, parameters, said):
    with pytest.raises(Refused, match=re.escape(said)):
        deploy('template', **parameters)


@pytest.mark.parametrize('secret', [
    SECRET, 'arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:a-AbCdEf',
    'arn:aws:secretsmanager:eu-central-1:123456789012:secret:rds!db-0a1b2c3d-4e5f-6789-abcd-ef0123456789-AbCdEf'])
def test_secrets_of_all_kinds(deploy, secret):
    assert ('secretsmanager:GetSecretValue', secret) in rights(deploy('template', SecretArn=secret))


@pytest.mark.parametrize('name', TEMPLATES)
def test_each_parameter_is_described_and_grouped(synthesised, name):
    template = synthesised[name]
    parameters = {key: each for key, each in template['Parameters'].items() if key != 'BootstrapVersion'}
    groups = template['Metadata']['AWS::CloudFormation::Interface']['ParameterGroups']
    assert sorted(each for group in groups for each in group['Parameters']) == sorted(parameters)
    for key, each in parameters.items():
        assert each['Description'], key
        constrained = {'AllowedValues', 'AllowedPattern', 'MinLength', 'MinValue', 'MaxLength'} & set(each)
        assert constrained or each['Type'] not in ('String', 'Number'), key
