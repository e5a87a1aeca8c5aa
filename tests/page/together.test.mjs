// Trainings that several pages compute: tabs of one browser, devices that meet by WebRTC, those who go, break or lie.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { button, hashOf, launch, open, openTrain, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
// Chromium hides a device's addresses behind names that a machine without multicast does not resolve.
before(async () => ([browser, site] = await Promise.all([launch(['--disable-features=WebRtcHideLocalIpsWithMdns']), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const SMALL = '?lab=train&net=flatten*affine-out32*relu*affine-out10&batch=40&shard=5';

async function lab(query, options) {
  const opened = await openTrain(browser, site.url, query, options);
  await opened.page.getByText('Together', { exact: true }).click();
  return opened;
}

/** The hash that this page comes to with one worker and nobody else. */
async function alone(steps) {
  const { page, context } = await lab(`${SMALL}&steps=${steps}`);
  await page.getByLabel('Workers').selectOption('1');
  await page.waitForTimeout(300);
  await button(page, 'Start').click();
  const hash = await hashOf(page);
  await context.close();
  return hash;
}

async function leader(steps) {
  const opened = await lab(`${SMALL}&steps=${steps}`);
  await opened.page.getByLabel('Workers').selectOption('1');
  await opened.page.waitForTimeout(300);
  await opened.page.locator('.controls button.primary:enabled').waitFor();
  return opened;
}

/** Opens the link for another tab, and waits until that is ready. */
async function tab({ page, context }) {
  const [joined] = await Promise.all([context.waitForEvent('page'), page.getByRole('link', { name: 'Open another tab' }).click()]);
  await joined.getByText(/^(Ready\.|Computing)/).waitFor({ timeout: 60_000 });
  return joined;
}

const shards = async (page) => Number((await page.getByLabel('Shards computed', { exact: true }).textContent()).replace(/\D/g, ''));
const row = (page, text) => page.getByRole('row').filter({ hasText: text });

test('two tabs make the weights of one page, one that goes in the middle included', async () => {
  const opened = await leader(200);
  const { page, context, faults } = opened;
  const one = await tab(opened);
  const two = await tab(opened);
  await button(page, 'Start').click();
  await two.getByText(/^Computing: step (1[0-9]|[2-9][0-9])/).waitFor({ timeout: 60_000 });
  await two.close();
  const hash = await hashOf(page);
  assert.ok((await shards(one)) > 50, 'the tab that stayed has computed');
  await row(page, 'has gone').waitFor();
  assert.equal(hash, await alone(200));
  // Set up anew, the training goes on with whoever is still there.
  const before = await shards(one);
  await button(page, 'Reset').click();
  await one.getByText(/^Ready\.|^Computing/).waitFor();
  await button(page, 'Start').click();
  assert.equal(await hashOf(page), hash);
  assert.ok((await shards(one)) > before + 50);
  assert.deepEqual(faults, []);
  assert.deepEqual(await violations(one, 'main'), []);
  await context.close();
});

test('a device that meets by WebRTC makes the same weights', async () => {
  const { page, context, faults } = await leader(200);
  await button(page, 'Invite another device').click();
  const invitation = await page.getByLabel('Invitation', { exact: true }).inputValue();
  assert.deepEqual(await violations(page, '[aria-labelledby=together]'), []);
  const device = await open(browser, invitation);
  const answer = await device.page.getByLabel('Answer', { exact: true }).inputValue();
  await page.getByLabel('The other device’s answer').fill(`${answer.slice(0, -30)}`);
  await button(page, 'Connect').click();
  await page.getByRole('alert').filter({ hasText: 'not whole' }).waitFor();
  await page.getByLabel('The other device’s answer').fill(answer);
  await button(page, 'Connect').click();
  await device.page.getByText(/^Ready\./).waitFor({ timeout: 60_000 });
  await button(page, 'Start').click();
  const hash = await hashOf(page);
  assert.ok((await shards(device.page)) > 100);
  assert.equal(hash, await alone(200));
  assert.deepEqual([faults, device.faults], [[], []]);
  await Promise.all([context.close(), device.context.close()]);
});

/** Joins as a tab would, from within a page of the same browser, and answers as `how` says. */
const impostor = (page, how) =>
  page.evaluate(async (how) => {
    const link = [...document.querySelectorAll('a')].find((a) => a.href.includes('#join=tab.')).href;
    const channel = new BroadcastChannel(`hitofude-together-${link.split('tab.')[1]}`);
    const post = (piece) => channel.postMessage({ to: 'leader', from: how, piece });
    const frame = (message, body = new Uint8Array()) => {
      const json = new TextEncoder().encode(JSON.stringify(message));
      const all = new Uint8Array(12 + json.length + body.length);
      const head = new DataView(all.buffer);
      [0x48465431, json.length, body.length].forEach((word, i) => head.setUint32(4 * i, word, true));
      all.set(json, 12);
      all.set(body, 12 + json.length);
      for (let at = 0; at < all.length; at += 16384) post(all.slice(at, at + 16384));
    };
    const parameters = 784 * 32 + 32 + 320 + 10;
    if (how === 'noise') {
      post('hello');
      post(crypto.getRandomValues(new Uint8Array(100)));
      return;
    }
    let wanted = 0;
    channel.onmessage = ({ data }) => {
      if (data.to !== how || !(data.piece instanceof Uint8Array)) return;
      const head = new DataView(data.piece.buffer, data.piece.byteOffset);
      if (data.piece.length < 12 || head.getUint32(0, true) !== 0x48465431) return;
      const message = JSON.parse(new TextDecoder().decode(data.piece.slice(12, 12 + head.getUint32(4, true))));
      if (message.kind !== 'learn' || wanted++) return;
      const count = message.to - message.from;
      const sums = Array.from({ length: count }, () => ({ images: 5, loss: 11, correct: 1 }));
      if (how === 'liar') frame({ kind: 'learnt', ask: message.ask, sums, milliseconds: 1 }, new Uint8Array(4 * count * parameters));
      if (how === 'short') frame({ kind: 'learnt', ask: message.ask, sums, milliseconds: 1 }, new Uint8Array(4));
    };
    post('hello');
    frame({ kind: 'hello', build: how === 'other' ? 'relaxed-simd' : 'simd128' });
    frame({ kind: 'ready', parameters: how === 'size' ? 5 : parameters });
  }, how);

test('who sends noise, has another build, answers too short, lies or falls silent changes no weight', async () => {
  const { page, context, faults } = await leader(60);
  for (const how of ['noise', 'other', 'size', 'short', 'liar', 'silent']) await impostor(page, how);
  await row(page, 'not a message of a training').waitFor();
  await row(page, 'a build of the engine that is not simd128').waitFor();
  await row(page, /5 parameters in place of/).waitFor();
  await button(page, 'Start').click();
  const hash = await hashOf(page);
  await row(page, /4 bytes in place of/).waitFor();
  await row(page, 'a gradient that is not the one computed here').waitFor();
  await row(page, 'no answer in time').waitFor();
  assert.equal(hash, await alone(60));
  assert.deepEqual(faults, []);
  await context.close();
});

test('the model says what waiting costs, and trains with the staleness that it has simulated', async () => {
  const { page, context, faults } = await open(browser, site.url, { query: '?lab=train' });
  await page.getByText('Together', { exact: true }).click({ timeout: 60_000 });
  const model = page.getByRole('region', { name: 'Many machines, as a model' });
  const figure = async (name) => Number((await model.locator('div', { has: page.getByText(name, { exact: true }) }).last().locator('dd').textContent()).replace(/[^\d.]/g, ''));
  await model.getByRole('img', { name: /^The first steps/ }).waitFor({ timeout: 60_000 });
  const waiting = await figure('A step takes');
  await model.getByText('do not wait', { exact: true }).click();
  assert.ok((await figure('A step takes')) < waiting);
  const stale = await figure('Gradients are older by, steps');
  assert.ok(stale > 2.5 && stale < 3.5, String(stale));
  await model.getByRole('button', { name: 'Train all three' }).click();
  await model.getByText('Loss over simulated time as a table').click({ timeout: 60_000 });
  const rows = await model.locator('tbody tr').filter({ hasText: /\d/ }).allTextContents();
  assert.ok(rows.length >= 5, rows.join(' | '));
  await model.getByText('One machine', { exact: true }).click();
  assert.equal(await figure('Time spent communicating'), 0);
  assert.deepEqual(await violations(page, '[aria-labelledby=model]'), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a link to a training that is over says so, in Japanese too', async () => {
  const { page, context, faults } = await open(browser, site.url, { query: '?lab=train#join=tab.nobody', locale: 'ja' });
  await page.getByRole('alert').filter({ hasText: '参加できませんでした' }).waitFor({ timeout: 20_000 });
  await page.goto(`${site.url}?lab=train#join=offer.AAAA`);
  await page.reload();
  await page.getByRole('alert').filter({ hasText: '文字列が欠けています' }).waitFor({ timeout: 20_000 });
  assert.deepEqual(faults, []);
  await context.close();
});
