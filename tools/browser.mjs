// The browser for tests and benchmarks: Chromium or Chrome with the chromedriver of the same major version, and for a few
// tests Firefox besides, and a Vulkan driver. CHROME, CHROMEDRIVER and FIREFOX name them; else the ones on PATH are taken; else, as root on
// Debian, apt brings them. Without Firefox its tests are skipped.

import { existsSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { capture, must, Obstacle, runLabelled, which } from './shell.mjs';

const CHROME_NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const CHROME_MAC = '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome';
const FIREFOX_MAC = '/Applications/Firefox.app/Contents/MacOS/firefox';
/** Without the option apt-get calls an update that reached no mirror a success. */
export const UPDATE = ['update', '-q', '-o', 'APT::Update::Error-Mode=any'];
export const APT = { env: { DEBIAN_FRONTEND: 'noninteractive' } };

/** No window, no sandbox (tests run as root in containers), and no request that the page did not make. */
export const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** `{ chrome, chromedriver, flags }`, the first two as paths; an obstacle that says what to install if one is missing. */
export function findBrowser() {
  const chrome = named('CHROME') ?? which(...CHROME_NAMES) ?? (existsSync(CHROME_MAC) ? CHROME_MAC : null);
  if (!chrome) throw new Obstacle('tests need a browser: install Chromium or Chrome, or name one in CHROME.');
  const chromedriver = named('CHROMEDRIVER') ?? which('chromedriver');
  const hint = 'install the chromedriver of the same version, or name one in CHROMEDRIVER';
  if (!chromedriver) throw new Obstacle(`tests need a driver for ${chrome}: ${hint}.`);
  const [ours, drivers] = [chrome, chromedriver].map((file) => capture(file, ['--version'])?.match(/(\d+)\.\d/)?.[1]);
  if (!ours) throw new Obstacle(`${chrome} does not start (\`${chrome} --version\` fails).`);
  if (ours !== drivers) {
    throw new Obstacle(`${chrome} is version ${ours} and ${chromedriver} is for ${drivers ?? 'none'}: ${hint}.`);
  }
  return { chrome, chromedriver, flags: FLAGS };
}

/** Finds the browser, or installs it where that is ours to do: as root on Debian. */
export async function browserForTests() {
  try {
    return findBrowser();
  } catch (missing) {
    if (!(missing instanceof Obstacle) || process.env.CHROME || process.env.CHROMEDRIVER || !rootOnDebian()) throw missing;
  }
  await must('apt package lists', 'apt-get', UPDATE, APT);
  await must('Chromium and its driver, by apt', 'apt-get', ['install', '-yq', 'chromium', 'chromium-driver'], APT);
  return findBrowser();
}

/** The path of Firefox, or null. */
export function findFirefox() {
  return named('FIREFOX') ?? which('firefox-esr', 'firefox') ?? (existsSync(FIREFOX_MAC) ? FIREFOX_MAC : null);
}

/** Installs Firefox as root on Debian where there is none. That it cannot be had stops nothing: its tests say that they skip. */
export async function firefoxForTests() {
  if (findFirefox() || !rootOnDebian()) return;
  for (const args of [UPDATE, ['install', '-yq', 'firefox-esr']]) {
    const { code } = await runLabelled('Firefox, by apt', 'apt-get', args, APT);
    if (code !== 0) return;
  }
}

/** Installs a Vulkan driver that computes on the CPU as root on Debian where there is none: without one the GPU's tests say that they skip. */
export async function vulkanForTests() {
  if (!rootOnDebian() || ['/usr/share/vulkan/icd.d', '/etc/vulkan/icd.d'].some(existsSync)) return;
  for (const args of [UPDATE, ['install', '-yq', 'mesa-vulkan-drivers']]) {
    const { code } = await runLabelled('a Vulkan driver, by apt', 'apt-get', args, APT);
    if (code !== 0) return;
  }
}

function named(variable) {
  const file = process.env[variable];
  if (file && !existsSync(file)) throw new Obstacle(`${variable} names ${file}, which does not exist.`);
  return file || null;
}

/** Whether packages are ours to install. */
export function rootOnDebian() {
  const release = '/etc/os-release';
  return process.getuid?.() === 0 && existsSync(release) && /^ID=debian$/m.test(readFileSync(release, 'utf8'));
}
