/* What a JSONata expression of Step Functions comes to: node payload.js '{% … %}' INPUT [RESULT] */
'use strict';

const jsonata = require('jsonata');

const [expression, input, result] = process.argv.slice(2);
const [, inner] = /^\{%(.*)%\}$/s.exec(expression);

jsonata(inner).evaluate({}, { states: { input: JSON.parse(input), result: JSON.parse(result || 'null') } })
	.then((value) => process.stdout.write(JSON.stringify(value)));
