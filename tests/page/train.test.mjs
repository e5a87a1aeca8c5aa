// Training in the page, as a person does it: on digits made up on the spot, so that it needs no data.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { button, launch, openTrain, PHONE, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

/** A perceptron that learns in a second. */
const QUICK = '?lab=train&net=flatten*affine-out32*relu*affine-out10&batch=50&shard=10';
const line = (page, text) => page.locator('.controls .line', { hasText: text }).first();

const lab = (query, options) => openTrain(browser, site.url, query, options);

async function setWorkers(page, workers) {
  await page.getByLabel('Workers').selectOption(String(workers));
  await page.waitForTimeout(500);
}

const hashOf = async (page) => {
  const code = page.getByLabel('SHA-256 of the weights');
  await code.waitFor({ timeout: 120_000 });
  return code.textContent();
};

test('it learns made-up digits, shows how, and gives the same weights for one worker and for two', async () => {
  const hashes = [];
  for (const workers of [1, 2]) {
    const { page, context, faults } = await lab(`${QUICK}&steps=300`);
    await setWorkers(page, workers);
    await button(page, 'Start').click();
    hashes.push(await hashOf(page));
    const accuracy = parseFloat(await page.locator('.figure .big').textContent());
    assert.ok(accuracy > 85, `${accuracy} % with ${workers} workers`);
    await page.getByRole('status', { name: 'Progress' }).filter({ hasText: /^Step 300 of 300: / }).waitFor({ state: 'attached' });
    await page.getByText(/^Misread: /).waitFor();
    await page.getByText('affine2', { exact: true }).first().waitFor();
    assert.deepEqual(faults, []);
    await context.close();
  }
  assert.match(hashes[0], /^[0-9a-f]{64}$/);
  assert.equal(hashes[0], hashes[1]);
});

test('pause, step once, a reload that resumes to the same bits, reset', async () => {
  // So many that no machine takes them all before it is paused.
  const { page, context, faults } = await lab(`${QUICK}&steps=2000`);
  await setWorkers(page, 1);
  await button(page, 'Step').click();
  await line(page, /step 1 of 2.?000/).waitFor();
  await button(page, 'Step').click();
  await line(page, /step 2 of 2.?000/).waitFor();
  await button(page, 'Go on').click();
  await page.waitForTimeout(300);
  await button(page, 'Pause').click();
  await button(page, 'Go on').waitFor();
  await page.reload();
  await button(page, 'Resume').click();
  await button(page, 'Go on').click();
  const resumed = await hashOf(page);
  await button(page, 'Reset').click();
  await button(page, 'Start').click();
  assert.equal(await hashOf(page), resumed);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a rate that is far too high stops the run, says where, and goes back', async () => {
  const { page, context } = await lab(`${QUICK}&optimiser=sgd&rate=99&steps=200`);
  await button(page, 'Start').click();
  const alert = page.getByRole('alert').filter({ hasText: 'The run stopped' });
  await alert.waitFor({ timeout: 30_000 });
  assert.match(await alert.textContent(), /step \d+: expected .* It is back at (its first weights|step \d+)/);
  await context.close();
});

test('a setup in the address is the setup that is shown', async () => {
  const { page, context } = await lab('?lab=train&net=conv-out4-kernel5*relu*flatten*affine-out10&rate=0.01&optimiser=momentum&seed=7');
  assert.equal(await page.getByLabel('out of conv1').inputValue(), '4');
  assert.equal(await page.getByLabel('Learning rate', { exact: true }).inputValue(), '0.01');
  assert.equal(await page.getByLabel('Optimiser', { exact: true }).inputValue(), 'momentum');
  await page.getByLabel('out of conv1').fill('6');
  await page.getByLabel('out of conv1').blur();
  await page.waitForURL(/net=conv-out6-kernel5/);
  await page.getByLabel('kernel of conv1').fill('40');
  await page.getByLabel('kernel of conv1').blur();
  await page.getByRole('alert').filter({ hasText: 'conv1' }).first().waitFor();
  await page.locator('.controls button.primary:disabled').waitFor();
  await context.close();
});

test('“99 % in one epoch” is the catalogue’s network and takes its first steps', async () => {
  const { page, context, faults } = await lab(QUICK);
  const presets = page.getByLabel('Preset');
  await presets.selectOption(await presets.locator('option', { hasText: '99 % in one epoch' }).getAttribute('value'));
  // 116,170, as the catalogue counts, and 400 running means and variances.
  await page.locator('.total', { hasText: '116\u202f570 parameters' }).waitFor();
  for (const step of [1, 2, 3]) {
    await button(page, 'Step').click();
    await line(page, `step ${step} of 1\u202f719`).waitFor();
  }
  assert.deepEqual(faults, []);
  await context.close();
});

test('optimisers race, and one that gives up leaves the others running', async () => {
  const { page, context, faults } = await lab(`${QUICK}&steps=60`);
  await page.locator('summary', { hasText: /^Compare$/ }).click();
  await button(page, 'Start the race').click();
  const standing = page.getByRole('list', { name: 'Standing' });
  await standing.getByText(/^60 steps, /).nth(5).waitFor({ timeout: 120_000 });
  assert.equal(await standing.getByRole('listitem').count(), 8);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a claim of the sources is a race of its own networks', async () => {
  const { page, context, faults } = await lab(QUICK);
  await page.locator('summary', { hasText: /^Compare$/ }).click();
  await page.getByRole('combobox', { name: 'Compare' }).selectOption('batch norm and the rate');
  await page.getByText('With batch normalisation a tenfold rate does no harm').waitFor();
  await button(page, 'Start the race').click();
  const standing = page.getByRole('list', { name: 'Standing' });
  await standing.getByText(/^([5-9]|\d\d+) steps/).nth(1).waitFor({ timeout: 60_000 });
  const names = ['without, 0.1', 'without, 1.0', 'with, 0.1', 'with, 1.0'];
  for (const name of names) await standing.getByText(name, { exact: true }).waitFor();
  await button(page, 'Stop the race').click();
  assert.deepEqual(faults, []);
  await context.close();
});

test('axe finds nothing, wide and on a phone, and nothing is wider than the phone', async () => {
  for (const options of [{}, PHONE]) {
    const { page, context, faults } = await lab(`${QUICK}&steps=40`, options);
    await button(page, 'Start').click();
    await hashOf(page);
    assert.deepEqual(await violations(page), []);
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= window, `${content} > ${window}`);
    assert.deepEqual(faults, []);
    await context.close();
  }
});

/** What a person reads or hears in the lab that is neither Japanese nor a name, a number or marked as English. */
const foreign = (page) =>
  page.evaluate(() => {
    const texts = [];
    const walk = (node) => {
      if (node.nodeType === Node.TEXT_NODE) texts.push(node.textContent);
      if (node.nodeType !== Node.ELEMENT_NODE || node.lang === 'en' || ['CODE', 'STYLE', 'SCRIPT'].includes(node.tagName)) return;
      texts.push(...['aria-label', 'title', 'placeholder'].map((name) => node.getAttribute(name) ?? ''));
      node.childNodes.forEach(walk);
    };
    walk(document.querySelector('main'));
    return texts.filter((text) => !/[\u3040-\u30ff\u4e00-\u9fff]/.test(text) && /[a-z]{2,}[ ,:]+[a-z]{2,}[ ,:]+[a-z]{2,}/i.test(text));
  });

test('the lab stands in Japanese, wholly, before, while and after it trains', async () => {
  const { page, context, faults } = await lab(`${QUICK}&steps=40`, { locale: 'ja-JP' });
  await page.getByRole('heading', { level: 1, name: 'ネットワークを学習させる' }).waitFor();
  assert.deepEqual(await foreign(page), []);
  await button(page, '始める').click();
  await page.getByLabel('重みの SHA-256').waitFor({ timeout: 120_000 });
  await page.getByRole('status', { name: '進み具合' }).filter({ hasText: /^40 ステップ中 40：検証データの認識精度 / }).waitFor({ state: 'attached' });
  assert.deepEqual(await foreign(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});
