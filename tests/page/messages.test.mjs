// The texts: the same keys with the same values in every language, each of them used, none used that is not there.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const WWW = fileURLToPath(new URL('../../www', import.meta.url));
const LANGUAGES = ['en', 'ja'];
const parts = readdirSync(join(WWW, 'messages'), { withFileTypes: true }).filter((e) => e.isDirectory()).map(({ name }) => name);

/** The sources of the page that import a part's texts, whole. */
const sources = ['ui', 'labs', 'worker'].flatMap((folder) =>
  readdirSync(join(WWW, folder), { recursive: true })
    .filter((name) => /\.(svelte|ts)$/.test(name))
    .map((name) => ({ name: `${folder}/${name}`, text: readFileSync(join(WWW, folder, name), 'utf8') })),
);

/** The variants of a message: one, or those between which a number chooses. */
const variants = (message) => (typeof message === 'string' ? [message] : message.flatMap(({ match }) => Object.values(match)));
const named = (text) => [...text.matchAll(/\{(\w+)\}/g)].map(([, name]) => name);
const inputs = (message) => [...new Set(variants(message).flatMap(named))].sort();

for (const part of parts) {
  const catalogue = Object.fromEntries(
    LANGUAGES.map((language) => [language, JSON.parse(readFileSync(join(WWW, 'messages', part, `${language}.json`), 'utf8'))]),
  );

  test(`${part}: every language has every text, with the same values in it`, () => {
    for (const language of LANGUAGES.slice(1)) {
      assert.deepEqual(Object.keys(catalogue[language]).sort(), Object.keys(catalogue.en).sort());
      for (const [key, message] of Object.entries(catalogue.en)) {
        assert.deepEqual(inputs(catalogue[language][key]), inputs(message), `${part}/${language}.json: ${key}`);
      }
    }
    for (const language of LANGUAGES) {
      for (const [key, message] of Object.entries(catalogue[language])) {
        assert.ok(variants(message).every((text) => text.trim()), `${part}/${language}.json: ${key} is empty`);
      }
    }
  });

  test(`${part}: every text is used, and what is used is there`, () => {
    const used = new Set();
    for (const { name, text } of sources) {
      // `import { m }` or `import { m as words }`, so that a file may have the texts of two parts.
      const own = new RegExp(`import \\{[^}]*\\bm(?: as (\\w+))?\\b[^}]*\\} from '[./]*/texts/${part}'`).exec(text);
      if (!own) continue;
      for (const [, key] of text.matchAll(new RegExp(`(?<![\\w.])${own[1] ?? 'm'}\\.(\\w+)`, 'g'))) {
        assert.ok(key in catalogue.en, `${name} uses ${key}, which messages/${part} does not have`);
        used.add(key);
      }
    }
    assert.deepEqual(Object.keys(catalogue.en).filter((key) => !used.has(key)), [], `messages/${part} has texts that nothing uses`);
  });
}
