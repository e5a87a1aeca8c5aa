// Scenes: digits found on a sheet, by two detectors and by one that learns; masks of sheets and of a drive.

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { launch, open, PHONE, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const read = (page) => page.getByRole('region', { name: 'It reads' });
const row = (page, name) => page.getByRole('row').filter({ has: page.getByRole('rowheader', { name, exact: true }) });

async function lab(query = '', options = {}) {
  const opened = await open(browser, site.url, { query: `?lab=scenes${query}`, ...options });
  return opened;
}

/** Draws strokes on the sheet, points in parts of its side. */
async function draw(page, strokes) {
  const { x, y, width, height } = await page.getByLabel('Drawing pad').boundingBox();
  for (const stroke of strokes) {
    const [first, ...rest] = stroke.map(([u, v]) => [x + u * width, y + v * height]);
    await page.mouse.move(...first);
    await page.mouse.down();
    for (const point of rest) await page.mouse.move(...point, { steps: 6 });
    await page.mouse.up();
  }
}

const ONE = [[[0.25, 0.3], [0.25, 0.65]]];
const SEVEN = [[[0.55, 0.3], [0.8, 0.3], [0.65, 0.68]]];

test('digits that a person draws are found while the pen moves, said, and read from left to right', async () => {
  const { page, context, faults } = await lab();
  await page.getByRole('rowheader', { name: 'Faster R-CNN' }).waitFor({ timeout: 60_000 });
  await read(page).getByText('There:').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Draw yourself' }).click();
  await draw(page, [...ONE, ...SEVEN]);
  await read(page).getByText('17', { exact: true }).waitFor({ timeout: 20_000 });
  await page.getByText(/^Found: .*1 at the left.*$/).waitFor({ state: 'attached' });
  assert.equal(await page.getByLabel('What was found on the sheet').locator('rect.found').count(), 2);
  await page.reload();
  await read(page).getByText('17', { exact: true }).waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Clear', exact: true }).click();
  await read(page).getByText('Draw digits on the sheet').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('R-CNN looks at the same sheet and takes longer; its regions and corrections can be seen', async () => {
  const { page, context, faults } = await lab();
  await read(page).getByText('There:').waitFor({ timeout: 60_000 });
  await page.getByLabel('Let R-CNN look, too').check();
  await page.getByText(/One network for all is [\d.]+ times as fast/).waitFor({ timeout: 60_000 });
  const [fast, slow] = await Promise.all(['Faster R-CNN', 'R-CNN'].map((name) => row(page, name).getByRole('cell').first().innerText()));
  assert.ok(Number.parseFloat(slow.replaceAll(' ', '')) > 2 * Number.parseFloat(fast.replaceAll(' ', '')), `${fast}, ${slow}`);
  const boxes = page.getByLabel('What was found on the sheet');
  await page.getByText('Regions', { exact: true }).click();
  await page.waitForFunction(() => document.querySelectorAll('rect.region').length === 20);
  await page.getByText('R-CNN', { exact: true }).last().click();
  await page.getByRole('group', { name: 'On the sheet' }).getByText('Corrections', { exact: true }).click();
  assert.ok((await boxes.locator('line').count()) > 0);
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a file that is no picture is refused with a sentence, and the sheet stays', async () => {
  const { page, context, faults } = await lab();
  await read(page).getByText('There:').waitFor({ timeout: 60_000 });
  const there = await read(page).getByText('There:').innerText();
  for (const buffer of [Buffer.from('no picture'), Buffer.alloc(0)]) {
    await page.locator('input[type=file]').setInputFiles({ name: 'wrong.png', mimeType: 'image/png', buffer });
    await page.getByRole('alert').filter({ hasText: 'wrong.png is' }).waitFor();
  }
  assert.equal(await read(page).getByText('There:').innerText(), there);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a detector learns in the page, pauses, goes on, and the sheet is seen through its eyes', async () => {
  const { page, context, faults } = await lab();
  await read(page).getByText('There:').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Start', exact: true }).click();
  await page.getByText(/^Step [1-9]\d* of 400, about \d+ s to go/).waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Pause', exact: true }).click();
  await page.waitForTimeout(1500);
  const status = () => page.getByText(/^Step \d+ of 400/).innerText();
  const before = await status();
  await page.waitForTimeout(1500);
  assert.equal(await status(), before, 'it pauses');
  await page.getByRole('button', { name: 'Go on', exact: true }).click();
  await page.waitForFunction((old) => ![...document.querySelectorAll('p')].some((p) => p.textContent.includes(old)), before, { timeout: 60_000 });
  assert.ok(await page.getByRole('radio', { name: 'The learner' }).isChecked());
  await page.getByText('The one that ships', { exact: true }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save the detector' }).click();
  assert.equal((await download).suggestedFilename(), 'faster_rcnn.safetensors');
  assert.deepEqual(faults, []);
  await context.close();
});

test('precision and recall fill scene by scene', async () => {
  const { page, context, faults } = await lab();
  await read(page).getByText('There:').waitFor({ timeout: 60_000 });
  await page.getByRole('button', { name: 'Look at 60 scenes' }).click();
  await page.getByText(/^[1-9]\d* scenes: area under the curve/).waitFor({ timeout: 60_000 });
  assert.ok((await page.locator('svg circle').count()) > 0);
  assert.deepEqual(faults, []);
  await context.close();
});

test('every pixel of a sheet and of a drive has a class, in any weather, on a phone and in Japanese', async () => {
  const { page, context, faults } = await lab('&tab=colour&lang=ja', PHONE);
  await page.getByRole('img', { name: /^FCN-8s: 平均 IoU/ }).waitFor({ timeout: 60_000 });
  assert.equal(await page.getByRole('img', { name: /^(FCN-|正解)/ }).count(), 4);
  await page.getByText('走る', { exact: true }).click();
  await page.getByText(/^コマ \d+：/).waitFor({ timeout: 60_000 });
  await page.getByText('夜', { exact: true }).click();
  await page.getByText(/^コマ \d+：/).waitFor({ timeout: 60_000 });
  assert.ok(await page.getByRole('radio', { name: '夜' }).isChecked());
  assert.ok(page.url().includes('tab=drive'));
  assert.ok(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing is wider than the phone');
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a sentence in each language tells of a scene, and each word where it was looked for', async () => {
  const { page, context, faults } = await lab('&tab=say');
  const english = page.getByRole('region', { name: 'English' });
  await english.getByText(/^Written in/).waitFor({ timeout: 60_000 });
  await page.getByRole('region', { name: '日本語' }).getByText(/^Written in/).waitFor({ timeout: 60_000 });
  await english.getByRole('button').first().click();
  await page.getByRole('img', { name: /^Where it looked for/ }).waitFor();
  await english.getByText('The beams as a tree').click();
  assert.ok((await english.locator('svg text').count()) > 6);
  await page.getByRole('button', { name: 'A pair never seen' }).click();
  await english.getByText(/^Written in/).waitFor({ timeout: 60_000 });
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});
