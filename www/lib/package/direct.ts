// `hitofude/direct`: the engine in the thread that asks. For a worker of one's own, for Node, for tests.

import { assets } from './assets';
import { api } from './engine';

export const { load, define } = api(assets);
export { HitofudeError, type Code } from './errors';
export type * from './types';
