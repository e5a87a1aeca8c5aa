// The package as npm packs it from this repository, installed elsewhere, runs the README's lines to the README's word.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));
const away = mkdtempSync(path.join(tmpdir(), 'hitofude-package-'));
after(() => rmSync(away, { recursive: true, force: true }));

test('the packed package answers as the README says', () => {
  const npm = (...args) => execFileSync('npm', [...args, '--silent'], { cwd: away, encoding: 'utf8' });
  const packed = npm('pack', root, '--pack-destination', away).trim().split('\n').at(-1);
  writeFileSync(path.join(away, 'package.json'), '{ "type": "module", "private": true }');
  npm('install', '--offline', '--no-audit', '--no-fund', `./${packed}`);
  const [code] = /```js\n([\s\S]*?)```/.exec(readFileSync(path.join(root, 'README.md'), 'utf8')).slice(1);
  writeFileSync(path.join(away, 'readme.mjs'), code);
  const said = execFileSync(process.execPath, ['readme.mjs'], { cwd: away, encoding: 'utf8' });
  assert.match(said, /^7 sure 0\.9\d+\n$/);
});
