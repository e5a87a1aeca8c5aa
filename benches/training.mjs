// npm run bench -- --training: the Train lab as a person uses it, in headless Chromium. How much two workers gain is told
// beside what the machine allows, two trainings in two pages at once, which share nothing: on a busy or shared machine that is
// less than twice one, too.

import { existsSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { chromium } from 'playwright-core';
import { findBrowser } from '../tools/browser.mjs';
import { buildPage, servePage } from '../tools/page.mjs';
import { inRoot, Obstacle } from '../tools/shell.mjs';

/** Presets of the lab: DeepConvNet in batches of 100, in four shards; and the training that aims at MNIST. */
const [DEEP, ONE_EPOCH] = ['DeepConvNet', '99 % in one epoch'];
/** The lab shows the median speed of the last 40 steps: behind these, the first ones are not among them. */
const WARM = 60;
/** The longest time for a training, in milliseconds. */
const PATIENCE = 300_000;
const DATA = path.join(process.env.HITOFUDE_DATA ?? inRoot('..', 'shared'), 'data', 'mnist');
const MNIST = ['train-images-idx3-ubyte.gz', 'train-labels-idx1-ubyte.gz', 't10k-images-idx3-ubyte.gz', 't10k-labels-idx1-ubyte.gz'];

/**
 * Measures so many rounds. Resolves to images/s of each, the medians of their ratios within a round, `best` two workers over the
 * best one (the rounds that the machine disturbed least), and to seconds and accuracy on MNIST's test images.
 */
export async function measureTraining(rounds, say) {
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
    const files = MNIST.map((name) => path.join(DATA, name));
    if (files.every(existsSync)) {
      for (let round = 0; round < rounds; round++) {
        epochs.push(await oneEpoch(browser, site.url, files));
        const { seconds, accuracy } = epochs.at(-1);
        say(`99 % in one epoch: ${seconds} s, ${accuracy} % of the test set`);
      }
    } else say('99 % in one epoch is left out: MNIST is not in ../shared/data, and HITOFUDE_DATA names no folder that has it');
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
  const pages = await Promise.all(all.map(() => lab(browser, url)));
  for (const [i, page] of pages.entries()) await choose(page, DEEP, all[i]);
  for (const page of pages) await start(page);
  const from = performance.now();
  let shown;
  do {
    if (performance.now() - from > PATIENCE) throw new Obstacle(`the Train lab came to ${shown.map(({ step }) => step)} steps only.`);
    await pages[0].waitForTimeout(200);
    shown = await Promise.all(pages.map(line));
  } while (shown.some(({ step }) => step < WARM));
  await Promise.all(pages.map((page) => page.context().close()));
  return shown.map(({ speed }) => speed);
}

async function oneEpoch(browser, url, files) {
  const page = await lab(browser, url);
  await page.locator('input[type=file]').first().setInputFiles(files);
  await page.getByText(/^55.000 training, 5.000 validation and 10.000 test/).waitFor();
  await choose(page, ONE_EPOCH, 1);
  const from = performance.now();
  await start(page);
  await page.getByLabel('SHA-256 of the weights').waitFor({ timeout: PATIENCE });
  const seconds = rounded((performance.now() - from) / 1000);
  const accuracy = parseFloat(await page.locator('.figure .big').textContent());
  await page.context().close();
  return { seconds, accuracy };
}

async function lab(browser, url) {
  const page = await (await browser.newContext({ locale: 'en-US' })).newPage();
  await page.goto(`${url}?lab=train`);
  await ready(page);
  return page;
}

async function choose(page, preset, workers) {
  const presets = page.getByLabel('Preset');
  await presets.selectOption(await presets.locator('option', { hasText: preset }).getAttribute('value'));
  await page.getByLabel('Workers').selectOption(String(workers));
  await ready(page);
}

const ready = (page) => page.locator('.controls button.primary:enabled').waitFor({ timeout: 60_000 });
const start = (page) => page.getByRole('button', { name: 'Start', exact: true }).click();

/** Step and speed as the lab shows them. */
async function line(page) {
  const text = (await page.locator('.controls .line').allTextContents()).join(' ').replace(/(?<=\d)\s(?=\d)/g, '');
  return { step: Number(text.match(/step (\d+)/)?.[1] ?? 0), speed: Number(text.match(/(\d+) images\/s/)?.[1] ?? NaN) };
}

const sum = (values) => values.reduce((all, value) => all + value, 0);
const rounded = (value) => Number(value.toFixed(3));
const median = (values) => rounded(values.toSorted((a, b) => a - b)[values.length >> 1]);
