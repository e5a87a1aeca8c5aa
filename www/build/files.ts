import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Plugin } from 'vite';

const ID = 'virtual:engine-files';

/** Offers `virtual:engine-files`: where both builds of every module and all weights are, their length and their hash. */
export function engineFiles(folders: { wasm: string; models: string }): Plugin {
  const list = (folder: string, suffix: string) =>
    existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(suffix)).sort().map((name) => join(folder, name)) : [];

  return {
    name: 'engine-files',
    resolveId: (id) => (id === ID ? `\0${ID}` : undefined),
    load(id) {
      if (id !== `\0${ID}`) return;
      const wasm = list(folders.wasm, '.wasm');
      const models = list(folders.models, '.safetensors');
      const [studio = [], formats = [], convert = [], systems = [], bits = [], gpu = []] = ['studio', 'formats', 'convert', 'systems', 'bits', 'gpu'].map((module) => list(join(folders.wasm, module), '.wasm'));
      if (![wasm, studio, formats, convert, systems, bits, gpu].every(({ length }) => length)) this.error(`no wasm in ${folders.wasm}: \`npm run build\` makes it first`);
      if (!models.length) this.error(`no weights in ${folders.models}`);
      const imports: string[] = [];
      const table = (files: string[]) =>
        files.map((file) => {
          const data = readFileSync(file);
          const sha256 = createHash('sha256').update(data).digest('hex');
          const url = `url${imports.length}`;
          imports.push(`import ${url} from ${JSON.stringify(`${file}?url`)};`);
          const name = JSON.stringify(basename(file).replace(/\.\w+$/, ''));
          // A worker has another base address than the page: hand it whole addresses.
          return `${name}: { url: new URL(${url}, document.baseURI).href, bytes: ${data.length}, sha256: '${sha256}' }`;
        });
      const [styles = [], players = [], detectors = [], segmenters = [], captioners = [], generators = [], rounded = []] = ['style', 'play', 'detect', 'segment', 'caption', 'generate', 'bits'].map((folder) => list(join(folders.models, folder), '.safetensors'));
      const tables = Object.entries({ wasm, studio, formats, convert, systems, bits, gpu, models, styles, players, detectors, segmenters, captioners, generators, rounded });
      const exports = tables.map(([name, files]) => `export const ${name} = { ${table(files).join(', ')} };`);
      return [...imports, ...exports].join('\n');
    },
  };
}
