// Where files are: addresses in a page, and paths where there is a file system.

import { bytes as fetched } from '../fetch';
import { HitofudeError, stop } from './errors';
import type { LoadOptions } from './types';

type Node = { cwd(): string; versions?: { node?: string } };
declare const process: Node | undefined;

/** Whether there is a file system: in Node, Deno and Bun. */
export const onDisk = () => typeof process === 'object' && typeof process.cwd === 'function';

/** A module of Node's, by a name that no bundler for browsers looks for. */
const node = <T>(name: string) => import(/* @vite-ignore */ /* webpackIgnore: true */ ['node', name].join(':')) as Promise<T>;

/** The address of a file, seen from the page, or from the working folder where there is a file system. */
export async function addressOf(source: string | URL): Promise<URL> {
  if (source instanceof URL) return source;
  try {
    // A letter and a colon are a drive.
    if (/^[a-z][\w+.-]+:/i.test(source)) return new URL(source);
    if (typeof location !== 'undefined' && !/^(about|data|blob):/.test(location.href)) return new URL(source, location.href);
    if (onDisk()) return (await node<{ pathToFileURL(path: string): URL }>('url')).pathToFileURL(source);
    return new URL(source);
  } catch (cause) {
    throw new HitofudeError('value', `${source.slice(0, 80)} is no name of a model and no address`, { cause });
  }
}

/** The bytes at an address; where there is a file system, also of a file. */
export async function fileAt(source: string | URL, { onProgress, signal }: Pick<LoadOptions, 'onProgress' | 'signal'>): Promise<Uint8Array<ArrayBuffer>> {
  const url = await addressOf(source);
  stop(signal);
  if (url.protocol === 'file:' && onDisk()) return read(url);
  try {
    return await fetched({ url: url.href }, 'default', { ...(onProgress && { onProgress }), ...(signal && { signal }) });
  } catch (error) {
    stop(signal);
    throw error;
  }
}

async function read(url: URL): Promise<Uint8Array<ArrayBuffer>> {
  const { readFile } = await node<{ readFile(url: URL): Promise<Uint8Array> }>('fs/promises');
  const data = await readFile(url).catch((cause: unknown) => {
    throw new HitofudeError('network', `${url.href} could not be read`, { cause });
  });
  return new Uint8Array(data);
}
