/* What a JSONata expression of Step Functions comes to: node payload.js '{% … %}' INPUT */
'use strict';

const jsonata = require('jsonata');

const [expression, input] = process.argv.slice(2);
const [, inner] = /^\{%(.*)%\}$/s.exec(expression);

jsonata(inner).evaluate({}, { states: { input: JSON.parse(input) } })
	.then((value) => process.stdout.write(JSON.stringify(value)));
