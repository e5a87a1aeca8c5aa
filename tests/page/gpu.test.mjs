// Training on a GPU in the page: SwiftShader, which computes on the CPU and promises what WebGPU promises. One browser, one page at
// a time: a device is shared by all that ask.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { button, launch, open } from './browser.mjs';
import { serveSite } from './site.mjs';

const WEBGPU = ['--enable-unsafe-webgpu', '--use-webgpu-adapter=swiftshader'];
const QUICK = '?lab=train&net=flatten*affine-out32*relu*affine-out10&batch=50&shard=25';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(WEBGPU), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

async function lab(query, on) {
  const opened = await open(browser, site.url, { query });
  const { page } = opened;
  await page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
  await page.getByLabel('Computed by').first().selectOption(on);
  await page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
  // Setting a training up anew takes a moment.
  await page.waitForTimeout(500);
  await page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
  return opened;
}

const told = (page) => page.getByRole('status', { name: 'Computed by' });

test('it learns on the GPU, says how fast both are, and what its weights are worth', async () => {
  const { page, context, faults } = await lab(`${QUICK}&steps=300`, 'gpu');
  await button(page, 'Start').click();
  await told(page).filter({ hasText: /GPU [\d.,\s]+images\/s/ }).waitFor({ timeout: 120_000 });
  assert.match(await told(page).textContent(), /wasm [\d.,\s]+images\/s/);
  assert.match(await told(page).textContent(), /not one that others get/);
  await page.getByRole('status', { name: 'Progress' }).filter({ hasText: /^Step 300 of 300: / }).waitFor({ state: 'attached', timeout: 120_000 });
  assert.equal(await told(page).locator('.on').textContent().then((text) => text.slice(0, 3)), 'GPU');
  const accuracy = parseFloat(await page.locator('.figure .big').textContent());
  assert.ok(accuracy > 85, `${accuracy} %`);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a layer without kernels is named, and wasm goes on from the same step', async () => {
  const net = 'conv-out4-kernel3*local_response_norm*relu*flatten*affine-out10';
  const { page, context } = await lab(`?lab=train&net=${net}&batch=20&shard=20&steps=30`, 'gpu');
  await button(page, 'Start').click();
  await told(page).filter({ hasText: /local_response_norm/ }).waitFor({ timeout: 120_000 });
  await page.getByRole('status', { name: 'Progress' }).filter({ hasText: /^Step 30 of 30: / }).waitFor({ state: 'attached', timeout: 120_000 });
  await context.close();
});

test('a browser without an adapter says so, and goes on in wasm from the same step', async () => {
  const plain = await launch();
  try {
    const { page, faults } = await open(plain, site.url, { query: `${QUICK}&steps=100` });
    await page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
    await page.getByLabel('Computed by').first().selectOption('gpu');
    await page.waitForTimeout(500);
    await page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
    await button(page, 'Start').click();
    await told(page).filter({ hasText: /wasm goes on from step \d+, nothing is lost/ }).waitFor({ timeout: 120_000 });
    await page.getByRole('status', { name: 'Progress' }).filter({ hasText: /^Step 100 of 100: / }).waitFor({ state: 'attached', timeout: 120_000 });
    assert.deepEqual(faults, []);
  } finally {
    await plain.close();
  }
});
