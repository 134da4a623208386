/*
 * CDK's own handlers, as CloudFormation would invoke them: node handler.js trigger|provider EVENT
 *
 * Their answer goes to ResponseURL by https, port 443.  What they write there goes to
 * RESPONSE_ADDRESS (HOST:PORT, without TLS) instead; all else is as they have it.
 */
'use strict';

const http = require('http');
const https = require('https');
const path = require('path');

const library = path.dirname(require.resolve('aws-cdk-lib/package.json'));
const handlers = path.join(library, 'custom-resource-handlers', 'dist');
const [host, port] = process.env.RESPONSE_ADDRESS.split(':');

https.request = ({ hostname, headers, ...options }, callback) =>
	http.request({ ...options, host, port, headers: { ...headers, host: hostname } }, callback);

/* The handler of triggers.Trigger, in the wrapper that CDK packs it with. */
function trigger()
{
	const entry = require(path.join(handlers, 'core', 'nodejs-entrypoint-handler'));

	entry.external.userHandlerIndex = path.join(handlers, 'triggers', 'lambda');
	return entry.handler;
}

/* The onEvent handler of custom_resources.Provider. */
function provider()
{
	return require(path.join(library, 'custom-resources/lib/provider-framework/runtime/framework')).onEvent;
}

const [which, event] = process.argv.slice(2);
({ trigger, provider })[which]()(JSON.parse(event), {}).catch((error) => {
	console.error(error);
	process.exitCode = 1;
});
