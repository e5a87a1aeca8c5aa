// npm run bench -- --training: the Train lab as a person uses it, in headless Chromium. How much two workers gain is told
// beside what the machine allows, two trainings in two pages at once, which share nothing: on a busy or shared machine that is
// less than twice one, too.

import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';
import { findBrowser } from '../tools/browser.mjs';
import { buildPage, servePage } from '../tools/page.mjs';
import { inRoot } from '../tools/shell.mjs';

/** DeepConvNet in batches of 100, in four shards. */
const DEEP = [
  ...['conv-out16-kernel3-pad1', 'relu', 'conv-out16-kernel3-pad1', 'relu', 'max_pool-kernel2-stride2'],
  ...['conv-out32-kernel3-pad1', 'relu', 'conv-out32-kernel3-pad2', 'relu', 'max_pool-kernel2-stride2'],
  ...['conv-out64-kernel3-pad1', 'relu', 'conv-out64-kernel3-pad1', 'relu', 'max_pool-kernel2-stride2'],
  ...['flatten', 'affine-out50', 'relu', 'dropout-ratio0.5', 'affine-out10', 'dropout-ratio0.5'],
].join('*');
const QUERY = `?lab=train&net=${DEEP}&batch=100&shard=25&steps=1000`;
/** The lab shows the median speed of the last 40 steps: behind these, the first ones are not among them. */
const WARM = 60;
const MNIST = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'];

/**
 * Measures so many rounds. Resolves to images/s of each, the medians of their ratios within a round, `best` two workers over the
 * best one (the rounds that the machine disturbed least), and to seconds and accuracy on MNIST's test images.
 */
export async function training(rounds, say) {
  const { chrome, flags } = findBrowser();
  await buildPage();
  const site = await servePage();
  const browser = await chromium.launch({ executablePath: chrome, args: flags });
  try {
    const workers = [];
    for (let round = 0; round < rounds; round++) {
      const [one] = await speeds(browser, site.url, [1]);
      const [two] = await speeds(browser, site.url, [2]);
      const apart = sum(await speeds(browser, site.url, [1, 1]));
      workers.push({ one, two, apart });
      say(`one worker ${one}, two ${two}, two pages at once ${apart} images/s`);
    }
    const epochs = [];
    const files = MNIST.map((name) => path.join(process.env.HITOFUDE_DATA ?? inRoot('..', 'shared', 'data'), 'mnist', name));
    if (files.every(existsSync)) {
      for (let round = 0; round < rounds; round++) {
        epochs.push(await oneEpoch(browser, site.url, files));
        const { seconds, accuracy } = epochs.at(-1);
        say(`99 % in one epoch: ${seconds} s, ${accuracy} % of the test set`);
      }
    } else say('99 % in one epoch is left out: no MNIST in ../shared/data, nor in HITOFUDE_DATA');
    const ratio = (above, below) => median(workers.map((figures) => figures[above] / figures[below]));
    const most = (name) => Math.max(...workers.map((figures) => figures[name]));
    const ratios = { two_vs_one: ratio('two', 'one'), apart_vs_one: ratio('apart', 'one'), best_two_vs_best_one: rounded(most('two') / most('one')) };
    return { workers, ...ratios, epochs };
  } finally {
    await browser.close();
    await site.close();
  }
}

/** Images/s of trainings at once, one in a page, with so many workers each. */
async function speeds(browser, url, all) {
  const pages = await Promise.all(all.map((workers) => lab(browser, url + QUERY, workers)));
  for (const page of pages) await start(page);
  let shown;
  do {
    await pages[0].waitForTimeout(200);
    shown = await Promise.all(pages.map(line));
  } while (shown.some(({ step }) => step < WARM));
  await Promise.all(pages.map((page) => page.context().close()));
  return shown.map(({ speed }) => speed);
}

async function oneEpoch(browser, url, files) {
  const page = await lab(browser, `${url}?lab=train`, 1);
  await page.locator('input[type=file]').first().setInputFiles(files);
  await page.getByText(/^60.000 to learn from/).waitFor();
  await page.locator('select', { hasText: '99 % in one epoch' }).selectOption('1');
  await page.getByLabel('Workers').selectOption('1');
  await page.locator('.controls button.primary:enabled').waitFor();
  const from = performance.now();
  await start(page);
  await page.getByLabel('SHA-256 of the weights').waitFor({ timeout: 300_000 });
  const seconds = rounded((performance.now() - from) / 1000);
  const accuracy = parseFloat(await page.locator('.figure .big').textContent());
  await page.context().close();
  return { seconds, accuracy };
}

async function lab(browser, url, workers) {
  const page = await (await browser.newContext({ locale: 'en-US' })).newPage();
  await page.goto(url);
  await page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
  await page.getByLabel('Workers').selectOption(String(workers));
  await page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
  return page;
}

const start = (page) => page.getByRole('button', { name: 'Start', exact: true }).click();

/** Step and speed as the lab shows them. */
async function line(page) {
  const text = (await page.locator('.controls .line').allTextContents()).join(' ').replace(/(?<=\d)\s(?=\d)/g, '');
  return { step: Number(text.match(/step (\d+)/)?.[1] ?? 0), speed: Number(text.match(/(\d+) images\/s/)?.[1] ?? NaN) };
}

const sum = (values) => values.reduce((all, value) => all + value, 0);
const rounded = (value) => Number(value.toFixed(3));
const median = (values) => rounded(values.toSorted((a, b) => a - b)[values.length >> 1]);
