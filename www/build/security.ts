import { createHash } from 'node:crypto';
import type { Plugin } from 'vite';

/** Writes the page's content security policy: everything from its own origin, inline scripts by their hash. */
export function contentSecurity(): Plugin {
  return {
    name: 'content-security',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler(html) {
        const inline = [...html.matchAll(/<script>([\s\S]*?)<\/script>/g)].map(
          ([, code]) => `'sha256-${createHash('sha256').update(code ?? '').digest('base64')}'`,
        );
        const policy = [
          "default-src 'none'",
          `script-src 'self' 'wasm-unsafe-eval' ${inline.join(' ')}`,
          "style-src 'self'",
          "img-src 'self'",
          "connect-src 'self'",
          "worker-src 'self'",
          "manifest-src 'self'",
          "base-uri 'none'",
          "form-action 'none'",
        ].join('; ');
        return html.replace(
          '<meta charset="utf-8" />',
          `$&\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`,
        );
      },
    },
  };
}
