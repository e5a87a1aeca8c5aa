// Neural style transfer, as a person does it: pictures come in, a painting goes on, stops, is kept and taken away.

import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { button, CAMERA, launch, open, PHONE, until, violations } from './browser.mjs';
import { latin } from './latin.mjs';
import { serveSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(CAMERA), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

/** The least painting there is, through filters that need no file. */
const QUICK = '&eye=random&size=64&steps=10';
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
  const { page, context, faults } = await lab('&eye=random&size=64&steps=100');
  await painting(page).getByText(/64 × 64 will take \d+\sMB of memory/).waitFor();
  await button(page, 'Start').click();
  await said(page, /^step \d/);
  await page.getByRole('slider', { name: 'scale1 as style' }).fill('0');
  await button(page, 'Pause').click();
  await said(page, /Paused at step/);
  const at = Number((await painting(page).getByText(/Paused at step/).innerText()).match(/\d+/)[0]);
  assert.ok(at > 0 && at < 100, `paused at ${at}`);
  await button(page, 'Step').click();
  await said(page, `Paused at step ${at + 1}.`);
  await page.getByRole('img', { name: 'scale2: Gram matrix of the style' }).waitFor();
  assert.equal(await page.getByRole('img', { name: 'scale1: Gram matrix of the style' }).count(), 0, 'a layer without weight has no target');
  await button(page, 'Go on').click();
  await said(page, 'Done at step 100.');
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
  await said(page, 'Done at step 10.');
  const first = await code.textContent();
  assert.match(first, /^[0-9a-f]{16}$/);
  await button(page, 'Reset').click();
  await button(page, 'Start').click();
  await said(page, 'Done at step 10.');
  assert.equal(await code.textContent(), first);
  await page.getByRole('link', { name: 'Bench' }).click();
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByRole('link', { name: 'Style' }).click();
  await said(page, 'Done at step 10.');
  assert.equal(await page.getByRole('radio', { name: 'Noise' }).isChecked(), true);
  await page.locator('button.primary:enabled', { hasText: 'Go on' }).click();
  await said(page, 'Done at step 20.');
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
  await said(page, 'Done at step 10.');

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
  const input = page.getByRole('group', { name: 'Input', exact: true });
  await input.getByText('Drawing', { exact: true }).click();
  await page.getByLabel('Drawing pad').waitFor();
  await changed(page, pixels, picture);
  await input.getByText('Camera', { exact: true }).click();
  await after.getByText(/frames\/s now/).waitFor({ timeout: 20_000 });
  await button(page, 'Stop the camera').click();
  assert.deepEqual(faults, []);
  await context.close();
});

test('what charts are drawn with are colours that a canvas knows, in both themes', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, context } = await open(browser, site.url, { colorScheme });
    const unknown = await page.evaluate(() => {
      const context = document.createElement('canvas').getContext('2d');
      return ['--paper', '--ink', '--vermilion', '--indigo', '--muted', '--hairline'].filter((name) => {
        context.strokeStyle = '#010203';
        context.strokeStyle = getComputedStyle(document.documentElement).getPropertyValue(name);
        return context.strokeStyle === '#010203';
      });
    });
    assert.deepEqual(unknown, []);
    await context.close();
  }
});

/** Opens the lab with a storage that takes this long, so that a person is quicker. */
async function slowly(milliseconds, query = QUICK) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, reducedMotion: 'reduce' });
  await context.addInitScript((milliseconds) => {
    const open = indexedDB.open.bind(indexedDB);
    indexedDB.open = (...all) => {
      const request = open(...all);
      const listen = request.addEventListener.bind(request);
      request.addEventListener = (type, hear, ...more) => listen(type, type === 'success' ? (event) => setTimeout(() => hear.call(request, event), milliseconds) : hear, ...more);
      return request;
    };
  }, milliseconds);
  const page = await context.newPage();
  const again = () => page.goto(`${site.url}?lab=style${query}`);
  await again();
  return { page, context, again };
}

test('what is chosen while the lab loads stays', async () => {
  const { page, context, again } = await slowly(1500);
  const content = page.getByRole('group', { name: 'Content', exact: true });
  await content.waitFor({ timeout: 60_000 });
  await hand(page, 'drop', 'Content', 'mine.png', await png(page, 40, 60));
  await content.getByText('mine.png, 40 × 60').waitFor();
  await page.getByRole('group', { name: 'Style', exact: true }).getByText(/512 × 512/).waitFor({ timeout: 30_000 });
  await page.locator('button.primary:enabled', { hasText: 'Start' }).waitFor({ timeout: 60_000 });
  await content.getByText('mine.png, 40 × 60').waitFor();
  await button(page, 'Start').click();
  await said(page, 'Done at step 10.');
  await until(page, () => new Promise((answer) => {
    indexedDB.open('hitofude-style').addEventListener('success', (event) => {
      const db = event.target.result;
      db.transaction('easel').objectStore('easel').get('painting').onsuccess = (got) => (db.close(), answer(got.target.result?.done === true));
    });
  }));

  // The painting of the visit before waits where the person has begun another one.
  await again();
  await content.waitFor({ timeout: 60_000 });
  await hand(page, 'drop', 'Content', 'other.png', await png(page, 60, 40));
  await page.getByText(/^A painting of .* is kept, at step 10\./).waitFor({ timeout: 60_000 });
  await content.getByText('other.png, 60 × 40').waitFor();
  await button(page, 'Bring it back').click();
  await content.getByText('mine.png, 40 × 60').waitFor();
  await said(page, 'Done at step 10.');
  await context.close();
});

test('a feature network that is chosen while another one loads is the one that looks', async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  let release;
  await context.route(/features[^/]*\.safetensors/, async (route) => {
    if (route.request().resourceType() === 'fetch') await new Promise((go) => (release = go));
    await route.continue();
  });
  await page.goto(`${site.url}?lab=style&size=64&steps=10`);
  const network = page.getByRole('combobox', { name: 'Network', exact: true });
  await network.selectOption('random', { timeout: 60_000 });
  for (const end = Date.now() + 20_000; !release; await page.waitForTimeout(50)) assert.ok(Date.now() < end, 'nobody asks for the network');
  release();
  await page.getByText(/^random: /).first().waitFor({ timeout: 60_000 });
  await page.waitForTimeout(500);
  assert.equal(await network.inputValue(), 'random');
  assert.equal(new URL(page.url()).searchParams.get('eye'), 'random');
  await page.getByText(/^random: /).first().waitFor();
  await context.close();
});

test('instantly: the style chosen last paints, however late the one before it comes; a denied camera says so until something else is shown', { skip: hands < 2 && 'fewer than two styles have been trained' }, async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  const names = readdirSync(trained).filter((name) => name.endsWith('.safetensors') && name !== 'features.safetensors').map((name) => name.replace('.safetensors', ''));
  let release;
  await context.route(new RegExp(`${names[0]}[^/]*\\.safetensors`), async (route) => {
    if (route.request().resourceType() === 'fetch') await new Promise((go) => (release = go));
    await route.continue();
  });
  await page.goto(`${site.url}?lab=style&mode=instant&side=128&hand=${names[0]}`);
  const after = page.getByRole('region', { name: 'After' });
  const pixels = () => after.locator('canvas').evaluate((canvas) => [canvas.width, ...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.filter((_, i) => i % 97 === 0)].join());
  const styles = page.getByRole('group', { name: 'Style' }).getByRole('radio');
  await styles.nth(1).click({ force: true, timeout: 60_000 });
  await after.getByText(/ms a picture/).waitFor({ timeout: 60_000 });
  const first = await pixels();
  release();
  await page.waitForTimeout(1500);
  for (const side of ['192', '128']) {
    const before = await pixels();
    await page.getByRole('combobox', { name: 'Longer side' }).selectOption(side);
    await changed(page, pixels, before);
  }
  assert.ok((await pixels()) === first, 'the style before it paints');

  await page.evaluate(() => (navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('no', 'NotAllowedError'))));
  await page.getByRole('group', { name: 'Input', exact: true }).getByText('Camera', { exact: true }).click();
  const alert = page.getByRole('alert').filter({ hasText: 'The camera was not allowed.' });
  await alert.waitFor();
  await page.waitForTimeout(1500);
  assert.equal(await alert.count(), 1, 'it still stands when the picture has been painted again');
  await page.getByRole('button', { name: 'Torii' }).click();
  await alert.waitFor({ state: 'detached' });
  await context.close();
});

test('in Japanese, wholly: before, while and behind a painting, and instantly', async () => {
  const { page, context, faults } = await open(browser, site.url, { query: `?lab=style${QUICK}`, locale: 'ja-JP' });
  await page.getByRole('heading', { level: 1, name: 'ニューラル画風変換' }).waitFor();
  await page.locator('button.primary:enabled', { hasText: '開始' }).waitFor({ timeout: 60_000 });
  const speaks = async () => assert.deepEqual(await latin(page), []);
  await page.getByRole('group', { name: '内容', exact: true }).getByText('山並み').waitFor();
  await speaks();
  await hand(page, 'drop', '内容', 'notes.txt', Buffer.from('hello'), 'text/plain');
  await page.getByRole('alert').filter({ hasText: 'notes.txt は、このブラウザーで開ける画像ではありません' }).waitFor();
  await page.getByRole('button', { name: '開始', exact: true }).click();
  await page.getByText(/^ステップ 10 で完了しました/).waitFor({ timeout: 60_000 });
  await page.getByText('損失の表').click();
  await page.getByRole('group', { name: '最適化手法' }).getByText('Adam').click();
  await page.getByLabel('手元の VGG').setInputFiles({ name: 'vgg.safetensors', mimeType: '', buffer: Buffer.from('no such thing') });
  await page.getByRole('alert').filter({ hasText: 'vgg.safetensors を開けませんでした。' }).waitFor();
  await speaks();
  assert.deepEqual(await violations(page), []);
  // What was painted in one language is called otherwise in the other.
  await page.goto(`${site.url}?lab=style${QUICK}&lang=en&style=marbling`);
  await page.getByRole('button', { name: 'Bring it back' }).click({ timeout: 60_000 });
  await page.getByRole('group', { name: 'Content', exact: true }).getByText(/^Mountains, /).waitFor();
  await page.goto(`${site.url}?lab=style&mode=instant&side=128&lang=ja`);
  await page.getByRole('region', { name: '変換後' }).waitFor();
  await page.waitForTimeout(1000);
  await speaks();
  assert.deepEqual(faults, []);
  await context.close();
});

test('nothing is wider than the window, in either language', async () => {
  for (const lang of ['en', 'ja']) {
    for (const mode of ['', '&mode=instant&side=128']) {
      const { page, context } = await open(browser, site.url, { query: `?lab=style&eye=random${mode}&lang=${lang}` });
      await page.locator('.input canvas').first().waitFor({ timeout: 60_000 });
      for (const [width, height] of [[1280, 800], [1024, 768], [1000, 560], [768, 1024], [390, 844], [320, 640]]) {
        await page.setViewportSize({ width, height });
        await page.waitForTimeout(100);
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(wide <= 0, `${lang}${mode}, ${width}: ${wide} px wider`);
      }
      await context.close();
    }
  }
});
