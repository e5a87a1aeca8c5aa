import { svelte } from '@sveltejs/vite-plugin-svelte';
import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vite';
import { contentSecurity } from './build/security.ts';
import { engineFiles } from './build/files.ts';
import { messages } from './build/messages.ts';
import { offline } from './build/offline.ts';

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

export default defineConfig({
  root: here('.'),
  // Relative paths: any static host can serve the page from any folder.
  base: './',
  // Everything is imported, so that every file but the two entries carries its hash in its name.
  publicDir: false,
  plugins: [
    messages({ from: here('messages'), into: here('texts') }),
    svelte(),
    engineFiles({ wasm: here('public/wasm'), models: here('../pretrained') }),
    contentSecurity(),
    offline(),
  ],
  assetsInclude: ['**/*.safetensors', '**/*.webmanifest'],
  worker: { format: 'es' },
  server: { fs: { allow: [here('..')] } },
  build: {
    outDir: here('../dist'),
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: { index: here('index.html'), bench: here('bench/index.html'), offline: here('worker/offline.ts') },
      output: {
        entryFileNames: ({ name }) => (name === 'offline' ? 'offline.js' : 'assets/[name]-[hash].js'),
        assetFileNames: ({ names }) =>
          names[0]?.endsWith('.safetensors') ? 'models/[name]-[hash][extname]' : 'assets/[name]-[hash][extname]',
      },
    },
  },
});
