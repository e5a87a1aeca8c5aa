// Playing and learning to play in the page, as a person does it: Catch is learnt within seconds, and nothing of it is lost.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, test } from 'node:test';
import { button, hashOf, launch, open, PHONE, until, violations } from './browser.mjs';
import { serveSite, withSite } from './site.mjs';

let browser;
let site;
before(async () => ([browser, site] = await Promise.all([launch(), serveSite()])));
after(() => Promise.all([browser?.close(), site?.close()]));

const network = (page) => page.getByRole('region', { name: 'The network', exact: true });
const person = (page) => page.getByRole('region', { name: 'You', exact: true });
const thread = (page) => page.workers().findLast((worker) => worker.url().includes('referee'));

/** Opens the lab and waits until a player is at the board. */
async function lab(query = '', options = {}) {
  const opened = await open(browser, site.url, { query: `?lab=play${query}`, ...options });
  await opened.page.locator('button.primary:enabled').waitFor({ timeout: 60_000 });
  return opened;
}

/** A figure of the training, by its name. */
async function figure(page, name) {
  const text = await page.locator('dl div', { hasText: name }).locator('dd').first().textContent();
  return Number(text.replaceAll('\u202f', '').replace('−', '-'));
}

async function reaches(page, name, most, seconds = 60) {
  for (const end = Date.now() + 1000 * seconds; (await figure(page, name)) < most || Number.isNaN(await figure(page, name)); await page.waitForTimeout(30)) {
    assert.ok(Date.now() < end, `${name} is still ${await figure(page, name)}, not ${most}`);
  }
}

const points = (board) => board.getByText(/^Points: −?\d+$/).first().textContent();

/** The slider stands at as fast as it can. */
const fast = (page) => page.getByRole('slider', { name: 'Speed' }).press('End');

test('a trained player plays as the page opens; another learns Catch from nothing and its return rises', async () => {
  const { page, context, faults } = await lab();
  await network(page).getByRole('heading', { name: 'A player that has learnt' }).waitFor();
  await network(page).getByText(/^step [1-9]/).waitFor();
  await fast(page);
  await button(page, 'Start training').click();
  await network(page).getByRole('heading', { name: 'The learner' }).waitFor();
  await reaches(page, 'Episodes', 400);
  await button(page, 'Pause').click();
  await button(page, 'Test it: 100 games').click();
  await reaches(page, 'Without random moves', 0.9);
  assert.ok((await figure(page, 'Mean of the last 20')) > 0.5);
  assert.match(await hashOf(page), /^[0-9a-f]{64}$/);
  // The curve as a table, and the levels beside it.
  await page.getByText('Points per episode as a table').click();
  const rows = await page.getByRole('table').filter({ hasText: 'best possible' }).getByRole('row').allInnerTexts();
  assert.ok(rows.length > 5 && rows.at(-1).includes('1.00') && rows.at(-1).includes('−0.58'), rows.at(-1));
  assert.ok((await page.getByRole('img', { name: /, reward .*, \d[\d\s]* moves ago$/ }).count()) >= 32, 'the film');
  await page.getByRole('img', { name: /^Learnt values against exact ones/ }).waitFor();
  await page.getByRole('img', { name: 'conv1: 8 maps' }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('the same moves give the same weights, at any speed, in pieces and at once', async () => {
  const hashes = [];
  const once = await lab('&seed=5');
  await fast(once.page);
  await button(once.page, 'Start training').click();
  await reaches(once.page, 'Moves', 200);
  await button(once.page, 'Pause').click();
  hashes.push(await hashOf(once.page));
  const moves = await figure(once.page, 'Moves');
  await once.context.close();

  const { page, context, faults } = await lab('&seed=5');
  await button(page, 'Start training').click();
  await reaches(page, 'Moves', 100);
  await button(page, 'Pause').click();
  await fast(page);
  // The rest in the same thread, without what the page needs for each click.
  for (let at = await figure(page, 'Moves'); at < moves; at++) {
    await button(page, 'Step').click();
    if (at % 50 === 0) await reaches(page, 'Moves', at);
  }
  await reaches(page, 'Moves', moves);
  await page.getByText(`After ${moves.toLocaleString('en').replaceAll(',', '\u202f')} moves`).waitFor();
  hashes.push(await hashOf(page));
  assert.equal(hashes[0], hashes[1]);
  assert.deepEqual(faults, []);
  await context.close();
});

test('a person plays by keys and by buttons, move by move and by the clock', async () => {
  const { page, context, faults } = await lab();
  const board = person(page).getByRole('application');
  await board.focus();
  for (let i = 0; i < 9; i++) {
    await person(page).getByRole('img', { name: new RegExp(`, step ${i}, `) }).waitFor();
    await page.keyboard.press('ArrowLeft');
  }
  await person(page).getByText(/^Over\. Points: −?1\. Any/).waitFor();
  assert.match(await points(person(page)), /^Points: −?1$/);
  await person(page).getByText(/^1 played, /).waitFor();
  // Any move begins the next game; the buttons move, too.
  await person(page).getByRole('button', { name: 'right', exact: true }).click();
  await person(page).getByRole('img', { name: /, step 0, / }).waitFor();
  await person(page).getByRole('button', { name: 'right', exact: true }).click();
  await person(page).getByRole('img', { name: /, step 1, / }).waitFor();
  await person(page).getByText('Show what the network thinks of my board').click();
  await person(page).getByRole('row', { name: /^right −?\d/ }).waitFor();

  await page.getByText('Breakout', { exact: true }).click();
  await network(page).getByRole('img', { name: /^The board of Breakout/ }).waitFor();
  await person(page).getByText('By itself', { exact: true }).click();
  await board.focus();
  await page.keyboard.press('ArrowRight');
  await person(page).getByRole('img', { name: /, step [3-9], / }).waitFor({ timeout: 10_000 });
  assert.equal(new URL(page.url()).searchParams.get('game'), 'breakout');
  assert.deepEqual(faults, []);
  await context.close();
});

test('an episode is looked at again, chance is set by hand, the player is saved and opened', async () => {
  const { page, context, faults } = await lab();
  await fast(page);
  await page.getByText('Set chance (ε) by hand').click();
  await page.getByRole('slider', { name: 'Random moves, ε' }).press('Home');
  await button(page, 'Start training').click();
  await reaches(page, 'Episodes', 30);
  await button(page, 'Pause').click();
  await page.getByText('ε = 0.').waitFor();
  await button(page, 'Rewind the last episode').click();
  await network(page).getByText(/^Frame 0 of 9; /).waitFor();
  await button(page, 'One frame on').click();
  await network(page).getByText(/^Frame 1 of 9; /).waitFor();
  await network(page).getByRole('img', { name: /, step 1, / }).waitFor();
  await page.getByRole('slider', { name: /^Frame 1 of 9/ }).press('End');
  await network(page).getByText(/^Frame 9 of 9; /).waitFor();
  await button(page, 'Back to now').click();

  const [download] = await Promise.all([page.waitForEvent('download'), button(page, 'Save the player').click()]);
  assert.equal(download.suggestedFilename(), 'catch.safetensors');
  const file = readFileSync(await download.path());
  await page.getByLabel('Open a player').setInputFiles({ name: 'mine.safetensors', mimeType: '', buffer: file });
  await network(page).getByRole('heading', { name: 'The player in mine.safetensors' }).waitFor();
  await page.getByLabel('Open a player').setInputFiles({ name: 'bad.safetensors', mimeType: '', buffer: Buffer.from('no such thing') });
  await page.getByRole('alert').filter({ hasText: 'That did not work' }).waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('values that run away are said, taken back, and learning goes on', async () => {
  const { page, context, faults } = await lab();
  await button(page, 'See the values run away').click();
  const alert = page.getByRole('alert').filter({ hasText: 'The values ran away' });
  await alert.waitFor({ timeout: 60_000 });
  assert.match(await alert.textContent(), /step \d+ of learning: expected values up to/);
  await page.waitForURL(/target=0/);
  await button(page, 'Go on').click();
  await reaches(page, 'Moves', (await figure(page, 'Moves')) + 20);
  // What keeps it steady comes back with one press.
  await page.getByRole('switch', { name: /^Target network/ }).click();
  await button(page, 'Start training').waitFor();
  assert.deepEqual(faults, []);
  await context.close();
});

test('a reload and a thread that breaks cost the learner nothing but moments', async () => {
  const { page, context } = await lab('&replay=0');
  assert.equal(await page.getByRole('switch', { name: /^Replay memory/ }).isChecked(), false);
  await fast(page);
  await button(page, 'Start training').click();
  await reaches(page, 'Episodes', 60);
  await button(page, 'Pause').click();
  // The hash comes behind the last report.
  const hash = await hashOf(page);
  const episodes = await figure(page, 'Episodes');
  await page.waitForTimeout(300);
  await page.reload();
  await page.getByText(/^This is the learner of .*, \d+ episodes old/).waitFor({ timeout: 30_000 });
  assert.equal(await figure(page, 'Episodes'), episodes);
  assert.equal(await page.getByRole('switch', { name: /^Replay memory/ }).isChecked(), false);
  await button(page, 'Go on').click();
  await reaches(page, 'Episodes', episodes + 10);
  await thread(page).evaluate(() => void Promise.reject(new Error('lost')));
  await page.getByText('The thread was replaced, and goes on from what was kept last').waitFor();
  await reaches(page, 'Episodes', episodes + 20);
  await button(page, 'Reset').click();
  await button(page, 'Start training').waitFor();
  assert.equal(await figure(page, 'Episodes'), 0);
  assert.match(hash, /^[0-9a-f]{64}$/);
  await context.close();
});

test('a thread that is killed says nothing; it is missed, and a fresh one goes on', async () => {
  const { page, context } = await lab();
  await fast(page);
  await button(page, 'Start training').click();
  await reaches(page, 'Episodes', 40);
  await page.waitForTimeout(3500);
  const episodes = await figure(page, 'Episodes');
  await thread(page).evaluate(() => self.close());
  await page.getByText('The thread was replaced, and goes on from what was kept last').waitFor({ timeout: 40_000 });
  await reaches(page, 'Episodes', episodes + 10);
  await context.close();
});

test('the second visit plays and learns without a network', () =>
  withSite(async (own) => {
    const { page, context } = await open(browser, own.url, { query: '?lab=play' });
    await network(page).getByRole('heading', { name: 'A player that has learnt' }).waitFor({ timeout: 60_000 });
    await until(page, async () => {
      const urls = await Promise.all((await caches.keys()).map(async (name) => (await (await caches.open(name)).keys()).map(({ url }) => url)));
      return ['index.html', 'text-play-en', 'Play-', 'referee-', '.wasm', 'catch-'].every((part) => urls.flat().some((url) => url.includes(part)));
    });
    await own.close();
    await page.reload();
    await network(page).getByRole('heading', { name: 'A player that has learnt' }).waitFor({ timeout: 60_000 });
    await button(page, 'Start training').click();
    await reaches(page, 'Episodes', 3);
    await context.close();
  }));

test('in Japanese, on a phone in the dark, axe finds nothing and nothing is wider than the phone', async () => {
  for (const options of [{ locale: 'ja-JP', colorScheme: 'dark', ...PHONE }, {}]) {
    const { page, context, faults } = await lab('', options);
    const start = options.locale ? '学習を始める' : 'Start training';
    await button(page, start).click();
    await page.getByText(options.locale ? '1 回ごとの得点の表' : 'Points per episode as a table').waitFor();
    await button(page, options.locale ? '一時停止' : 'Pause').click();
    await page.waitForTimeout(500);
    assert.deepEqual(await violations(page), []);
    const [content, window] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
    assert.ok(content <= window, `${content} > ${window}`);
    assert.deepEqual(faults, []);
    if (options.locale) {
      await page.getByRole('button', { name: 'English' }).click();
      await page.getByRole('heading', { level: 1, name: 'Play' }).waitFor();
    }
    await context.close();
  }
});
