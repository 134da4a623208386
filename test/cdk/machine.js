/* What is wrong with a state machine's definition, as JSON: node machine.js FILE */
'use strict';

const fs = require('fs');
const validator = require('asl-validator');

const definition = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const { errors } = validator(definition, { checkArn: true });
process.stdout.write(JSON.stringify(errors.map((error) => error.Message)));
