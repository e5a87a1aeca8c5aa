// `hitofude/direct`: the engine in the thread that asks. For a worker of one's own, for Node, for tests.

import { api } from './engine';
import { systems } from './system-model';
import { all } from './systems-assets';

export const { load, define } = api(all, systems);
export { lines } from '../lines';
export { HitofudeError, type Code } from './errors';
export type * from './types';
