"""The templates, and the parameters that each must have."""

from . import node

TEMPLATES = ['database', 'template', 'fleet']
PATHS = {name: node.ROOT / 'trigger' / (name + '.yaml') for name in TEMPLATES}

SECRET = 'arn:aws:secretsmanager:eu-central-1:123456789012:secret:shop/db-AbCdEf'
FUNCTION = 'arn:aws:lambda:eu-central-1:123456789012:function:rdsinit'
NETWORK = {'VpcId': 'vpc-12345678', 'SubnetIds': 'subnet-12345678,subnet-87654321'}
CODE = {'CodeBucket': 'packages', 'CodeKey': 'rdsinit.zip', 'BundleChecksum': 'ab' * 32}
REQUIRED = {
    'database': NETWORK,
    'template': {**CODE, **NETWORK, 'DatabaseHost': 'db.example', 'DatabaseName': 'shop', 'SecretArn': SECRET,
                 'FunctionSecurityGroupId': 'sg-12345678'},
    'fleet': {'FunctionArn': FUNCTION, 'ListBucket': 'lists', 'ListKey': 'shops.json', 'ResultBucket': 'results'},
}
