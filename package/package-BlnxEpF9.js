import { i as wrap, n as proxy } from "./comlink-IS8E7xV9.js";
import { n as Refused, r as stop } from "./engine-CivsB5bW.js";
import { define as define$1, load as load$1 } from "./direct.js";
//#region www/lib/package/portable.ts
/** An input as it can be sent to a worker: a canvas as its pixels, everything else as it is. */
function portable(input) {
	if (!(typeof HTMLCanvasElement !== "undefined" && input instanceof HTMLCanvasElement || typeof OffscreenCanvas !== "undefined" && input instanceof OffscreenCanvas)) return input;
	const { width, height } = input;
	const context = input.getContext("2d");
	if (context) return context.getImageData(0, 0, width, height);
	const copy = new OffscreenCanvas(width, height).getContext("2d");
	copy.drawImage(input, 0, 0);
	return copy.getImageData(0, 0, width, height);
}
//#endregion
//#region www/lib/package/index.ts
let desk;
let numbers = 0;
/** Models that their pages have forgotten leave the worker. */
const forgotten = new FinalizationRegistry((id) => void desk?.dispose(id));
function there() {
	desk ??= wrap(new Worker(new URL("./worker.js", import.meta.url), { type: "module" }));
	return desk;
}
const elsewhere = typeof Worker !== "undefined";
/** Opens a model: by name (`draw`, `deep_convnet`), from an address or from bytes. */
const load = (source, options = {}) => elsewhere ? opened(options, (call, id, ...given) => there().load(call, id, address(source), ...given)) : load$1(source, options);
/** A network of one's own, its weights drawn from a seed. */
const define = (network, options = {}) => elsewhere ? opened(options, (call, id, ...given) => there().define(call, id, network, ...given)) : define$1(network, options);
/** An address as the worker, which has another base, must have it; names stay. */
const address = (source) => {
	if (source instanceof URL) return source.href;
	return typeof source === "string" && /[./]/.test(source) ? new URL(source, location.href).href : source;
};
async function opened({ signal, onProgress = () => {}, ...options }, open) {
	const id = ++numbers;
	return new WorkerModel(id, await asked(signal, (call) => open(call, id, options, proxy(onProgress))));
}
/** One call, which the signal can end. */
async function asked(signal, ask) {
	stop(signal);
	const call = ++numbers;
	const abort = () => void there().abort(call);
	signal?.addEventListener("abort", abort);
	try {
		return value(await ask(call));
	} catch (error) {
		stop(signal);
		throw error;
	} finally {
		signal?.removeEventListener("abort", abort);
	}
}
function value(answer) {
	if ("value" in answer) return answer.value;
	const { message, code, name } = answer.error;
	if (typeof code === "string") throw new Refused(code, message);
	throw Object.assign(new Error(message), { name });
}
var WorkerModel = class {
	#id;
	#about;
	constructor(id, about) {
		[this.#id, this.#about] = [id, about];
		forgotten.register(this, id, this);
	}
	get name() {
		return this.#about.name;
	}
	get inputShape() {
		return this.#about.inputShape;
	}
	get classes() {
		return this.#about.classes;
	}
	layers() {
		return this.#about.layers;
	}
	async predict(input, signal) {
		return (await this.predictAll([input], signal))[0];
	}
	async predictAll(inputs, signal) {
		return asked(signal, (call) => there().predictAll(call, this.#id, inputs.map(portable)));
	}
	async features(input, layers, signal) {
		return asked(signal, (call) => there().features(call, this.#id, portable(input), layers));
	}
	async evaluate(data, signal) {
		return asked(signal, (call) => there().evaluate(call, this.#id, movable(data)));
	}
	async *fit(data, { signal, validation, ...options } = {}) {
		stop(signal);
		const training = ++numbers;
		const abort = () => void there().abort(training);
		signal?.addEventListener("abort", abort);
		try {
			await there().fit(training, this.#id, movable(data), {
				...options,
				...validation && { validation: movable(validation) }
			});
			for (;;) {
				const { done, value } = await asked(void 0, (call) => there().next(call, training));
				if (done) return;
				yield value;
			}
		} catch (error) {
			stop(signal);
			throw error;
		} finally {
			signal?.removeEventListener("abort", abort);
			await there().leave(training);
		}
	}
	async freeze(...layers) {
		return asked(void 0, (call) => there().freeze(call, this.#id, layers));
	}
	async withClasses(classes, seed) {
		this.#about = await asked(void 0, (call) => there().withClasses(call, this.#id, classes, seed));
	}
	async save(format) {
		return asked(void 0, (call) => there().save(call, this.#id, format));
	}
	dispose() {
		forgotten.unregister(this);
		there().dispose(this.#id);
	}
	[Symbol.dispose]() {
		this.dispose();
	}
};
const movable = ({ inputs, labels }) => ({
	inputs: inputs.map(portable),
	labels: Uint32Array.from(labels)
});
//#endregion
export { load as n, define as t };
