// npm run reproduce: the sources' tables and ours side by side, trained natively. Arguments go on to the command:
// --seeds N, --only ROW, --data DIR.

import { spawnSync } from 'node:child_process';
import { inRoot } from './shell.mjs';

const given = process.argv.slice(2);
const data = given.includes('--data') ? [] : ['--data', process.env.HITOFUDE_DATA ?? inRoot('..', 'shared', 'data')];
const command = ['run', '--release', '--quiet', '--bin', 'hitofude', '--', 'reproduce', ...data, ...given];
process.exit(spawnSync('cargo', command, { cwd: inRoot(), stdio: 'inherit' }).status ?? 1);
