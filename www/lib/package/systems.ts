// Networks that do more than classify: their names, what each does, and how a file is known for one.

import { HitofudeError } from './errors';

/** A call that only some models answer. */
export type Task = 'detect' | 'segment' | 'caption' | 'generate';

const TASKS: Record<string, Task> = {
  faster_rcnn: 'detect', rcnn: 'detect', fcn8s: 'segment', segnet: 'segment', segnet_street: 'segment', caption: 'caption', dcgan: 'generate',
};

/** Those that ship. */
export const SHIPPED = Object.keys(TASKS);

export type System = { name: string; task: Task };

/** Whether a name is a system's. */
export const isSystem = (name: unknown): name is string => typeof name === 'string' && Object.hasOwn(TASKS, name);

/** The system that a file holds, by the name that the file says; nothing of any other file. */
export function systemOf(file: Uint8Array): System | undefined {
  // Safetensors: eight bytes of a length, and as many of JSON.
  if (file.length < 10 || file[8] !== '{'.charCodeAt(0)) return;
  const length = new DataView(file.buffer, file.byteOffset).getBigUint64(0, true);
  if (length > file.length - 8) return;
  try {
    const { __metadata__: about } = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + Number(length))));
    const name: unknown = about?.name;
    // Whoever calls a classifier of a kind of the catalogue so has a classifier.
    if (isSystem(name) && !('architecture' in about)) return { name, task: TASKS[name]! };
  } catch {
    // Whoever opens it says what is wrong.
  }
  return;
}

/** The refusal of a call that a model does not answer, with the names of those that do. */
export function lacks(name: string, call: string): HitofudeError {
  const own = SHIPPED.filter((other) => TASKS[other] === call);
  const who = own.length ? own.join(' and ') : 'draw, deep_convnet and networks of your own';
  return new HitofudeError('unsupported', `${name} has no ${call}: that is a call of ${who}${isSystem(name) ? `; ${name} answers ${TASKS[name]}` : ''}`);
}
