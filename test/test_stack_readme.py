"""What doc/stack.md shows to CDK's users is compiled, type-checked, synthesised."""

import ast
import json
import re
import shutil

import pytest

from support import node
from support.documents import blocks
from support.trigger import program, write_bundle

LIBRARY = node.MODULES / 'aws-cdk-lib'

# Each block in these languages, by a piece of its text.
TYPESCRIPT = ['ShopDatabase']
PYTHON = ['triggers.Trigger', 'include.CfnInclude']


pytestmark = pytest.mark.usefixtures('npm')


def shown(language, having):
    """The one block in this language that has this text."""
    (block,) = [each.text for each in blocks('doc/stack.md') if each.language == language and having in each.text]
    return block


@pytest.fixture
def project(tmp_path_factory):
    """A directory as the page takes it for granted, in which npm's packages are found."""
    directory = tmp_path_factory.mktemp('project')
    (directory / 'node_modules').symlink_to(node.MODULES)
    (directory / 'trigger').mkdir()
    for template in (node.ROOT / 'trigger').glob('*.yaml'):
        shutil.copy2(template, directory / 'trigger')
    shutil.copy2(program(), directory / 'trigger' / 'bootstrap')
    write_bundle({'V1__one.sql': 'CREATE TABLE one ();'}, directory / 'migrations')
    write_bundle({'rdsinit-trigger-x86_64.zip': 'not a zip, but CDK does not look'}, directory / 'build' / 'package')
    return directory


def compiled(project, text):
    """The text as JavaScript, type-checked; (finished, path)."""
    (project / 'app.ts').write_text(text)
    options = ['--strict', '--target', 'es2022', '--module', 'node16', '--skipLibCheck', '--types', 'node', 'app.ts']
    return node.node(node.MODULES / 'typescript' / 'bin' / 'tsc', *options, cwd=project), project / 'app.js'


def test_the_typescript_that_is_shown_is_synthesised(project):
    finished, script = compiled(project, shown('typescript', TYPESCRIPT[0]))
    assert finished.returncode == 0, finished.stdout
    out = project / 'out'
    context = json.dumps({'@aws-cdk/core:validateAgainstDefaultRules': True})
    finished = node.node(script, cwd=project, CDK_OUTDIR=str(out), CDK_CONTEXT_JSON=context)
    assert finished.returncode == 0, finished.stderr
    database = json.loads((out / 'ShopDatabase.template.json').read_text())
    schema = json.loads((out / 'ShopSchema.template.json').read_text())

    assert database['Resources']['Database']['DeletionPolicy'] == 'Snapshot'
    (nested,) = [each for each in schema['Resources'].values() if each['Type'] == 'AWS::CloudFormation::Stack']
    given = nested['Properties']['Parameters']
    wanted = template_parameters(project)
    assert {name for name, each in wanted.items() if 'Default' not in each} <= set(given) <= set(wanted)
    for name in ('DatabaseHost', 'SecretArn', 'FunctionSecurityGroupId', 'VpcId'):
        assert 'Fn::ImportValue' in json.dumps(given[name]), name
    assert re.fullmatch('[0-9a-f]{64}', given['BundleChecksum'])
    assert given['CodeKey'].endswith('.zip')


def template_parameters(project):
    """The parameters of template.yaml, as CDK reads them."""
    finished = node.node('synth.js', project / 'included', node.ROOT / 'trigger' / 'template.yaml')
    assert finished.returncode == 0, finished.stderr
    parameters = json.loads((project / 'included' / 'template.template.json').read_text())['Parameters']
    return {name: each for name, each in parameters.items() if name != 'BootstrapVersion'}


def test_mistakes_in_it_would_be_found(project):
    """One by the compiler, which writes JavaScript all the same; one by what that does."""
    text = shown('typescript', TYPESCRIPT[0]).replace('httpUrl', 'httpURL').replace('DatabaseName: ', 'DatabaseNaem: ')
    finished, script = compiled(project, text)
    assert finished.returncode != 0 and 'httpURL' in finished.stdout
    finished = node.node(script, cwd=project)
    assert finished.returncode != 0 and 'DatabaseNaem' in finished.stderr


@pytest.mark.parametrize('having', PYTHON)
def test_the_python_that_is_shown_names_what_there_is(having):
    """There is no CDK for Python in Debian: its names are those of the TypeScript, written in another way."""
    tree = ast.parse(shown('python', having))
    modules = {}
    for each in ast.walk(tree):
        if isinstance(each, ast.ImportFrom):
            modules.update({name.asname or name.name: name.name for name in each.names})
    for call in [each for each in ast.walk(tree) if isinstance(each, ast.Call)]:
        dotted = ast.unparse(call.func).split('.')
        if dotted[0] in modules:
            names = [camel(each.arg) for each in call.keywords]
            module = modules[dotted[0]].replace('_', '-')
            declared = declarations(module if (LIBRARY / module).is_dir() else 'core')
            for name in [camel(each) for each in dotted[1:]] + names:
                assert re.search(r'\b%s\b' % name, declared), (dotted, name)


def camel(name):
    head, *rest = name.split('_')
    return head + ''.join(each.capitalize() for each in rest) if name.islower() else name


def declarations(module):
    return ''.join(path.read_text() for path in (LIBRARY / module).rglob('*.d.ts'))
