/*
 * Templates as CDK's CfnInclude takes them, synthesised and validated: node synth.js DIRECTORY TEMPLATE …
 * The stack of database.yaml is called "database", and so on.
 */
'use strict';

const path = require('path');
const { App, Stack } = require('aws-cdk-lib');
const { CfnInclude } = require('aws-cdk-lib/cloudformation-include');

const [outdir, ...templates] = process.argv.slice(2);
// An error of the validator's ends the synthesis.
const context = { '@aws-cdk/core:validateAgainstDefaultRules': true };
const app = new App({ outdir, context, analyticsReporting: false });
for (const templateFile of templates)
	new CfnInclude(new Stack(app, path.basename(templateFile, '.yaml')), 'Template', { templateFile });
app.synth();
