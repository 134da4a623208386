/* What AWS's own validator has to say of templates, as JSON: node validate.js OVERRIDES TEMPLATE … */
'use strict';

const { createRequire } = require('module');

// It is bundled inside of aws-cdk-lib.
const { CompositeEngine, TemplateFile } =
	createRequire(require.resolve('aws-cdk-lib'))('@aws/cloudformation-validate');

const engine = new CompositeEngine();
const [overrides, ...paths] = process.argv.slice(2);
const reports = {};
for (const path of paths) {
	const { diagnostics } = engine.validateTemplate(new TemplateFile(path), JSON.parse(overrides));
	reports[path] = diagnostics;
}
engine.free();
process.stdout.write(JSON.stringify(reports));
