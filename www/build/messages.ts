// Texts: `www/messages/<part>/<language>.json` become modules that hold one part in one language, so that a visitor loads
// the labs that they open in the language that they read, and nothing else. Paraglide compiles them; that it puts all
// languages into each message is its way for sites whose server chooses, so each part is compiled by itself, by locale.

import messageFormat from '@inlang/plugin-message-format';
import { compileProject } from '@inlang/paraglide-js';
import { loadProjectInMemory, newProject } from '@inlang/sdk';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Plugin } from 'vite';

/** The languages of the page; the first one is what a missing preference falls back to. */
export const LANGUAGES = ['en', 'ja'] as const;
type Language = (typeof LANGUAGES)[number];
type Sources = Record<Language, string>;

/** Compiles all texts from the folder `from` into the folder `into` before the build, and anew when one changes. */
export function messages({ from, into }: { from: string; into: string }): Plugin {
  return {
    name: 'messages',
    async buildStart() {
      for (const part of parts(from)) {
        for (const language of LANGUAGES) this.addWatchFile(file(from, part, language));
        await compile(from, into, part);
      }
    },
    async handleHotUpdate({ file: changed, server }) {
      const part = parts(from).find((one) => changed.startsWith(join(from, one)));
      if (!part) return;
      await compile(from, into, part);
      server.ws.send({ type: 'full-reload' });
    },
  };
}

const file = (folder: string, part: string, language: Language) => join(folder, part, `${language}.json`);
const parts = (folder: string) =>
  readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory()).map(({ name }) => name).sort();

async function compile(from: string, into: string, part: string): Promise<void> {
  const read = (language: Language) => readFileSync(file(from, part, language), 'utf8');
  const sources: Sources = { en: read('en'), ja: read('ja') };
  const stamp = createHash('sha256').update(readFileSync(import.meta.filename)).update(JSON.stringify(sources)).digest('hex');
  const index = join(into, part, 'index.ts');
  if (existsSync(index) && readFileSync(index, 'utf8').includes(stamp)) return;

  const output = await compiled(sources);
  rmSync(join(into, part), { recursive: true, force: true });
  mkdirSync(join(into, part), { recursive: true });
  // What every part shares: how plurals are chosen, and types.
  for (const name of ['registry.js', 'runtime.js']) writeFileSync(join(into, name), output[name] ?? '');
  for (const language of LANGUAGES) writeFileSync(join(into, part, `text-${part}-${language}.js`), output[`messages/${language}.js`] ?? '');
  writeFileSync(index, loader(part, stamp));
}

async function compiled(sources: Sources): Promise<Record<string, string>> {
  const settings = { baseLocale: LANGUAGES[0], locales: [...LANGUAGES], modules: [], telemetry: 'off' as const };
  const project = await loadProjectInMemory({ blob: await newProject({ settings }), providePlugins: [messageFormat] });
  try {
    const encoder = new TextEncoder();
    const files = LANGUAGES.map((locale) => ({ locale, content: encoder.encode(sources[locale]) }));
    await project.importFiles({ pluginKey: messageFormat.key, files });
    return await compileProject({ project, compilerOptions: { outputStructure: 'locale-modules', strategy: ['baseLocale'] } });
  } finally {
    await project.close();
  }
}

const loader = (part: string, stamp: string) => `// Made from www/messages/${part}. ${stamp}
import { language, type Texts } from '../../ui/language';

/** The texts of “${part}” in the page's language; they are there once \`load\` has been awaited. */
export let m: Texts<typeof import('./text-${part}-en.js')>;

// Not a condition with an import on either side: the bundler makes one preload of it, which fetches both.
const files = { en: () => import('./text-${part}-en.js'), ja: () => import('./text-${part}-ja.js') };

/** Fetches the texts in the page's language. */
export async function load(): Promise<void> {
  const texts: unknown = await files[language]();
  m = texts as typeof m;
}
`;
