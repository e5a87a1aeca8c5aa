// The package brings no types of its own: it is a plugin as the SDK describes them.
declare module '@inlang/plugin-message-format' {
  import type { InlangPlugin } from '@inlang/sdk';
  const plugin: InlangPlugin & { key: string };
  export default plugin;
}
