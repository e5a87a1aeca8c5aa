// Painting in another's hand, as a person does it: pictures come in, a painting goes on, stops, is kept and taken away.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { CAMERA, launch, open, PHONE, violations } from './browser.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(CAMERA), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

/** The least painting there is, through filters that need no file. */
const QUICK = '&eye=random&size=64&steps=10';
const button = (page, name) => page.getByRole('button', { name, exact: true });
const painting = (page) => page.getByRole('region', { name: 'Painting', exact: true });
const said = (page, text) => painting(page).getByText(text).first().waitFor({ timeout: 30_000 });

async function lab(query = QUICK, options = {}) {
  const opened = await open(browser, site.url, { query: `?lab=style${query}`, ...options });
  await opened.page.locator('button.primary:enabled', { hasText: 'Start' }).waitFor({ timeout: 60_000 });
  return opened;
}

/** Drops or pastes a file onto an input for pictures. */
const hand = (page, kind, label, name, bytes, type = 'image/png') =>
  page.getByRole('group', { name: label, exact: true }).evaluate(
    (target, { kind, name, bytes, type }) => {
      const dataTransfer = new DataTransfer();
      dataTransfer.items.add(new File([Uint8Array.from(bytes)], name, { type }));
      if (kind === 'drop') target.dispatchEvent(new DragEvent('drop', { dataTransfer, bubbles: true, cancelable: true }));
      else target.dispatchEvent(new ClipboardEvent('paste', { clipboardData: dataTransfer, bubbles: true, cancelable: true }));
    },
    { kind, name, bytes: [...bytes], type },
  );

/** A PNG of this size that a canvas made. */
const png = async (page, width, height) =>
  Buffer.from(
    await page.evaluate(
      async ([width, height]) => {
        const canvas = new OffscreenCanvas(width, height);
        const context = canvas.getContext('2d');
        context.fillStyle = '#c73e3a';
        context.fillRect(0, 0, width / 2, height);
        return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
      },
      [width, height],
    ),
  );

async function losses(page) {
  if (!(await page.getByRole('table').filter({ hasText: 'total variation' }).isVisible())) await page.getByText('Loss as a table').click();
  const rows = await page.getByRole('table').filter({ hasText: 'total variation' }).getByRole('row').allInnerTexts();
  return rows.slice(1).map((row) => row.split('\t').map((cell) => Number(cell.replaceAll('−', '-'))));
}

test('the loss falls, weights act while it runs, it pauses and goes on, and is taken away', async () => {
  const { page, context, faults } = await lab('&eye=random&size=64&steps=24');
  await painting(page).getByText(/64 × 64 will take \d+\sMB of memory/).waitFor();
  await button(page, 'Start').click();
  await said(page, /^step \d/);
  await page.getByRole('slider', { name: 'scale1 as style' }).fill('0');
  await button(page, 'Pause').click();
  await said(page, /Paused at step/);
  const at = Number((await painting(page).getByText(/Paused at step/).innerText()).match(/\d+/)[0]);
  assert.ok(at > 0 && at < 24, `paused at ${at}`);
  await button(page, 'Step').click();
  await said(page, `Paused at step ${at + 1}.`);
  await page.getByRole('img', { name: 'scale2: Gram matrix of the style' }).waitFor();
  assert.equal(await page.getByRole('img', { name: 'scale1: Gram matrix of the style' }).count(), 0, 'a layer without weight has no target');
  await button(page, 'Go on').click();
  await said(page, 'Done after 24 steps');
  const rows = await losses(page);
  assert.ok(rows.at(-1)[1] < rows[1][1], JSON.stringify(rows));
  assert.match(new URL(page.url()).searchParams.get('sl'), /scale2:/);
  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Save PNG').click()]);
  assert.equal(readFileSync(await download.path()).subarray(1, 4).toString(), 'PNG');
  assert.deepEqual(await violations(page), []);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a link gives the same picture to the bit; another lab in between loses nothing', async () => {
  const { page, context, faults } = await lab(`${QUICK}&seed=7&start=noise&by=adam`);
  const code = page.getByLabel('Hash of the painting');
  await button(page, 'Start').click();
  await said(page, 'Done after 10 steps');
  const first = await code.textContent();
  assert.match(first, /^[0-9a-f]{16}$/);
  await button(page, 'Reset').click();
  await button(page, 'Start').click();
  await said(page, 'Done after 10 steps');
  assert.equal(await code.textContent(), first);
  await page.getByRole('link', { name: 'Bench' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Style' }).click();
  await said(page, 'Done after 10 steps');
  assert.equal(await page.getByRole('radio', { name: 'Noise' }).isChecked(), true);
  await page.locator('button.primary:enabled', { hasText: 'Go on' }).click();
  await said(page, 'Done after 20 steps');
  assert.deepEqual(faults, []);
  await context.close();
});

test('pictures are dropped, pasted, drawn and taken, or refused with the one before kept', async () => {
  const { page, context, faults } = await lab();
  const content = page.getByRole('group', { name: 'Content', exact: true });
  const style = page.getByRole('group', { name: 'Style', exact: true });
  await hand(page, 'drop', 'Content', 'notes.txt', Buffer.from('hello'), 'text/plain');
  await content.getByRole('alert').filter({ hasText: 'notes.txt is no picture that this browser can open' }).waitFor();
  await hand(page, 'drop', 'Content', 'nothing.png', Buffer.alloc(0));
  await content.getByRole('alert').filter({ hasText: 'nothing.png is empty' }).waitFor();
  await content.getByText('512 × 512').waitFor();
  await hand(page, 'drop', 'Content', 'wide.png', await png(page, 3000, 1500));
  await content.getByText('wide.png, 1024 × 512').waitFor();
  await painting(page).getByText(/64 × 32 will take/).waitFor();
  await style.getByRole('button', { name: 'Draw' }).focus();
  await hand(page, 'paste', 'Style', 'image.png', await png(page, 40, 60));
  await style.getByText('image.png, 40 × 60').waitFor();

  await content.getByRole('button', { name: 'Draw' }).click();
  const { x, y, width } = await content.getByLabel('Drawing pad').boundingBox();
  await page.mouse.move(x + 0.2 * width, y + 0.2 * width);
  await page.mouse.down();
  await page.mouse.move(x + 0.8 * width, y + 0.7 * width);
  await page.mouse.up();
  await content.getByRole('button', { name: 'Use it' }).click();
  await content.getByText('your drawing, 512 × 512').waitFor();

  await content.getByRole('button', { name: 'Camera' }).click();
  await content.locator('.camera.live').waitFor({ timeout: 20_000 });
  await content.getByRole('button', { name: 'Take it' }).click();
  await content.getByText(/from the camera, \d+ × \d+/).waitFor();
  await button(page, 'Start').click();
  await said(page, 'Done after 10 steps');

  // A network that is none.
  await page.getByLabel('A VGG of your own').setInputFiles({ name: 'vgg.safetensors', mimeType: '', buffer: Buffer.from('no such thing') });
  await page.getByRole('alert').filter({ hasText: /random stays/ }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('a camera that is denied is a sentence, not a failure', async () => {
  const { page, context, faults } = await lab();
  await page.evaluate(() => {
    navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'));
  });
  const content = page.getByRole('group', { name: 'Content', exact: true });
  await content.getByRole('button', { name: 'Camera' }).click();
  await content.getByRole('alert').filter({ hasText: 'The camera was not allowed. Everything else works without it' }).waitFor();
  await content.getByText('512 × 512').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

/** Waits until other pixels stand there than before. */
async function changed(page, pixels, before) {
  for (const end = Date.now() + 20_000; (await pixels()) === before; await page.waitForTimeout(50)) assert.ok(Date.now() < end, 'the same pixels');
}

const trained = new URL('../../pretrained/style/', import.meta.url);
const hands = existsSync(trained) ? readdirSync(trained).filter((name) => name.endsWith('.safetensors') && name !== 'features.safetensors').length : 0;

test('instantly, on a phone in the dark: a picture, the brush and the camera', { skip: hands === 0 && 'no style has been trained yet' }, async () => {
  const { page, context, faults } = await open(browser, site.url, { query: '?lab=style&mode=instant&side=128', ...PHONE, colorScheme: 'dark' });
  const after = page.getByRole('region', { name: 'After' });
  await after.getByText(/ms a picture/).waitFor({ timeout: 60_000 });
  const pixels = () => after.locator('canvas').evaluate((canvas) => [...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 97 === 0)].join());
  const first = await pixels();
  const styles = page.getByRole('group', { name: 'Style' }).getByRole('radio');
  assert.equal(await styles.count(), hands);
  if (hands > 1) {
    await styles.nth(1).click({ force: true });
    await changed(page, pixels, first);
  }
  assert.deepEqual(await violations(page), []);
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= PHONE.viewport.width);
  const picture = await pixels();
  await page.getByText('The brush', { exact: true }).click();
  await page.getByLabel('Drawing pad').waitFor();
  await changed(page, pixels, picture);
  await page.getByText('The camera', { exact: true }).click();
  await after.getByText(/frames\/s now/).waitFor({ timeout: 20_000 });
  await button(page, 'Stop the camera').click();
  assert.deepEqual(faults, []);
  await context.close();
});
