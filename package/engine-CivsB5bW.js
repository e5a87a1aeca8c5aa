//#region www/public/wasm/hitofude.js
/**
* A network with its weights, living in the engine's memory until `free` is called.
*/
var Model$1 = class {
	__destroy_into_raw() {
		const ptr = this.__wbg_ptr;
		this.__wbg_ptr = 0;
		ModelFinalization$1.unregister(this);
		return ptr;
	}
	free() {
		const ptr = this.__destroy_into_raw();
		wasm$1.__wbg_model_free(ptr, 0);
	}
	/**
	* What a layer made of the last picture: `c · h · w` numbers, map after map (CHW). Throws with code `missing` for a
	* layer that there is not, and before the first picture.
	* @param {string} layer
	* @returns {Float32Array}
	*/
	features(layer) {
		const ret = wasm$1.model_features(this.__wbg_ptr, layer);
		if (ret[2]) throw takeFromExternrefTable0$1(ret[1]);
		return takeFromExternrefTable0$1(ret[0]);
	}
	/**
	* Every layer that `features` can show, from the input to the scores.
	* @returns {Layer[]}
	*/
	layers() {
		const ret = wasm$1.model_layers(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0$1(ret[1]);
		return takeFromExternrefTable0$1(ret[0]);
	}
	/**
	* What the weights are called.
	* @returns {string}
	*/
	get name() {
		let deferred1_0;
		let deferred1_1;
		try {
			const ret = wasm$1.model_name(this.__wbg_ptr);
			deferred1_0 = ret[0];
			deferred1_1 = ret[1];
			return getStringFromWasm0$1(ret[0], ret[1]);
		} finally {
			wasm$1.__wbindgen_free(deferred1_0, deferred1_1, 1);
		}
	}
	/**
	* Opens the network in a safetensors file. Throws with code `format`, `missing`, `shape` or `value` where it is none.
	* @param {Uint8Array} weights
	*/
	constructor(weights) {
		const ret = wasm$1.model_new(weights);
		if (ret[2]) throw takeFromExternrefTable0$1(ret[1]);
		this.__wbg_ptr = ret[0];
		ModelFinalization$1.register(this, this.__wbg_ptr, this);
		return this;
	}
	/**
	* Brings a drawing into the form of the pictures the network has learnt from, and reads it.
	* @param {Ink} ink
	* @returns {Reading}
	*/
	predictInk(ink) {
		const ret = wasm$1.model_predictInk(this.__wbg_ptr, ink);
		if (ret[2]) throw takeFromExternrefTable0$1(ret[1]);
		return takeFromExternrefTable0$1(ret[0]);
	}
	/**
	* Reads a picture of 28 × 28 grey levels from 0 (paper) to 1 (ink), row by row. Throws with code `shape` for another
	* number of pixels and `value` for a pixel out of range.
	* @param {Float32Array} image
	* @returns {Answer}
	*/
	predict(image) {
		const ret = wasm$1.model_predict(this.__wbg_ptr, image);
		if (ret[2]) throw takeFromExternrefTable0$1(ret[1]);
		return takeFromExternrefTable0$1(ret[0]);
	}
};
if (Symbol.dispose) Model$1.prototype[Symbol.dispose] = Model$1.prototype.free;
/**
* The four steps from a drawing to a network's input. Throws with code `empty` where there is no ink.
* @param {Ink} ink
* @returns {Step[]}
*/
function preprocess(ink) {
	const ret = wasm$1.preprocess(ink);
	if (ret[2]) throw takeFromExternrefTable0$1(ret[1]);
	return takeFromExternrefTable0$1(ret[0]);
}
function __wbg_get_imports$1() {
	return {
		__proto__: null,
		"./hitofude_bg.js": {
			__proto__: null,
			__wbg_Error_208446807d0d1e30: function(arg0, arg1) {
				return Error(getStringFromWasm0$1(arg0, arg1));
			},
			__wbg_Number_ff192a72a0dcdf6d: function(arg0) {
				return Number(arg0);
			},
			__wbg___wbindgen_is_null_c22311b1cc228e3a: function(arg0) {
				return arg0 === null;
			},
			__wbg___wbindgen_is_object_8b968c3ab8e96595: function(arg0) {
				const val = arg0;
				return typeof val === "object" && val !== null;
			},
			__wbg___wbindgen_is_string_fc456fee5d3317de: function(arg0) {
				return typeof arg0 === "string";
			},
			__wbg___wbindgen_is_undefined_be5b34249ff1fc15: function(arg0) {
				return arg0 === void 0;
			},
			__wbg___wbindgen_number_get_934b640d0889af78: function(arg0, arg1) {
				const obj = arg1;
				const ret = typeof obj === "number" ? obj : void 0;
				getDataViewMemory0$1().setFloat64((arg0 >>> 0) + 8, isLikeNone$1(ret) ? 0 : ret, true);
				getDataViewMemory0$1().setInt32((arg0 >>> 0) + 0, !isLikeNone$1(ret), true);
			},
			__wbg___wbindgen_string_get_7ce8eee7fd327545: function(arg0, arg1) {
				const obj = arg1;
				const ret = typeof obj === "string" ? obj : void 0;
				var ptr1 = isLikeNone$1(ret) ? 0 : passStringToWasm0$1(ret, wasm$1.__wbindgen_malloc, wasm$1.__wbindgen_realloc);
				var len1 = WASM_VECTOR_LEN$1;
				getDataViewMemory0$1().setInt32((arg0 >>> 0) + 4, len1, true);
				getDataViewMemory0$1().setInt32((arg0 >>> 0) + 0, ptr1, true);
			},
			__wbg___wbindgen_throw_4c88d8bf264fd984: function(arg0, arg1) {
				throw new Error(getStringFromWasm0$1(arg0, arg1));
			},
			__wbg___wbindgen_typeof_ee4990276e02f607: function(arg0) {
				return typeof arg0;
			},
			__wbg_data_bf4b5c8a5fc46441: function(arg0, arg1) {
				const ret = arg1.data;
				const ptr1 = passArray8ToWasm0$1(ret, wasm$1.__wbindgen_malloc);
				const len1 = WASM_VECTOR_LEN$1;
				getDataViewMemory0$1().setInt32((arg0 >>> 0) + 4, len1, true);
				getDataViewMemory0$1().setInt32((arg0 >>> 0) + 0, ptr1, true);
			},
			__wbg_error_757e9472f8410341: function(arg0, arg1) {
				let deferred0_0;
				let deferred0_1;
				try {
					deferred0_0 = arg0;
					deferred0_1 = arg1;
					console.error(getStringFromWasm0$1(arg0, arg1));
				} finally {
					wasm$1.__wbindgen_free(deferred0_0, deferred0_1, 1);
				}
			},
			__wbg_get_2080c49015e35254: function() {
				return handleError$1(function(arg0, arg1) {
					return Reflect.get(arg0, arg1);
				}, arguments);
			},
			__wbg_get_bb8b6b35041e00c9: function() {
				return handleError$1(function(arg0, arg1) {
					return Reflect.get(arg0, arg1 >>> 0);
				}, arguments);
			},
			__wbg_height_63914f938cb8dcb6: function(arg0) {
				return arg0.height;
			},
			__wbg_instanceof_Float32Array_94718abab7dc1d7f: function(arg0) {
				let result;
				try {
					result = arg0 instanceof Float32Array;
				} catch (_) {
					result = false;
				}
				return result;
			},
			__wbg_instanceof_ImageData_dfbb7ab42ce4000b: function(arg0) {
				let result;
				try {
					result = arg0 instanceof ImageData;
				} catch (_) {
					result = false;
				}
				return result;
			},
			__wbg_instanceof_Uint8Array_d7aeb0dcb3108fea: function(arg0) {
				let result;
				try {
					result = arg0 instanceof Uint8Array;
				} catch (_) {
					result = false;
				}
				return result;
			},
			__wbg_isArray_bcf1376d0d732d08: function(arg0) {
				return Array.isArray(arg0);
			},
			__wbg_length_186163212ffe79c3: function(arg0) {
				return arg0.length;
			},
			__wbg_length_6e9d2869242cabf3: function(arg0) {
				return arg0.length;
			},
			__wbg_length_b03a0fabb109b1e9: function(arg0) {
				return arg0.length;
			},
			__wbg_length_e83e819f48c774e4: function(arg0) {
				return arg0.length;
			},
			__wbg_new_37eb45aaf5eeb820: function() {
				return new Array();
			},
			__wbg_new_787b9fb330d55d78: function(arg0, arg1) {
				return new Error(getStringFromWasm0$1(arg0, arg1));
			},
			__wbg_new_bb74001155cb8ca8: function() {
				return /* @__PURE__ */ new Error();
			},
			__wbg_new_cd4348290afae586: function() {
				return /* @__PURE__ */ new Object();
			},
			__wbg_new_from_slice_355c10c5d8f2addb: function(arg0, arg1) {
				return new Float32Array(getArrayF32FromWasm0$1(arg0, arg1));
			},
			__wbg_prototypesetcall_13162965d1fe7aa3: function(arg0, arg1, arg2) {
				Uint8Array.prototype.set.call(getArrayU8FromWasm0$1(arg0, arg1), arg2);
			},
			__wbg_prototypesetcall_22b1bb88c4ec5c5a: function(arg0, arg1, arg2) {
				Float32Array.prototype.set.call(getArrayF32FromWasm0$1(arg0, arg1), arg2);
			},
			__wbg_set_2793479888329cb6: function() {
				return handleError$1(function(arg0, arg1, arg2) {
					return Reflect.set(arg0, arg1, arg2);
				}, arguments);
			},
			__wbg_set_d2d33b52458e984a: function(arg0, arg1, arg2) {
				arg0[arg1 >>> 0] = arg2;
			},
			__wbg_set_e4b9a833d288759a: function(arg0, arg1, arg2) {
				arg0[arg1] = arg2;
			},
			__wbg_stack_575c4e0918581b9c: function(arg0, arg1) {
				const ret = arg1.stack;
				const ptr1 = passStringToWasm0$1(ret, wasm$1.__wbindgen_malloc, wasm$1.__wbindgen_realloc);
				const len1 = WASM_VECTOR_LEN$1;
				getDataViewMemory0$1().setInt32((arg0 >>> 0) + 4, len1, true);
				getDataViewMemory0$1().setInt32((arg0 >>> 0) + 0, ptr1, true);
			},
			__wbg_width_5f6c6b065ab41588: function(arg0) {
				return arg0.width;
			},
			__wbindgen_generic_0000000000000001: function(arg0) {
				return arg0;
			},
			__wbindgen_generic_0000000000000002: function(arg0, arg1) {
				return getStringFromWasm0$1(arg0, arg1);
			},
			__wbindgen_generic_0000000000000003: function(arg0) {
				return BigInt.asUintN(64, arg0);
			},
			__wbindgen_init_externref_table: function() {
				const table = wasm$1.__wbindgen_externrefs;
				table.set(0, void 0);
				table.set(1024, void 0);
				table.set(1025, null);
				table.set(1026, true);
				table.set(1027, false);
			}
		}
	};
}
const ModelFinalization$1 = typeof FinalizationRegistry === "undefined" ? {
	register: () => {},
	unregister: () => {}
} : new FinalizationRegistry((ptr) => wasm$1.__wbg_model_free(ptr, 1));
function addToExternrefTable0$1(obj) {
	const idx = wasm$1.__externref_table_alloc();
	wasm$1.__wbindgen_externrefs.set(idx, obj);
	return idx;
}
function getArrayF32FromWasm0$1(ptr, len) {
	ptr = ptr >>> 0;
	return getFloat32ArrayMemory0$1().subarray(ptr / 4, ptr / 4 + len);
}
function getArrayU8FromWasm0$1(ptr, len) {
	ptr = ptr >>> 0;
	return getUint8ArrayMemory0$1().subarray(ptr / 1, ptr / 1 + len);
}
let cachedDataViewMemory0$1 = null;
function getDataViewMemory0$1() {
	if (cachedDataViewMemory0$1 === null || cachedDataViewMemory0$1.buffer.detached === true || cachedDataViewMemory0$1.buffer.detached === void 0 && cachedDataViewMemory0$1.buffer !== wasm$1.memory.buffer) cachedDataViewMemory0$1 = new DataView(wasm$1.memory.buffer);
	return cachedDataViewMemory0$1;
}
let cachedFloat32ArrayMemory0$1 = null;
function getFloat32ArrayMemory0$1() {
	if (cachedFloat32ArrayMemory0$1 === null || cachedFloat32ArrayMemory0$1.byteLength === 0) cachedFloat32ArrayMemory0$1 = new Float32Array(wasm$1.memory.buffer);
	return cachedFloat32ArrayMemory0$1;
}
function getStringFromWasm0$1(ptr, len) {
	ptr = ptr >>> 0;
	return decodeText$1(getUint8ArrayMemory0$1().subarray(ptr, ptr + len));
}
let cachedUint8ArrayMemory0$1 = null;
function getUint8ArrayMemory0$1() {
	if (cachedUint8ArrayMemory0$1 === null || cachedUint8ArrayMemory0$1.byteLength === 0) cachedUint8ArrayMemory0$1 = new Uint8Array(wasm$1.memory.buffer);
	return cachedUint8ArrayMemory0$1;
}
function handleError$1(f, args) {
	try {
		return f.apply(this, args);
	} catch (e) {
		const idx = addToExternrefTable0$1(e);
		wasm$1.__wbindgen_exn_store(idx);
	}
}
function isLikeNone$1(x) {
	return x === void 0 || x === null;
}
function passArray8ToWasm0$1(arg, malloc) {
	const ptr = malloc(arg.length * 1, 1) >>> 0;
	getUint8ArrayMemory0$1().set(arg, ptr / 1);
	WASM_VECTOR_LEN$1 = arg.length;
	return ptr;
}
function passStringToWasm0$1(arg, malloc, realloc) {
	if (realloc === void 0) {
		const buf = cachedTextEncoder$1.encode(arg);
		const ptr = malloc(buf.length, 1) >>> 0;
		getUint8ArrayMemory0$1().subarray(ptr, ptr + buf.length).set(buf);
		WASM_VECTOR_LEN$1 = buf.length;
		return ptr;
	}
	let len = arg.length;
	let ptr = malloc(len, 1) >>> 0;
	const mem = getUint8ArrayMemory0$1();
	let offset = 0;
	for (; offset < len; offset++) {
		const code = arg.charCodeAt(offset);
		if (code > 127) break;
		mem[ptr + offset] = code;
	}
	if (offset !== len) {
		if (offset !== 0) arg = arg.slice(offset);
		ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
		const view = getUint8ArrayMemory0$1().subarray(ptr + offset, ptr + len);
		const ret = cachedTextEncoder$1.encodeInto(arg, view);
		offset += ret.written;
		ptr = realloc(ptr, len, offset, 1) >>> 0;
	}
	WASM_VECTOR_LEN$1 = offset;
	return ptr;
}
function takeFromExternrefTable0$1(idx) {
	const value = wasm$1.__wbindgen_externrefs.get(idx);
	wasm$1.__externref_table_dealloc(idx);
	return value;
}
let cachedTextDecoder$1 = new TextDecoder("utf-8", { ignoreBOM: true });
cachedTextDecoder$1.decode();
const MAX_SAFARI_DECODE_BYTES$1 = 2146435072;
let numBytesDecoded$1 = 0;
function decodeText$1(bytes) {
	numBytesDecoded$1 += bytes.length;
	if (numBytesDecoded$1 >= MAX_SAFARI_DECODE_BYTES$1) {
		cachedTextDecoder$1 = new TextDecoder("utf-8", { ignoreBOM: true });
		cachedTextDecoder$1.decode();
		numBytesDecoded$1 = bytes.length;
	}
	return cachedTextDecoder$1.decode(bytes);
}
const cachedTextEncoder$1 = new TextEncoder();
if (!("encodeInto" in cachedTextEncoder$1)) cachedTextEncoder$1.encodeInto = function(arg, view) {
	const buf = cachedTextEncoder$1.encode(arg);
	view.set(buf);
	return {
		read: arg.length,
		written: buf.length
	};
};
let WASM_VECTOR_LEN$1 = 0, wasm$1;
function __wbg_finalize_init$1(instance, module) {
	wasm$1 = instance.exports;
	cachedDataViewMemory0$1 = null;
	cachedFloat32ArrayMemory0$1 = null;
	cachedUint8ArrayMemory0$1 = null;
	wasm$1.__wbindgen_start();
	return wasm$1;
}
async function __wbg_load$1(module, imports) {
	if (typeof Response === "function" && module instanceof Response) {
		if (!module.ok) throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
		if (typeof WebAssembly.instantiateStreaming === "function") try {
			return await WebAssembly.instantiateStreaming(module, imports);
		} catch (e) {
			if (expectedResponseType(module.type) && module.headers.get("Content-Type") !== "application/wasm") console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);
			else throw e;
		}
		const bytes = await module.arrayBuffer();
		return await WebAssembly.instantiate(bytes, imports);
	} else {
		const instance = await WebAssembly.instantiate(module, imports);
		if (instance instanceof WebAssembly.Instance) return {
			instance,
			module
		};
		else return instance;
	}
	function expectedResponseType(type) {
		switch (type) {
			case "basic":
			case "cors":
			case "default": return true;
		}
		return false;
	}
}
let __wbg_init_promise$1;
async function __wbg_init$1(module_or_path) {
	if (wasm$1 !== void 0) return wasm$1;
	if (__wbg_init_promise$1 === void 0) {
		__wbg_init_promise$1 = __wbg_init_once$1(module_or_path);
		__wbg_init_promise$1.catch(() => {
			__wbg_init_promise$1 = void 0;
		});
	}
	return __wbg_init_promise$1;
}
async function __wbg_init_once$1(module_or_path) {
	if (module_or_path !== void 0) if (Object.getPrototypeOf(module_or_path) === Object.prototype) ({module_or_path} = module_or_path);
	else console.warn("using deprecated parameters for the initialization function; pass a single object instead");
	const imports = __wbg_get_imports$1();
	if (typeof module_or_path === "string" || typeof Request === "function" && module_or_path instanceof Request || typeof URL === "function" && module_or_path instanceof URL) module_or_path = fetch(module_or_path);
	const { instance, module } = await __wbg_load$1(await module_or_path, imports);
	return __wbg_finalize_init$1(instance, module);
}
//#endregion
//#region www/public/wasm/studio/hitofude.js
/**
* The half of a training that decides: it sums the learners' gradients and takes the steps.
*/
var Coach = class {
	__destroy_into_raw() {
		const ptr = this.__wbg_ptr;
		this.__wbg_ptr = 0;
		CoachFinalization.unregister(this);
		return ptr;
	}
	free() {
		const ptr = this.__destroy_into_raw();
		wasm.__wbg_coach_free(ptr, 0);
	}
	/**
	* Takes the gradient of the step's next shard and what it came to.
	* @param {Float32Array} gradient
	* @param {Sums} sums
	*/
	add(gradient, sums) {
		const ret = wasm.coach_add(this.__wbg_ptr, gradient, sums);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* The filters of the first layer that has a window; null if none has.
	* @returns {Tensor | null}
	*/
	filters() {
		const ret = wasm.coach_filters(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* How the weights of every layer are spread, and their gradients in the last step.
	* @returns {{ weight: Spread; gradient: Spread }[]}
	*/
	inspect() {
		const ret = wasm.coach_inspect(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* A coach of a setup (JSON), for pictures like those. Throws as [`Learner::new`].
	* @param {string} setup
	* @param {Samples} samples
	*/
	constructor(setup, samples) {
		_assertClass(samples, Samples);
		const ret = wasm.coach_new(setup, samples.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		this.__wbg_ptr = ret[0];
		CoachFinalization.register(this, this.__wbg_ptr, this);
		return this;
	}
	/**
	* The parameters that the next step's gradients are asked for.
	* @returns {Float32Array}
	*/
	params() {
		return wasm.coach_params(this.__wbg_ptr);
	}
	/**
	* Goes on from a state. Refuses one of another setup and is then as it was.
	* @param {Checkpoint} state
	*/
	restore(state) {
		const ret = wasm.coach_restore(this.__wbg_ptr, state);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* The parameters to judge by: the moving average if one is kept.
	* @returns {Float32Array}
	*/
	result() {
		return wasm.coach_result(this.__wbg_ptr);
	}
	/**
	* Everything to go on from here with the same bits.
	* @returns {Checkpoint}
	*/
	state() {
		const ret = wasm.coach_state(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Takes the step. Throws, with the step and the layer, where a number is none or the loss has left all bounds; no
	* weight has then changed.
	* @returns {Sums & { gradientNorm: number; rate: number }}
	*/
	step() {
		const ret = wasm.coach_step(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Steps taken.
	* @returns {number}
	*/
	get steps() {
		return wasm.coach_steps(this.__wbg_ptr);
	}
	/**
	* The trained weights by name, in their public order (OIHW; out × in). The same setup on the same pictures gives the
	* same bits.
	* @returns {Tensor[]}
	*/
	weights() {
		const ret = wasm.coach_weights(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
};
if (Symbol.dispose) Coach.prototype[Symbol.dispose] = Coach.prototype.free;
/**
* The half of a training that has the pictures: it computes gradients of shards, for a [`Coach`] here or elsewhere.
*/
var Learner = class {
	__destroy_into_raw() {
		const ptr = this.__wbg_ptr;
		this.__wbg_ptr = 0;
		LearnerFinalization.unregister(this);
		return ptr;
	}
	free() {
		const ptr = this.__destroy_into_raw();
		wasm.__wbg_learner_free(ptr, 0);
	}
	/**
	* How the numbers of every layer were spread in the last shard.
	* @returns {Spread[]}
	*/
	activations() {
		const ret = wasm.learner_activations(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Classifies pictures `from` to before `to` of those to choose by.
	* @param {number} from
	* @param {number} to
	* @returns {Classified}
	*/
	classify(from, to) {
		const ret = wasm.learner_classify(this.__wbg_ptr, from, to);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* The gradient that the last `learn` computed.
	* @returns {Float32Array}
	*/
	gradient() {
		return wasm.learner_gradient(this.__wbg_ptr);
	}
	/**
	* Computes the gradient of a shard of step `step`, counted from 0; `gradient` then gives it.
	* @param {number} step
	* @param {number} shard
	* @returns {Sums}
	*/
	learn(step, shard) {
		const ret = wasm.learner_learn(this.__wbg_ptr, step, shard);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* A learner of a setup (JSON). Throws with code `format`, `missing`, `shape` or `value` where it cannot work.
	* @param {string} setup
	* @param {Samples} samples
	*/
	constructor(setup, samples) {
		_assertClass(samples, Samples);
		const ret = wasm.learner_new(setup, samples.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		this.__wbg_ptr = ret[0];
		LearnerFinalization.register(this, this.__wbg_ptr, this);
		return this;
	}
	/**
	* Picture `i` to learn from as it is, and behind it `variants` of it as the setup's augmentation bends it.
	* @param {number} i
	* @param {number} variants
	* @returns {Float32Array}
	*/
	preview(i, variants) {
		const ret = wasm.learner_preview(this.__wbg_ptr, i, variants);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Takes over parameters.
	* @param {Float32Array} params
	*/
	receive(params) {
		const ret = wasm.learner_receive(this.__wbg_ptr, params);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
};
if (Symbol.dispose) Learner.prototype[Symbol.dispose] = Learner.prototype.free;
/**
* A network with its weights, living in the engine's memory until `free` is called.
*/
var Model = class {
	__destroy_into_raw() {
		const ptr = this.__wbg_ptr;
		this.__wbg_ptr = 0;
		ModelFinalization.unregister(this);
		return ptr;
	}
	free() {
		const ptr = this.__destroy_into_raw();
		wasm.__wbg_model_free(ptr, 0);
	}
	/**
	* What a layer made of the last picture: `c · h · w` numbers, map after map (CHW). Throws with code `missing` for a
	* layer that there is not, and before the first picture.
	* @param {string} layer
	* @returns {Float32Array}
	*/
	features(layer) {
		const ret = wasm.model_features(this.__wbg_ptr, layer);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Every layer that `features` can show, from the input to the scores.
	* @returns {Layer[]}
	*/
	layers() {
		const ret = wasm.model_layers(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* What the weights are called.
	* @returns {string}
	*/
	get name() {
		let deferred1_0;
		let deferred1_1;
		try {
			const ret = wasm.model_name(this.__wbg_ptr);
			deferred1_0 = ret[0];
			deferred1_1 = ret[1];
			return getStringFromWasm0(ret[0], ret[1]);
		} finally {
			wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
		}
	}
	/**
	* Opens the network in a safetensors file. Throws with code `format`, `missing`, `shape` or `value` where it is none.
	* @param {Uint8Array} weights
	*/
	constructor(weights) {
		const ret = wasm.model_new(weights);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		this.__wbg_ptr = ret[0];
		ModelFinalization.register(this, this.__wbg_ptr, this);
		return this;
	}
	/**
	* Brings a drawing into the form of the pictures the network has learnt from, and reads it.
	* @param {Ink} ink
	* @returns {Reading}
	*/
	predictInk(ink) {
		const ret = wasm.model_predictInk(this.__wbg_ptr, ink);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Reads a picture of 28 × 28 grey levels from 0 (paper) to 1 (ink), row by row. Throws with code `shape` for another
	* number of pixels and `value` for a pixel out of range.
	* @param {Float32Array} image
	* @returns {Answer}
	*/
	predict(image) {
		const ret = wasm.model_predict(this.__wbg_ptr, image);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
};
if (Symbol.dispose) Model.prototype[Symbol.dispose] = Model.prototype.free;
/**
* A network with parameters drawn from a seed, living in the engine's memory until `free` is called. Pictures, answers
* and their gradients are NCHW, one picture after another.
*/
var Network = class {
	__destroy_into_raw() {
		const ptr = this.__wbg_ptr;
		this.__wbg_ptr = 0;
		NetworkFinalization.unregister(this);
		return ptr;
	}
	free() {
		const ptr = this.__destroy_into_raw();
		wasm.__wbg_network_free(ptr, 0);
	}
	/**
	* Goes back through one layer, after all the layers behind it. Throws with code `missing` where the network was made
	* to infer only.
	* @param {number} layer
	*/
	backwardLayer(layer) {
		const ret = wasm.network_backwardLayer(this.__wbg_ptr, layer);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* Computes one layer of what `load` took in.
	* @param {number} layer
	*/
	forwardLayer(layer) {
		const ret = wasm.network_forwardLayer(this.__wbg_ptr, layer);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* Answers a batch of pictures. Throws with code `shape` where the values are no whole pictures, `value` for too
	* many pictures and for values that are not finite.
	* @param {Float32Array} images
	* @returns {Float32Array}
	*/
	forward(images) {
		const ret = wasm.network_forward(this.__wbg_ptr, images);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* The gradient of `Σ dy · answer` by the pictures of the last `forward`. Throws with code `missing` where the network
	* was not made to explain, `shape` where `dy` is not of the answers' size.
	* @param {Float32Array} dy
	* @returns {Float32Array}
	*/
	inputGradient(dy) {
		const ret = wasm.network_inputGradient(this.__wbg_ptr, dy);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Every layer in order; their positions are what `forwardLayer` and `backwardLayer` take.
	* @returns {Node[]}
	*/
	layers() {
		const ret = wasm.network_layers(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Takes pictures in for `forwardLayer`: with all layers in order the two are what `forward` does, in steps that
	* can be timed. Throws as `forward` does.
	* @param {Float32Array} images
	*/
	load(images) {
		const ret = wasm.network_load(this.__wbg_ptr, images);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* Builds a network, from a name of the catalogue or a description in JSON, for batches of up to `batch` pictures. It
	* can `infer`, or also `train`, or also `explain` (give the gradient of its input). Throws with code `missing` for
	* a name that there is not, `value` for an empty batch and for one too large for a page, and with any code for a
	* description that is none.
	* @param {string} network
	* @param {number} batch
	* @param {'infer' | 'train' | 'explain'} purpose
	* @param {number} seed
	*/
	constructor(network, batch, purpose, seed) {
		const ret = wasm.network_new(network, batch, purpose, seed);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		this.__wbg_ptr = ret[0];
		NetworkFinalization.register(this, this.__wbg_ptr, this);
		return this;
	}
	/**
	* Every parameter: its name and its shape (OIHW, out × in).
	* @returns {Parameter[]}
	*/
	parameters() {
		const ret = wasm.network_parameters(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Bytes of the buffers for values and gradients.
	* @returns {number}
	*/
	get planBytes() {
		return wasm.network_planBytes(this.__wbg_ptr);
	}
	/**
	* Sets one parameter. Throws with code `missing`, `shape` or `value`, and it is then as it was.
	* @param {string} name
	* @param {Float32Array} values
	*/
	setWeights(name, values) {
		const ret = wasm.network_setWeights(this.__wbg_ptr, name, values);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* One step of Adam on the mean cross-entropy between the answers' softmax and `targets`, a row for each picture
	* that sums to 1; returns the loss before it. `seed` decides dropout. Throws as `forward` does, with code `missing`
	* where the network was made to infer only and `value` where the loss is not finite; parameters then stay.
	* @param {Float32Array} images
	* @param {Float32Array} targets
	* @param {number} rate
	* @param {number} seed
	* @returns {number}
	*/
	step(images, targets, rate, seed) {
		const ret = wasm.network_step(this.__wbg_ptr, images, targets, rate, seed);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return ret[0];
	}
	/**
	* One parameter. Throws with code `missing` for a name that there is not.
	* @param {string} name
	* @returns {Float32Array}
	*/
	weights(name) {
		const ret = wasm.network_weights(this.__wbg_ptr, name);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
};
if (Symbol.dispose) Network.prototype[Symbol.dispose] = Network.prototype.free;
/**
* A network with its weights, living in the engine's memory until `free` is called. Pictures are NCHW, one after another.
*/
var OwnModel = class OwnModel {
	static __wrap(ptr) {
		const obj = Object.create(OwnModel.prototype);
		obj.__wbg_ptr = ptr;
		OwnModelFinalization.register(obj, obj.__wbg_ptr, obj);
		return obj;
	}
	__destroy_into_raw() {
		const ptr = this.__wbg_ptr;
		this.__wbg_ptr = 0;
		OwnModelFinalization.unregister(this);
		return ptr;
	}
	free() {
		const ptr = this.__destroy_into_raw();
		wasm.__wbg_ownmodel_free(ptr, 0);
	}
	/**
	* Begins to learn: `steps` steps on batches of up to `batch` pictures, with options (JSON) as `Options` in the Rust
	* documentation has them. Throws with code `format` or `value`.
	* @param {string} options
	* @param {number} batch
	* @param {number} steps
	* @param {number} seed
	*/
	begin(options, batch, steps, seed) {
		const ret = wasm.ownmodel_begin(this.__wbg_ptr, options, batch, steps, seed);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* Builds the network that a description (JSON) describes, its weights drawn from a seed. Throws with any code.
	* @param {string} description
	* @param {number} seed
	* @returns {OwnModel}
	*/
	static define(description, seed) {
		const ret = wasm.ownmodel_define(description, seed);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return OwnModel.__wrap(ret[0]);
	}
	/**
	* Ends the learning. Without a training under way nothing happens.
	*/
	end() {
		wasm.ownmodel_end(this.__wbg_ptr);
	}
	/**
	* What layers make of one picture. Throws as `predict` does, and with code `missing` for a layer that there is not.
	* @param {Float32Array} image
	* @param {string[]} layers
	* @returns {Features[]}
	*/
	features(image, layers) {
		const ret = wasm.ownmodel_features(this.__wbg_ptr, image, layers);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Freezes layers: names, or beginnings with `*`. Throws with code `missing` for one that names no layer with weights.
	* @param {string[]} layers
	*/
	freeze(layers) {
		const ret = wasm.ownmodel_freeze(this.__wbg_ptr, layers);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* Every layer in order.
	* @returns {Node[]}
	*/
	layers() {
		const ret = wasm.ownmodel_layers(this.__wbg_ptr);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Opens the network in a safetensors file whose metadata describe it or name its architecture. Throws with code
	* `format`, `missing`, `shape` or `value` where it is none.
	* @param {Uint8Array} weights
	* @returns {OwnModel}
	*/
	static load(weights) {
		const ret = wasm.ownmodel_load(weights);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return OwnModel.__wrap(ret[0]);
	}
	/**
	* What it is called.
	* @returns {string}
	*/
	get name() {
		let deferred1_0;
		let deferred1_1;
		try {
			const ret = wasm.ownmodel_name(this.__wbg_ptr);
			deferred1_0 = ret[0];
			deferred1_1 = ret[1];
			return getStringFromWasm0(ret[0], ret[1]);
		} finally {
			wasm.__wbindgen_free(deferred1_0, deferred1_1, 1);
		}
	}
	/**
	* A row of probabilities for each picture: the softmax of the answers. Throws with code `shape` where the values are
	* no whole pictures and `value` for values that are not finite.
	* @param {Float32Array} images
	* @returns {Float32Array}
	*/
	predict(images) {
		const ret = wasm.ownmodel_predict(this.__wbg_ptr, images);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* The file that `load` opens, its numbers in 16 or in 32 bits. Throws with code `value` for weights that 16 bits do not
	* hold.
	* @param {16 | 32} bits
	* @returns {Uint8Array<ArrayBuffer>}
	*/
	save(bits) {
		const ret = wasm.ownmodel_save(this.__wbg_ptr, bits);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* The answers themselves, before any softmax. Throws as `predict` does.
	* @param {Float32Array} images
	* @returns {Float32Array}
	*/
	scores(images) {
		const ret = wasm.ownmodel_scores(this.__wbg_ptr, images);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Gives it so many classes in place of its own; its last layer begins anew. Throws with code `value` or `missing`.
	* @param {number} classes
	* @param {number} seed
	*/
	setClasses(classes, seed) {
		const ret = wasm.ownmodel_setClasses(this.__wbg_ptr, classes, seed);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* Calls it something else.
	* @param {string} name
	*/
	set name(name) {
		const ret = wasm.ownmodel_set_name(this.__wbg_ptr, name);
		if (ret[1]) throw takeFromExternrefTable0(ret[0]);
	}
	/**
	* One step on pictures and the class of each. Throws, and changes nothing, with code `missing` before `begin`, `shape`
	* and `value` for data that do not fit and for a loss that is not finite.
	* @param {Float32Array} images
	* @param {Uint32Array} labels
	* @returns {Sums}
	*/
	step(images, labels) {
		const ret = wasm.ownmodel_step(this.__wbg_ptr, images, labels);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
};
if (Symbol.dispose) OwnModel.prototype[Symbol.dispose] = OwnModel.prototype.free;
/**
* Labelled pictures, living in the engine's memory until `free` is called and no learner uses them any more.
*/
var Samples = class Samples {
	static __wrap(ptr) {
		const obj = Object.create(Samples.prototype);
		obj.__wbg_ptr = ptr;
		SamplesFinalization.register(obj, obj.__wbg_ptr, obj);
		return obj;
	}
	__destroy_into_raw() {
		const ptr = this.__wbg_ptr;
		this.__wbg_ptr = 0;
		SamplesFinalization.unregister(this);
		return ptr;
	}
	free() {
		const ptr = this.__destroy_into_raw();
		wasm.__wbg_samples_free(ptr, 0);
	}
	/**
	* How many classes there are.
	* @returns {number}
	*/
	get classes() {
		return wasm.samples_classes(this.__wbg_ptr) >>> 0;
	}
	/**
	* Makes up digits as a hand would write them: so many to learn from and others to choose by.
	* @param {number} seed
	* @param {number} train
	* @param {number} validation
	* @returns {Samples}
	*/
	static fromGenerator(seed, train, validation) {
		const ret = wasm.samples_fromGenerator(seed, train, validation);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return Samples.__wrap(ret[0]);
	}
	/**
	* Opens plain IDX files; without files to choose by (`undefined`), some of the others are kept for that.
	* Throws with code `format`, `shape` or `value`.
	* @param {IdxFiles} files
	* @param {number} classes
	* @returns {Samples}
	*/
	static fromIdx(files, classes) {
		const ret = wasm.samples_fromIdx(files, classes);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return Samples.__wrap(ret[0]);
	}
	/**
	* The class of every picture of a part, in its order.
	* @param {Part} part
	* @returns {Uint8Array}
	*/
	labels(part) {
		const ret = wasm.samples_labels(this.__wbg_ptr, part);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Picture `i` of a part, row by row, 0 paper to 1 ink.
	* @param {Part} part
	* @param {number} i
	* @returns {Float32Array}
	*/
	picture(part, i) {
		const ret = wasm.samples_picture(this.__wbg_ptr, part, i);
		if (ret[2]) throw takeFromExternrefTable0(ret[1]);
		return takeFromExternrefTable0(ret[0]);
	}
	/**
	* Channels, height and width of every picture.
	* @returns {[number, number, number]}
	*/
	get shape() {
		const ret = wasm.samples_shape(this.__wbg_ptr);
		var v1 = getArrayU32FromWasm0(ret[0], ret[1]).slice();
		wasm.__wbindgen_free(ret[0], ret[1] * 4, 4);
		return v1;
	}
};
if (Symbol.dispose) Samples.prototype[Symbol.dispose] = Samples.prototype.free;
function __wbg_get_imports() {
	return {
		__proto__: null,
		"./hitofude_bg.js": {
			__proto__: null,
			__wbg_Error_208446807d0d1e30: function(arg0, arg1) {
				return Error(getStringFromWasm0(arg0, arg1));
			},
			__wbg_Number_ff192a72a0dcdf6d: function(arg0) {
				return Number(arg0);
			},
			__wbg___wbindgen_is_null_c22311b1cc228e3a: function(arg0) {
				return arg0 === null;
			},
			__wbg___wbindgen_is_object_8b968c3ab8e96595: function(arg0) {
				const val = arg0;
				return typeof val === "object" && val !== null;
			},
			__wbg___wbindgen_is_string_fc456fee5d3317de: function(arg0) {
				return typeof arg0 === "string";
			},
			__wbg___wbindgen_is_undefined_be5b34249ff1fc15: function(arg0) {
				return arg0 === void 0;
			},
			__wbg___wbindgen_number_get_934b640d0889af78: function(arg0, arg1) {
				const obj = arg1;
				const ret = typeof obj === "number" ? obj : void 0;
				getDataViewMemory0().setFloat64((arg0 >>> 0) + 8, isLikeNone(ret) ? 0 : ret, true);
				getDataViewMemory0().setInt32((arg0 >>> 0) + 0, !isLikeNone(ret), true);
			},
			__wbg___wbindgen_string_get_7ce8eee7fd327545: function(arg0, arg1) {
				const obj = arg1;
				const ret = typeof obj === "string" ? obj : void 0;
				var ptr1 = isLikeNone(ret) ? 0 : passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
				var len1 = WASM_VECTOR_LEN;
				getDataViewMemory0().setInt32((arg0 >>> 0) + 4, len1, true);
				getDataViewMemory0().setInt32((arg0 >>> 0) + 0, ptr1, true);
			},
			__wbg___wbindgen_throw_4c88d8bf264fd984: function(arg0, arg1) {
				throw new Error(getStringFromWasm0(arg0, arg1));
			},
			__wbg___wbindgen_typeof_ee4990276e02f607: function(arg0) {
				return typeof arg0;
			},
			__wbg_data_bf4b5c8a5fc46441: function(arg0, arg1) {
				const ret = arg1.data;
				const ptr1 = passArray8ToWasm0(ret, wasm.__wbindgen_malloc);
				const len1 = WASM_VECTOR_LEN;
				getDataViewMemory0().setInt32((arg0 >>> 0) + 4, len1, true);
				getDataViewMemory0().setInt32((arg0 >>> 0) + 0, ptr1, true);
			},
			__wbg_error_757e9472f8410341: function(arg0, arg1) {
				let deferred0_0;
				let deferred0_1;
				try {
					deferred0_0 = arg0;
					deferred0_1 = arg1;
					console.error(getStringFromWasm0(arg0, arg1));
				} finally {
					wasm.__wbindgen_free(deferred0_0, deferred0_1, 1);
				}
			},
			__wbg_get_2080c49015e35254: function() {
				return handleError(function(arg0, arg1) {
					return Reflect.get(arg0, arg1);
				}, arguments);
			},
			__wbg_get_bb8b6b35041e00c9: function() {
				return handleError(function(arg0, arg1) {
					return Reflect.get(arg0, arg1 >>> 0);
				}, arguments);
			},
			__wbg_height_63914f938cb8dcb6: function(arg0) {
				return arg0.height;
			},
			__wbg_instanceof_Float32Array_94718abab7dc1d7f: function(arg0) {
				let result;
				try {
					result = arg0 instanceof Float32Array;
				} catch (_) {
					result = false;
				}
				return result;
			},
			__wbg_instanceof_ImageData_dfbb7ab42ce4000b: function(arg0) {
				let result;
				try {
					result = arg0 instanceof ImageData;
				} catch (_) {
					result = false;
				}
				return result;
			},
			__wbg_instanceof_Uint32Array_ba721c3060d01f9a: function(arg0) {
				let result;
				try {
					result = arg0 instanceof Uint32Array;
				} catch (_) {
					result = false;
				}
				return result;
			},
			__wbg_instanceof_Uint8Array_d7aeb0dcb3108fea: function(arg0) {
				let result;
				try {
					result = arg0 instanceof Uint8Array;
				} catch (_) {
					result = false;
				}
				return result;
			},
			__wbg_isArray_bcf1376d0d732d08: function(arg0) {
				return Array.isArray(arg0);
			},
			__wbg_length_186163212ffe79c3: function(arg0) {
				return arg0.length;
			},
			__wbg_length_6e9d2869242cabf3: function(arg0) {
				return arg0.length;
			},
			__wbg_length_b03a0fabb109b1e9: function(arg0) {
				return arg0.length;
			},
			__wbg_length_c702d06d28b96b72: function(arg0) {
				return arg0.length;
			},
			__wbg_length_e83e819f48c774e4: function(arg0) {
				return arg0.length;
			},
			__wbg_new_37eb45aaf5eeb820: function() {
				return new Array();
			},
			__wbg_new_787b9fb330d55d78: function(arg0, arg1) {
				return new Error(getStringFromWasm0(arg0, arg1));
			},
			__wbg_new_bb74001155cb8ca8: function() {
				return /* @__PURE__ */ new Error();
			},
			__wbg_new_cd4348290afae586: function() {
				return /* @__PURE__ */ new Object();
			},
			__wbg_new_from_slice_3512352010266e02: function(arg0, arg1) {
				return new Uint32Array(getArrayU32FromWasm0(arg0, arg1));
			},
			__wbg_new_from_slice_355c10c5d8f2addb: function(arg0, arg1) {
				return new Float32Array(getArrayF32FromWasm0(arg0, arg1));
			},
			__wbg_new_from_slice_b8daf545a41c6aa0: function(arg0, arg1) {
				return new Uint8Array(getArrayU8FromWasm0(arg0, arg1));
			},
			__wbg_prototypesetcall_13162965d1fe7aa3: function(arg0, arg1, arg2) {
				Uint8Array.prototype.set.call(getArrayU8FromWasm0(arg0, arg1), arg2);
			},
			__wbg_prototypesetcall_22b1bb88c4ec5c5a: function(arg0, arg1, arg2) {
				Float32Array.prototype.set.call(getArrayF32FromWasm0(arg0, arg1), arg2);
			},
			__wbg_prototypesetcall_4aea6470234c8414: function(arg0, arg1, arg2) {
				Uint32Array.prototype.set.call(getArrayU32FromWasm0(arg0, arg1), arg2);
			},
			__wbg_set_2793479888329cb6: function() {
				return handleError(function(arg0, arg1, arg2) {
					return Reflect.set(arg0, arg1, arg2);
				}, arguments);
			},
			__wbg_set_d2d33b52458e984a: function(arg0, arg1, arg2) {
				arg0[arg1 >>> 0] = arg2;
			},
			__wbg_set_e4b9a833d288759a: function(arg0, arg1, arg2) {
				arg0[arg1] = arg2;
			},
			__wbg_stack_575c4e0918581b9c: function(arg0, arg1) {
				const ret = arg1.stack;
				const ptr1 = passStringToWasm0(ret, wasm.__wbindgen_malloc, wasm.__wbindgen_realloc);
				const len1 = WASM_VECTOR_LEN;
				getDataViewMemory0().setInt32((arg0 >>> 0) + 4, len1, true);
				getDataViewMemory0().setInt32((arg0 >>> 0) + 0, ptr1, true);
			},
			__wbg_width_5f6c6b065ab41588: function(arg0) {
				return arg0.width;
			},
			__wbindgen_generic_0000000000000001: function(arg0) {
				return arg0;
			},
			__wbindgen_generic_0000000000000002: function(arg0, arg1) {
				return getStringFromWasm0(arg0, arg1);
			},
			__wbindgen_generic_0000000000000003: function(arg0) {
				return BigInt.asUintN(64, arg0);
			},
			__wbindgen_init_externref_table: function() {
				const table = wasm.__wbindgen_externrefs;
				table.set(0, void 0);
				table.set(1024, void 0);
				table.set(1025, null);
				table.set(1026, true);
				table.set(1027, false);
			}
		}
	};
}
const CoachFinalization = typeof FinalizationRegistry === "undefined" ? {
	register: () => {},
	unregister: () => {}
} : new FinalizationRegistry((ptr) => wasm.__wbg_coach_free(ptr, 1));
const LearnerFinalization = typeof FinalizationRegistry === "undefined" ? {
	register: () => {},
	unregister: () => {}
} : new FinalizationRegistry((ptr) => wasm.__wbg_learner_free(ptr, 1));
const ModelFinalization = typeof FinalizationRegistry === "undefined" ? {
	register: () => {},
	unregister: () => {}
} : new FinalizationRegistry((ptr) => wasm.__wbg_model_free(ptr, 1));
const NetworkFinalization = typeof FinalizationRegistry === "undefined" ? {
	register: () => {},
	unregister: () => {}
} : new FinalizationRegistry((ptr) => wasm.__wbg_network_free(ptr, 1));
const OwnModelFinalization = typeof FinalizationRegistry === "undefined" ? {
	register: () => {},
	unregister: () => {}
} : new FinalizationRegistry((ptr) => wasm.__wbg_ownmodel_free(ptr, 1));
const SamplesFinalization = typeof FinalizationRegistry === "undefined" ? {
	register: () => {},
	unregister: () => {}
} : new FinalizationRegistry((ptr) => wasm.__wbg_samples_free(ptr, 1));
function addToExternrefTable0(obj) {
	const idx = wasm.__externref_table_alloc();
	wasm.__wbindgen_externrefs.set(idx, obj);
	return idx;
}
function _assertClass(instance, klass) {
	if (!(instance instanceof klass)) throw new Error(`expected instance of ${klass.name}`);
}
function getArrayF32FromWasm0(ptr, len) {
	ptr = ptr >>> 0;
	return getFloat32ArrayMemory0().subarray(ptr / 4, ptr / 4 + len);
}
function getArrayU32FromWasm0(ptr, len) {
	ptr = ptr >>> 0;
	return getUint32ArrayMemory0().subarray(ptr / 4, ptr / 4 + len);
}
function getArrayU8FromWasm0(ptr, len) {
	ptr = ptr >>> 0;
	return getUint8ArrayMemory0().subarray(ptr / 1, ptr / 1 + len);
}
let cachedDataViewMemory0 = null;
function getDataViewMemory0() {
	if (cachedDataViewMemory0 === null || cachedDataViewMemory0.buffer.detached === true || cachedDataViewMemory0.buffer.detached === void 0 && cachedDataViewMemory0.buffer !== wasm.memory.buffer) cachedDataViewMemory0 = new DataView(wasm.memory.buffer);
	return cachedDataViewMemory0;
}
let cachedFloat32ArrayMemory0 = null;
function getFloat32ArrayMemory0() {
	if (cachedFloat32ArrayMemory0 === null || cachedFloat32ArrayMemory0.byteLength === 0) cachedFloat32ArrayMemory0 = new Float32Array(wasm.memory.buffer);
	return cachedFloat32ArrayMemory0;
}
function getStringFromWasm0(ptr, len) {
	ptr = ptr >>> 0;
	return decodeText(getUint8ArrayMemory0().subarray(ptr, ptr + len));
}
let cachedUint32ArrayMemory0 = null;
function getUint32ArrayMemory0() {
	if (cachedUint32ArrayMemory0 === null || cachedUint32ArrayMemory0.byteLength === 0) cachedUint32ArrayMemory0 = new Uint32Array(wasm.memory.buffer);
	return cachedUint32ArrayMemory0;
}
let cachedUint8ArrayMemory0 = null;
function getUint8ArrayMemory0() {
	if (cachedUint8ArrayMemory0 === null || cachedUint8ArrayMemory0.byteLength === 0) cachedUint8ArrayMemory0 = new Uint8Array(wasm.memory.buffer);
	return cachedUint8ArrayMemory0;
}
function handleError(f, args) {
	try {
		return f.apply(this, args);
	} catch (e) {
		const idx = addToExternrefTable0(e);
		wasm.__wbindgen_exn_store(idx);
	}
}
function isLikeNone(x) {
	return x === void 0 || x === null;
}
function passArray8ToWasm0(arg, malloc) {
	const ptr = malloc(arg.length * 1, 1) >>> 0;
	getUint8ArrayMemory0().set(arg, ptr / 1);
	WASM_VECTOR_LEN = arg.length;
	return ptr;
}
function passStringToWasm0(arg, malloc, realloc) {
	if (realloc === void 0) {
		const buf = cachedTextEncoder.encode(arg);
		const ptr = malloc(buf.length, 1) >>> 0;
		getUint8ArrayMemory0().subarray(ptr, ptr + buf.length).set(buf);
		WASM_VECTOR_LEN = buf.length;
		return ptr;
	}
	let len = arg.length;
	let ptr = malloc(len, 1) >>> 0;
	const mem = getUint8ArrayMemory0();
	let offset = 0;
	for (; offset < len; offset++) {
		const code = arg.charCodeAt(offset);
		if (code > 127) break;
		mem[ptr + offset] = code;
	}
	if (offset !== len) {
		if (offset !== 0) arg = arg.slice(offset);
		ptr = realloc(ptr, len, len = offset + arg.length * 3, 1) >>> 0;
		const view = getUint8ArrayMemory0().subarray(ptr + offset, ptr + len);
		const ret = cachedTextEncoder.encodeInto(arg, view);
		offset += ret.written;
		ptr = realloc(ptr, len, offset, 1) >>> 0;
	}
	WASM_VECTOR_LEN = offset;
	return ptr;
}
function takeFromExternrefTable0(idx) {
	const value = wasm.__wbindgen_externrefs.get(idx);
	wasm.__externref_table_dealloc(idx);
	return value;
}
let cachedTextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
cachedTextDecoder.decode();
const MAX_SAFARI_DECODE_BYTES = 2146435072;
let numBytesDecoded = 0;
function decodeText(bytes) {
	numBytesDecoded += bytes.length;
	if (numBytesDecoded >= MAX_SAFARI_DECODE_BYTES) {
		cachedTextDecoder = new TextDecoder("utf-8", { ignoreBOM: true });
		cachedTextDecoder.decode();
		numBytesDecoded = bytes.length;
	}
	return cachedTextDecoder.decode(bytes);
}
const cachedTextEncoder = new TextEncoder();
if (!("encodeInto" in cachedTextEncoder)) cachedTextEncoder.encodeInto = function(arg, view) {
	const buf = cachedTextEncoder.encode(arg);
	view.set(buf);
	return {
		read: arg.length,
		written: buf.length
	};
};
let WASM_VECTOR_LEN = 0, wasm;
function __wbg_finalize_init(instance, module) {
	wasm = instance.exports;
	cachedDataViewMemory0 = null;
	cachedFloat32ArrayMemory0 = null;
	cachedUint32ArrayMemory0 = null;
	cachedUint8ArrayMemory0 = null;
	wasm.__wbindgen_start();
	return wasm;
}
async function __wbg_load(module, imports) {
	if (typeof Response === "function" && module instanceof Response) {
		if (!module.ok) throw new Error(`failed to fetch Wasm: ${module.status} ${module.statusText} fetching '${module.url}'`);
		if (typeof WebAssembly.instantiateStreaming === "function") try {
			return await WebAssembly.instantiateStreaming(module, imports);
		} catch (e) {
			if (expectedResponseType(module.type) && module.headers.get("Content-Type") !== "application/wasm") console.warn("`WebAssembly.instantiateStreaming` failed because your server does not serve Wasm with `application/wasm` MIME type. Falling back to `WebAssembly.instantiate` which is slower. Original error:\n", e);
			else throw e;
		}
		const bytes = await module.arrayBuffer();
		return await WebAssembly.instantiate(bytes, imports);
	} else {
		const instance = await WebAssembly.instantiate(module, imports);
		if (instance instanceof WebAssembly.Instance) return {
			instance,
			module
		};
		else return instance;
	}
	function expectedResponseType(type) {
		switch (type) {
			case "basic":
			case "cors":
			case "default": return true;
		}
		return false;
	}
}
let __wbg_init_promise;
async function __wbg_init(module_or_path) {
	if (wasm !== void 0) return wasm;
	if (__wbg_init_promise === void 0) {
		__wbg_init_promise = __wbg_init_once(module_or_path);
		__wbg_init_promise.catch(() => {
			__wbg_init_promise = void 0;
		});
	}
	return __wbg_init_promise;
}
async function __wbg_init_once(module_or_path) {
	if (module_or_path !== void 0) if (Object.getPrototypeOf(module_or_path) === Object.prototype) ({module_or_path} = module_or_path);
	else console.warn("using deprecated parameters for the initialization function; pass a single object instead");
	const imports = __wbg_get_imports();
	if (typeof module_or_path === "string" || typeof Request === "function" && module_or_path instanceof Request || typeof URL === "function" && module_or_path instanceof URL) module_or_path = fetch(module_or_path);
	const { instance, module } = await __wbg_load(await module_or_path, imports);
	return __wbg_finalize_init(instance, module);
}
//#endregion
//#region www/lib/package/errors.ts
/** A call that was refused: `code` says why in a word, the message what to do. */
var Refused = class extends Error {
	constructor(code, message, options) {
		super(message, options);
		this.code = code;
		this.name = "Refused";
	}
};
/** Throws the signal's reason once it has been aborted. */
function stop(signal) {
	signal?.throwIfAborted();
}
//#endregion
//#region www/lib/package/input.ts
const DIGIT = 28;
/** The numbers (CHW) of one input for a network that reads `shape`. */
async function picture(input, shape, preprocess) {
	const [channels, height, width] = shape;
	if (input instanceof Float32Array) return checked(input, shape);
	if (input instanceof Uint8Array) return checked(unit(input), shape);
	if ("strokes" in input) return drawing(input, shape, preprocess);
	if ("data" in input && !isImageData(input)) return numbers(input, shape);
	if (channels === 1 && height === DIGIT && width === DIGIT) return drawing(isImageData(input) ? input : pixels(input, input.width, input.height), shape, preprocess);
	return colours(await scaled(input, width, height), shape);
}
function drawing(ink, shape, preprocess) {
	return checked(preprocess(ink).at(-1).pixels, shape);
}
function numbers({ data, shape: given }, shape) {
	const values = data instanceof Uint8Array || data instanceof Uint8ClampedArray ? unit(data) : data instanceof Float32Array ? data : Float32Array.from(data);
	const sides = given?.filter((side, i) => side !== 1 || i >= given.length - shape.length);
	if (sides && (sides.length !== shape.length ? sides.reduce((a, b) => a * b, 1) !== values.length : sides.some((side, i) => side !== shape[i]))) throw new Refused("shape", `this network reads ${shape.join(" × ")}; got ${given.join(" × ")}`);
	return checked(values, shape);
}
const unit = (bytes) => Float32Array.from(bytes, (v) => v / 255);
function checked(values, shape) {
	const size = shape.reduce((a, b) => a * b);
	if (values.length === size) return values;
	throw new Refused("shape", `this network reads ${shape.join(" × ")} = ${size} numbers; got ${values.length}`);
}
function isImageData(value) {
	return typeof ImageData !== "undefined" && value instanceof ImageData;
}
function pixels(source, width, height) {
	if (typeof OffscreenCanvas === "undefined") throw new Refused("unsupported", "there is no canvas here: hand in numbers or strokes");
	const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
	context.drawImage(source, 0, 0, width, height);
	return context.getImageData(0, 0, width, height);
}
async function scaled(source, width, height) {
	if (!isImageData(source)) return pixels(source, width, height);
	if (source.width === width && source.height === height) return source;
	return pixels(await createImageBitmap(source), width, height);
}
/** Red, green and blue, or their luminance (ITU-R BT.601) for one channel, from 0 to 1. */
function colours({ data }, shape) {
	const [channels, height, width] = shape;
	const size = height * width;
	const out = new Float32Array(channels * size);
	for (let i = 0; i < size; i++) {
		const [r, g, b] = [
			data[4 * i] / 255,
			data[4 * i + 1] / 255,
			data[4 * i + 2] / 255
		];
		if (channels === 1) out[i] = .299 * r + .587 * g + .114 * b;
		else [
			r,
			g,
			b
		].forEach((v, c) => c < channels && (out[c * size + i] = v));
	}
	return out;
}
//#endregion
//#region www/lib/package/model.ts
const BATCH = 32;
const EPOCHS = 10;
var DirectModel = class {
	#reader = null;
	#own = null;
	#fitting = false;
	#closed = false;
	/** `studio` loads the module that can do everything, once. */
	constructor(source, studio) {
		this.source = source;
		this.studio = studio;
	}
	/** Opens the weights: with the module that reads if it can, else in the studio. */
	async open() {
		if ("weights" in this.source) try {
			this.#reader = new Model$1(this.source.weights);
			return this;
		} catch (error) {
			if (!(error instanceof Error && "code" in error)) throw error;
		}
		await this.#learner();
		return this;
	}
	get name() {
		return this.#open().name;
	}
	get inputShape() {
		return this.layers()[0].shape;
	}
	get classes() {
		return this.layers().at(-1).shape.reduce((a, b) => a * b);
	}
	layers() {
		return this.#open().layers().map(({ name, kind, shape, parameters, multiplyAdds }) => ({
			name,
			kind,
			shape,
			parameters,
			multiplyAdds
		}));
	}
	async predict(input, signal) {
		const [one] = await this.predictAll([input], signal);
		return one;
	}
	async predictAll(inputs, signal) {
		stop(signal);
		this.#open();
		if (this.#reader) {
			const reader = this.#reader;
			return Promise.all(inputs.map(async (input) => this.#read(reader, await picture(input, [
				1,
				28,
				28
			], preprocess))));
		}
		const own = await this.#learner();
		const shape = this.inputShape;
		const images = await Promise.all(inputs.map((input) => picture(input, shape, preprocess)));
		stop(signal);
		const rows = own.predict(joined(images));
		const classes = rows.length / Math.max(images.length, 1);
		return images.map((_, i) => answer(rows.slice(i * classes, (i + 1) * classes), "sure"));
	}
	async features(input, layers, signal) {
		stop(signal);
		const image = await picture(input, this.inputShape, preprocess);
		if (!this.#reader) return (await this.#learner()).features(image, layers);
		const reader = this.#reader;
		this.#read(reader, image);
		const shapes = new Map(reader.layers().map(({ name, shape }) => [name, shape]));
		return layers.map((name) => ({
			name,
			values: reader.features(name),
			shape: shapes.get(name)
		}));
	}
	async *fit(data, options = {}) {
		if (this.#fitting) throw new Refused("value", "this model is learning already; wait for that training to end");
		const { epochs = EPOCHS, batch = BATCH, seed = 1, signal, validation, ...training } = options;
		const own = await this.#learner();
		const shape = this.inputShape;
		const images = await Promise.all(data.inputs.map((input) => picture(input, shape, preprocess)));
		const labels = Uint32Array.from(data.labels);
		if (images.length === 0 || images.length !== labels.length) throw new Refused("shape", `as many labels as inputs, and at least one, were expected; got ${labels.length} for ${images.length}`);
		const size = Math.min(batch, images.length);
		const perEpoch = Math.ceil(images.length / size);
		own.begin(JSON.stringify(plain(training)), size, perEpoch * epochs, seed);
		this.#fitting = true;
		this.#reader?.free();
		this.#reader = null;
		try {
			for (let epoch = 1; epoch <= epochs; epoch++) {
				const order = shuffled(images.length, seed * 1e3 + epoch);
				const started = performance.now();
				let [loss, correct] = [0, 0];
				for (let from = 0; from < order.length; from += size) {
					stop(signal);
					const part = order.slice(from, from + size);
					const sums = own.step(joined(part.map((i) => images[i])), Uint32Array.from(part, (i) => labels[i]));
					[loss, correct] = [loss + sums.loss, correct + sums.correct];
					await new Promise((resolve) => setTimeout(resolve));
				}
				const seconds = (performance.now() - started) / 1e3;
				const report = {
					epoch,
					epochs,
					loss: loss / images.length,
					accuracy: correct / images.length,
					seconds
				};
				if (validation) report.validation = await this.evaluate(validation, signal);
				yield report;
			}
		} finally {
			if (!this.#closed) own.end();
			this.#fitting = false;
		}
	}
	async evaluate(data, signal) {
		const found = await this.predictAll(data.inputs, signal);
		const labels = [...data.labels];
		const sum = (of) => found.reduce((all, p, i) => all + of(p, labels[i]), 0);
		return {
			accuracy: sum((p, label) => Number(p.class === label)) / found.length,
			loss: sum((p, label) => -Math.log(Math.max(p.probabilities[label] ?? 0, 1e-12))) / found.length
		};
	}
	async freeze(...layers) {
		(await this.#learner()).freeze(layers);
	}
	async withClasses(classes, seed = 1) {
		(await this.#learner()).setClasses(classes, seed);
		this.#reader?.free();
		this.#reader = null;
	}
	async save(format = "safetensors-f16") {
		const bits = {
			"safetensors-f16": 16,
			"safetensors-f32": 32
		};
		if (!(format in bits)) throw new Refused("value", `the formats are ${Object.keys(bits).join(" and ")}; got ${format}`);
		return (await this.#learner()).save(bits[format]);
	}
	dispose() {
		this.#closed = true;
		this.#reader?.free();
		this.#own?.free();
		this.#reader = this.#own = null;
	}
	[Symbol.dispose]() {
		this.dispose();
	}
	#open() {
		const open = this.#own ?? this.#reader;
		if (!open) throw new Refused("missing", "this model has been disposed of; load it again");
		return open;
	}
	async #learner() {
		if (this.#closed) this.#open();
		if (!this.#own) {
			await this.studio();
			this.#own ??= "weights" in this.source ? OwnModel.load(this.source.weights) : OwnModel.define(this.source.description, this.source.seed);
		}
		return this.#own;
	}
	#read(reader, image) {
		const { probabilities, status } = reader.predict(image);
		return answer(probabilities, status);
	}
};
function answer(probabilities, status) {
	let best = 0;
	probabilities.forEach((p, i) => best = p > probabilities[best] ? i : best);
	return {
		class: best,
		probabilities,
		status
	};
}
function joined(images) {
	const size = images[0]?.length ?? 0;
	const all = new Float32Array(images.length * size);
	images.forEach((image, i) => all.set(image, i * size));
	return all;
}
/** 0 to n − 1, shuffled by a seed (Fisher and Yates; numbers by mulberry32). */
function shuffled(n, seed) {
	let state = seed >>> 0;
	const random = () => {
		state = state + 1831565813 >>> 0;
		let t = Math.imul(state ^ state >>> 15, state | 1);
		t ^= t + Math.imul(t ^ t >>> 7, t | 61);
		return ((t ^ t >>> 14) >>> 0) / 2 ** 32;
	};
	const order = Array.from({ length: n }, (_, i) => i);
	for (let i = n - 1; i > 0; i--) {
		const j = Math.floor(random() * (i + 1));
		[order[i], order[j]] = [order[j], order[i]];
	}
	return order;
}
/** The engine's names for the options of a training (train/options.rs). */
function plain({ optimiser, schedule, labelSmoothing, clipNorm, ...rest }) {
	return {
		...rest,
		...optimiser && { optimiser: { rule: optimiser } },
		...schedule && { schedule: { curve: schedule } },
		...labelSmoothing !== void 0 && { label_smoothing: labelSmoothing },
		...clipNorm !== void 0 && { clip_norm: clipNorm }
	};
}
//#endregion
//#region www/lib/package/engine.ts
/** `load` and `define` in this thread. */
function api(assets) {
	const started = /* @__PURE__ */ new Map();
	const once = (glue, source, options) => {
		const start = started.get(glue) ?? compiled(source, options).then((module) => glue({ module_or_path: module }));
		started.set(glue, start);
		start.catch(() => started.delete(glue));
		return start;
	};
	const open = async (source, options) => {
		const at = {
			...assets.wasm(),
			...options.wasmUrl
		};
		await once(__wbg_init$1, at.reading, options);
		return new DirectModel(source, () => once(__wbg_init, at.studio, {})).open();
	};
	return {
		load: async (source, options = {}) => open({ weights: await weights(source, assets, options) }, options),
		define: (network, { seed = 1, ...options } = {}) => open({
			description: JSON.stringify(network),
			seed
		}, options)
	};
}
async function weights(source, { models }, options) {
	if (source instanceof ArrayBuffer) return new Uint8Array(source);
	if (source instanceof Uint8Array) return source;
	const named = typeof source === "string" ? models[source] : void 0;
	if (named) return weights(named(), {
		wasm: () => ({
			reading: "",
			studio: ""
		}),
		models: {}
	}, options);
	if (typeof source === "string" && /^\w+$/.test(source)) throw new Refused("missing", `there is no model called ${source}: name one of ${Object.keys(models).join(", ")}, or say where its file is`);
	return bytes(source, options);
}
async function compiled(source, options) {
	if (typeof source === "string" || source instanceof URL) return bytes(source, options);
	return source;
}
/** The bytes at an address; in Node also of a file. */
async function bytes(source, { onProgress, signal }) {
	const base = typeof location === "undefined" ? import.meta.url : location.href;
	let url;
	try {
		url = new URL(source, base);
	} catch (cause) {
		throw new Refused("value", `${source} is no name of a model and no address`, { cause });
	}
	if (url.protocol === "file:" && typeof process === "object") return file(url);
	const response = await fetch(url, { signal: signal ?? null }).catch((cause) => {
		signal?.throwIfAborted();
		throw new Refused("network", `${url.href} could not be reached`, { cause });
	});
	if (!response.ok || !response.body) throw new Refused("network", `${url.href}: the server answered ${response.status}`);
	const length = response.headers.has("content-encoding") ? null : response.headers.get("content-length");
	const total = length === null ? null : Number(length);
	let loaded = 0;
	const counted = response.body.pipeThrough(new TransformStream({ transform(chunk, controller) {
		loaded += chunk.byteLength;
		onProgress?.({
			loaded,
			total
		});
		controller.enqueue(chunk);
	} }));
	return new Uint8Array(await new Response(counted).arrayBuffer());
}
async function file(url) {
	const { readFile } = await import(
		/* @vite-ignore */
		/* webpackIgnore: true */
		["node", "fs/promises"].join(":")
);
	const data = await readFile(url).catch((cause) => {
		throw new Refused("network", `${url.href} could not be read`, { cause });
	});
	return new Uint8Array(data);
}
//#endregion
export { Refused as n, stop as r, api as t };
