// The package as npm packs it from this repository, installed elsewhere: the README's lines, the examples, the bundlers.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createServer } from 'node:http';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import AxeBuilder from '@axe-core/playwright';
import { launch } from './browser.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const away = mkdtempSync(path.join(tmpdir(), 'hitofude-package-'));
const npm = (...args) => execFileSync('npm', [...args, '--loglevel=error'], { cwd: away, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const node = (file) => execFileSync(process.execPath, [file], { cwd: away, encoding: 'utf8' });
/** Another runtime, as its npm package brings it. */
const other = (name, ...args) => execFileSync(path.join(away, 'node_modules', '.bin', name), args, { cwd: away, encoding: 'utf8', timeout: 60_000, stdio: ['ignore', 'pipe', 'pipe'] });
/** Brings it and says nothing, or why npm cannot. */
const lacks = (name) => {
  try {
    npm('install', '--prefer-offline', '--no-audit', '--no-fund', '--no-save', name);
    other(name, '--version');
  } catch (error) {
    return `npm brings no ${name} here: ${error.stderr?.trim().split('\n')[0] || error.message}`;
  }
};
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.mjs': 'text/javascript', '.wasm': 'application/wasm' };

let browser;
let server;
let packed;

before(async () => {
  packed = path.join(away, npm('pack', root, '--pack-destination', away).trim().split('\n').at(-1));
  writeFileSync(path.join(away, 'package.json'), '{ "type": "module", "private": true }');
  npm('install', '--prefer-offline', '--no-audit', '--no-fund', packed, 'react@19', 'react-dom@19', '@types/react@19', 'svelte@5', 'vue@3');
  server = createServer((request, response) => {
    const file = path.join(away, decodeURIComponent(new URL(request.url, 'http://localhost').pathname));
    if (!existsSync(file)) return response.writeHead(404).end();
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream' }).end(readFileSync(file));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await launch();
});

after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
  rmSync(away, { recursive: true, force: true });
});

/** Opens a page of the folder and resolves to it; a console error or an exception fails the test that asks `faults`. */
async function opened(file) {
  const page = await (await browser.newContext()).newPage();
  const faults = [];
  page.on('console', (message) => message.type() === 'error' && !/favicon/.test(message.location().url) && faults.push(message.text()));
  page.on('pageerror', (error) => faults.push(error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/${file}`);
  return { page, faults };
}

const example = (name) => cpSync(path.join(root, 'examples', name), path.join(away, name), { recursive: true });

async function drawSeven(page) {
  const { x, y, width } = await page.getByLabel('Drawing pad').boundingBox();
  const points = [[0.25, 0.2], [0.5, 0.2], [0.75, 0.19], [0.65, 0.4], [0.55, 0.62], [0.45, 0.88]];
  await page.mouse.move(x + points[0][0] * width, y + points[0][1] * width);
  await page.mouse.down();
  for (const [u, v] of points) await page.mouse.move(x + u * width, y + v * width);
  await page.mouse.up();
}

test('the lines of the README say what it says', () => {
  const [code] = /```js\n([\s\S]*?)```/.exec(readFileSync(path.join(root, 'README.md'), 'utf8')).slice(1);
  writeFileSync(path.join(away, 'readme.mjs'), code);
  const [, said] = /\/\/ (7 sure .*)/.exec(code);
  assert.equal(node('readme.mjs'), `${said}\n`);
});

test('the recipes run as they are printed', () => {
  const blocks = [...readFileSync(path.join(root, 'docs', 'recipes.md'), 'utf8').matchAll(/```js\n(\/\/ node\n[\s\S]*?)```/g)];
  assert.ok(blocks.length >= 3, `${blocks.length} recipes for Node`);
  blocks.forEach(([, code], i) => {
    writeFileSync(path.join(away, `recipe${i}.mjs`), code);
    const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, line]) => line);
    assert.deepEqual(node(`recipe${i}.mjs`).trim().split('\n'), expected);
  });
});

for (const [name, run] of [['Node', node], ['Deno', (file) => other('deno', 'run', '--allow-read', file)], ['Bun', (file) => other('bun', file)]]) {
  test(`${name}: reads, learns two gestures, saves and opens what it learnt`, (t) => {
    const why = run !== node && lacks(name.toLowerCase());
    if (why) return t.skip(why);
    example('node');
    const [seven, , , learnt, gesture] = run('node/index.mjs').trim().split('\n');
    assert.equal(seven, '7 sure');
    assert.ok(Number(/learnt: (\d+) %/.exec(learnt)[1]) >= 90, learnt);
    assert.equal(gesture, 'cross');
  });
}

test('plain HTML: the pad reads a drawing into its form', async () => {
  example('html');
  cpSync(path.join(away, 'node_modules', 'hitofude'), path.join(away, 'html', 'node_modules', 'hitofude'), { recursive: true });
  const { page, faults } = await opened('html/index.html');
  await drawSeven(page);
  await page.locator('#read', { hasText: '7' }).waitFor({ timeout: 20_000 });
  assert.equal(await page.evaluate(() => new FormData(document.querySelector('form')).get('digit')), '7');
  await page.getByRole('button', { name: 'Clear' }).click();
  await page.getByText('Nothing drawn').waitFor();
  await page.getByLabel('Drawing pad').focus();
  for (const key of [' ', ...Array(6).fill('ArrowDown'), ' ']) await page.keyboard.press(key);
  await page.locator('#read', { hasText: '1' }).waitFor();
  assert.deepEqual(faults, []);
});

for (const name of ['vite', 'react', 'vue', 'svelte']) {
  test(`${name}: built without configuration, it reads in a worker`, async () => {
    example(name);
    const { build } = await import('vite');
    // Svelte's files need its own plugin, which the example's configuration has; here it comes from this repository.
    const plugins = name === 'svelte' ? [(await import('@sveltejs/vite-plugin-svelte')).svelte()] : [];
    await build({ root: path.join(away, name), base: './', logLevel: 'error', configFile: false, plugins });
    const { page, faults } = await opened(`${name}/dist/index.html`);
    if (name !== 'vite') await drawSeven(page);
    await page.locator('#out', { hasText: name === 'vite' ? '7 sure' : 'You drew 7' }).waitFor({ timeout: 20_000 });
    assert.deepEqual(faults, []);
  });
}

test('vite, while one develops: the worker, its modules and the weights are found where the package lies', async () => {
  example('vite');
  // Where a project has it: the server gives nothing from outside of its folder.
  cpSync(path.join(away, 'node_modules', 'hitofude'), path.join(away, 'vite', 'node_modules', 'hitofude'), { recursive: true });
  const { createServer: serve } = await import('vite');
  const dev = await serve({ root: path.join(away, 'vite'), logLevel: 'error', configFile: false, server: { port: 0, host: '127.0.0.1' } });
  try {
    await dev.listen();
    const page = await browser.newPage();
    await page.goto(dev.resolvedUrls.local[0]);
    await page.locator('#out', { hasText: '7 sure' }).waitFor({ timeout: 30_000 });
    await page.close();
  } finally {
    await dev.close();
  }
});

test('<hitofude-train>: it learns, shows its curve, stops when asked, and says what is wrong', async () => {
  writeFileSync(path.join(away, 'train.html'), `<!doctype html><html lang="en"><title>.</title><body><hitofude-train epochs="30"></hitofude-train><p></p></body>
    <script type="module">
    import './node_modules/hitofude/package/elements.js';
    import { define } from './node_modules/hitofude/package/index.js';
    const element = document.querySelector('hitofude-train');
    const said = [];
    for (const name of ['done', 'error']) element.addEventListener(name, () => (document.querySelector('p').textContent = said.push(name) && said.join()));
    await element.start();
    const bar = (i) => Float32Array.from({ length: 36 }, (_, k) => Number(i % 2 ? k % 6 === i % 6 : Math.floor(k / 6) === i % 6));
    const inputs = Array.from({ length: 12 }, (_, i) => bar(i));
    element.model = await define({ input: [1, 6, 6], layers: [{ type: 'conv', name: 'conv1', out: 4, kernel: 3, pad: 1 },
      { type: 'relu', name: 'relu1' }, { type: 'flatten', name: 'flat' }, { type: 'affine', name: 'out', out: 2 }] });
    [element.data, element.options] = [{ inputs, labels: inputs.map((_, i) => i % 2) }, { batch: 12, rate: 0.02 }];
    document.body.dataset.ready = '';
  </script></html>`);
  const { page, faults } = await opened('train.html');
  await page.getByText('There is no model or no data yet').waitFor();
  await page.locator('[data-ready]').waitFor({ timeout: 20_000 });
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByText('Epoch 30 of 30: 100.0 % right').waitFor({ timeout: 20_000 });
  await page.getByText('error,done').waitFor();
  await page.getByRole('img', { name: /^Loss after 30 epochs: 0\.\d+/ }).waitFor();
  await page.evaluate(() => document.querySelector('hitofude-train').setAttribute('epochs', '1000000'));
  await page.getByRole('button', { name: 'Start' }).click();
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Start' }).waitFor();
  assert.ok((await page.evaluate(() => document.querySelector('hitofude-train').reports.length)) < 1000);
  const { violations } = await new AxeBuilder({ page }).analyze();
  assert.deepEqual(violations.map(({ id }) => id).filter((id) => !['landmark-one-main', 'page-has-heading-one', 'region'].includes(id)), []);
  assert.deepEqual(faults, []);
});

const READ = `import { load } from 'hitofude/WAY';
const model = await load('draw');
const { class: digit, status } = await model.predict({ strokes: [[[0, 0], [60, 0], [25, 100]]] });
document.body.textContent = digit + ' ' + status;`;

const BUNDLERS = {
  webpack: async (entry, out) => {
    const { default: webpack } = await import('webpack');
    const settings = { mode: 'production', context: away, entry, experiments: { topLevelAwait: true }, output: { path: out, filename: 'main.js', publicPath: 'auto' } };
    const stats = await new Promise((resolve, reject) => webpack(settings, (error, stats) => (error ? reject(error) : resolve(stats))));
    assert.deepEqual(stats.toJson().errors, []);
  },
  esbuild: async (entry, out) => {
    const { build } = await import('esbuild');
    await build({ entryPoints: [entry], bundle: true, format: 'esm', outfile: path.join(out, 'main.js'), logLevel: 'silent' });
  },
  rollup: async (entry, out) => {
    const [{ rollup }, { default: nodeResolve }] = await Promise.all([import('rollup'), import('@rollup/plugin-node-resolve')]);
    const bundle = await rollup({ input: entry, plugins: [nodeResolve()], logLevel: 'silent' });
    await bundle.write({ dir: out, entryFileNames: 'main.js' });
  },
};

for (const [name, way] of [['webpack', ''], ['webpack', 'inline'], ['esbuild', 'inline'], ['rollup', 'inline']]) {
  test(`${name} bundles hitofude${way && `/${way}`} without configuration`, async () => {
    const folder = path.join(away, `${name}-${way || 'worker'}`);
    mkdirSync(folder);
    const entry = path.join(folder, 'entry.mjs');
    writeFileSync(entry, READ.replace('/WAY', way && `/${way}`));
    await BUNDLERS[name](entry, folder);
    writeFileSync(path.join(folder, 'index.html'), '<!doctype html><title>.</title><body></body><script type="module" src="main.js"></script>');
    const { page, faults } = await opened(`${path.basename(folder)}/index.html`);
    await page.getByText('7 sure').waitFor({ timeout: 20_000 }).catch((error) => assert.fail(`${faults.join('; ')} ${error.message}`));
    assert.deepEqual(faults, []);
  });
}

test('the worker client: it learns with reports, an abort ends a call, errors carry a code, what is disposed of is gone', async () => {
  writeFileSync(path.join(away, 'client.html'), `<!doctype html><title>.</title><body></body><script type="module">
    import { load, define } from './node_modules/hitofude/package/index.js';
    const codes = [];
    const caught = (promise) => promise.then(() => codes.push('nothing'), (e) => codes.push(typeof e.code === 'string' ? e.code : e.name));
    const bar = (i) => Float32Array.from({ length: 36 }, (_, k) => Number(i % 2 ? k % 6 === i % 6 : Math.floor(k / 6) === i % 6));
    const inputs = Array.from({ length: 12 }, (_, i) => bar(i)), labels = inputs.map((_, i) => i % 2);
    const own = await define({ input: [1, 6, 6], layers: [{ type: 'conv', name: 'conv1', out: 4, kernel: 3, pad: 1 },
      { type: 'relu', name: 'relu1' }, { type: 'flatten', name: 'flat' }, { type: 'affine', name: 'out', out: 2 }] });
    let last;
    for await (const report of own.fit({ inputs, labels }, { epochs: 40, batch: 12, rate: 0.02, validation: { inputs, labels } })) last = report;
    const answer = await own.predict(bar(3));
    const copy = await load(await own.save('safetensors-f32'));
    const same = (await copy.predict(bar(3))).probabilities.every((p, i) => p === answer.probabilities[i]);
    const [feature] = await own.features(bar(0), ['conv1']);
    const why = await own.explain(bar(3), { method: 'saliency' });
    const elsewhere = await load(await own.save('onnx'));
    const close = (await elsewhere.predict(bar(3))).probabilities.every((p, i) => Math.abs(p - answer.probabilities[i]) < 1e-4);
    await caught(own.save('h5'));
    await caught(own.explain(bar(3), { method: 'magic' }));
    const controller = new AbortController();
    await caught((async () => { for await (const _ of own.fit({ inputs, labels }, { epochs: 1e6, signal: controller.signal })) controller.abort(); })());
    await caught(load('nobody'));
    await caught(load('toString'));
    await caught(own.predict(new Float32Array(5)));
    await caught(own.freeze('nothing'));
    await own.withClasses(3);
    const classes = own.classes;
    own.dispose();
    await caught(own.predict(bar(0)));
    document.body.textContent = JSON.stringify({ epoch: last.epoch, right: last.validation.accuracy, class: answer.class, same, close, shape: feature.shape, why: [why.class, ...why.shape, why.values.some((v) => v !== 0)], codes, classes });
  </script>`);
  const { page, faults } = await opened('client.html');
  await page.getByText('"codes"').waitFor({ timeout: 30_000 });
  assert.deepEqual(JSON.parse(await page.locator('body').innerText()), {
    epoch: 40, right: 1, class: 1, same: true, close: true, shape: [4, 6, 6], why: [1, 1, 6, 6, true],
    codes: ['value', 'missing', 'AbortError', 'missing', 'missing', 'shape', 'missing', 'missing'], classes: 3,
  });
  assert.deepEqual(faults, []);
});

test('types: markup of React, Vue and Svelte knows the elements, and a program without a browser needs none of its types', () => {
  const folder = path.join(away, 'types');
  mkdirSync(path.join(folder, 'plain'), { recursive: true });
  const files = {
    'react.tsx': `import 'hitofude/react';
      export const pad = <hitofude-pad model="draw" name="digit" onchange={(event) => event.type} />;
      // @ts-expect-error: a model is named
      export const wrong = <hitofude-pad model={3} />;`,
    'vue.ts': `import 'hitofude/vue';
      import type { GlobalComponents } from 'vue';
      export type Pad = InstanceType<GlobalComponents['hitofude-pad']>['$props'];
      export const pad: Pad = { model: 'draw' };
      // @ts-expect-error: a model is named
      export const wrong: Pad = { model: 3 };`,
    'svelte.ts': `import 'hitofude/svelte';
      import type { SvelteHTMLElements } from 'svelte/elements';
      export const pad: SvelteHTMLElements['hitofude-pad'] = { model: 'draw', disabled: true };
      // @ts-expect-error: a model is named
      export const wrong: SvelteHTMLElements['hitofude-pad'] = { model: 3 };`,
    'plain/index.ts': `import { HitofudeError, load, type Code, type Prediction } from 'hitofude';
      const model = await load('draw');
      const answer: Prediction = await model.predict([[0]]);
      const unknown: boolean = answer.status === 'unknown';
      await model.withClasses(['a', 'b']);
      for await (const { loss } of model.fit({ inputs: ['a.png', [[0]]], labels: ['a', 'b'] })) loss.toFixed();
      const code = (error: unknown): Code | undefined => (error instanceof HitofudeError ? error.code : undefined);
      export { code, unknown };`,
  };
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  const compilerOptions = { noEmit: true, strict: true, target: 'es2022', lib: ['es2023', 'dom', 'dom.iterable', 'esnext.disposable'], module: 'nodenext', jsx: 'react-jsx', types: [] };
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*'] }));
  const without = { ...compilerOptions, lib: ['es2023', 'esnext.disposable'] };
  writeFileSync(path.join(folder, 'plain', 'tsconfig.json'), JSON.stringify({ compilerOptions: without, include: ['*'] }));
  const tsc = path.join(root, 'node_modules', 'typescript', 'bin', 'tsc');
  try {
    for (const project of [folder, path.join(folder, 'plain')]) execFileSync(process.execPath, [tsc, '-p', project], { encoding: 'utf8', stdio: 'pipe' });
  } catch (error) {
    assert.fail(error.stdout);
  }
});

test('publint and arethetypeswrong find nothing', async () => {
  const { publint } = await import('publint');
  const { messages } = await publint({ pkgDir: path.join(away, 'node_modules', 'hitofude'), strict: true });
  assert.deepEqual(messages.map(({ code, path }) => `${code} ${path.join('.')}`), []);
  const { checkPackage, createPackageFromTarballData } = await import('@arethetypeswrong/core');
  const { problems } = await checkPackage(createPackageFromTarballData(readFileSync(packed)));
  // The package is a module; that CommonJS must import() it is what Node says, too.
  const wrong = problems.filter(({ kind, resolutionKind }) => kind !== 'CJSResolvesToESM' && resolutionKind !== 'node10');
  assert.deepEqual(wrong.map(({ kind, entrypoint }) => `${kind} ${entrypoint}`), []);
});
