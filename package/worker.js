import { r as transfer, t as expose } from "./comlink-IS8E7xV9.js";
import { t as assets } from "./assets-D7T9Pq76.js";
import { t as api } from "./engine-CivsB5bW.js";
//#region www/lib/package/worker.ts
const { load, define } = api(assets);
const models = /* @__PURE__ */ new Map();
const trainings = /* @__PURE__ */ new Map();
const calls = /* @__PURE__ */ new Map();
/** What the other side must know of a model at once. */
const about = (id) => {
	const { name, inputShape, classes } = model(id);
	return {
		name,
		inputShape,
		classes,
		layers: model(id).layers()
	};
};
function model(id) {
	const found = models.get(id);
	if (!found) throw Object.assign(/* @__PURE__ */ new Error("this model has been disposed of; load it again"), { code: "missing" });
	return found;
}
/** Runs `work` with a signal that `abort` can reach; a refusal is an answer, since a copied `Error` loses its code. */
async function answered(call, work) {
	const controller = new AbortController();
	calls.set(call, controller);
	try {
		return { value: await work(controller.signal) };
	} catch (error) {
		const { name, message, code } = error;
		return { error: {
			name,
			message,
			code
		} };
	} finally {
		calls.delete(call);
	}
}
expose({
	load: (call, id, source, options, onProgress) => answered(call, async (signal) => (models.set(id, await load(source, {
		...options,
		onProgress,
		signal
	})), about(id))),
	define: (call, id, network, options, onProgress) => answered(call, async (signal) => (models.set(id, await define(network, {
		...options,
		onProgress,
		signal
	})), about(id))),
	predictAll: (call, id, ...[inputs]) => answered(call, (signal) => model(id).predictAll(inputs, signal)),
	features: (call, id, ...[input, layers]) => answered(call, (signal) => model(id).features(input, layers, signal)),
	evaluate: (call, id, data) => answered(call, (signal) => model(id).evaluate(data, signal)),
	freeze: (call, id, layers) => answered(call, () => model(id).freeze(...layers)),
	withClasses: (call, id, classes, seed) => answered(call, async () => (await model(id).withClasses(classes, seed), about(id))),
	save: (call, id, ...[format]) => answered(call, async () => {
		const file = await model(id).save(format);
		return transfer(file, [file.buffer]);
	}),
	fit(training, id, data, options) {
		const controller = new AbortController();
		calls.set(training, controller);
		trainings.set(training, model(id).fit(data, {
			...options,
			signal: controller.signal
		}));
	},
	next: (call, training) => answered(call, async () => trainings.get(training).next()),
	async leave(training) {
		await trainings.get(training)?.return();
		trainings.delete(training);
		calls.delete(training);
	},
	abort: (call) => calls.get(call)?.abort(),
	dispose(id) {
		models.get(id)?.dispose();
		models.delete(id);
	}
});
//#endregion
