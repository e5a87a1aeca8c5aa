// A model as callers hold it: whatever its calls throw is a refusal with a code, and after a crash there are no answers.

import { HitofudeError, refusal } from './errors';
import type { Model } from './types';

/** The model behind its refusals. Every method that it has, and will have, goes through here. */
export function guarded<M extends Model>(model: M): M {
  let crash: HitofudeError | undefined;
  const refused = (error: unknown): never => {
    const why = refusal(error);
    if (why instanceof HitofudeError && why.code === 'crashed') crash ??= why;
    throw why;
  };
  const calls = new Map<PropertyKey, unknown>();
  const call = (name: PropertyKey, method: (...given: unknown[]) => unknown) => {
    const stays = name === 'dispose' || name === Symbol.dispose;
    return (...given: unknown[]) => {
      try {
        if (crash && !stays) throw crash;
        const answer = method.apply(model, given);
        if (answer instanceof Promise) return answer.catch(refused);
        return isReports(answer) ? reports(answer, refused) : answer;
      } catch (error) {
        // A call that answers later is refused later, too.
        return refused(error);
      }
    };
  };
  return new Proxy(model, {
    get(target, name) {
      const found: unknown = Reflect.get(target, name, target);
      if (typeof found !== 'function' || name === 'constructor') return found;
      if (!calls.has(name)) calls.set(name, call(name, found as (...given: unknown[]) => unknown));
      return calls.get(name);
    },
  });
}

type Reports = AsyncGenerator<unknown, void, void>;

const isReports = (value: unknown): value is Reports => typeof value === 'object' && value !== null && Symbol.asyncIterator in value;

async function* reports(inner: Reports, refused: (error: unknown) => never): Reports {
  try {
    yield* inner;
  } catch (error) {
    refused(error);
  }
}
