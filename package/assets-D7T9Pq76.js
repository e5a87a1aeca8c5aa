//#region www/lib/probe.ts
const RELAXED = new Uint8Array([
	0,
	97,
	115,
	109,
	1,
	0,
	0,
	0,
	1,
	5,
	1,
	96,
	0,
	1,
	123,
	3,
	2,
	1,
	0,
	10,
	15,
	1,
	13,
	0,
	65,
	0,
	253,
	15,
	65,
	0,
	253,
	15,
	253,
	128,
	2,
	11
]);
/** The fastest build that this browser can run. */
function fastestBuild() {
	return WebAssembly.validate(RELAXED) ? "relaxed-simd" : "simd128";
}
//#endregion
//#region www/lib/package/assets.ts
const assets = {
	wasm: () => fastestBuild() === "relaxed-simd" ? {
		reading: new URL("../www/public/wasm/relaxed-simd.wasm", import.meta.url),
		studio: new URL("../www/public/wasm/studio/relaxed-simd.wasm", import.meta.url)
	} : {
		reading: new URL("../www/public/wasm/simd128.wasm", import.meta.url),
		studio: new URL("../www/public/wasm/studio/simd128.wasm", import.meta.url)
	},
	models: {
		draw: () => new URL("../pretrained/draw.safetensors", import.meta.url),
		deep_convnet: () => new URL("../pretrained/deep_convnet.safetensors", import.meta.url)
	}
};
//#endregion
export { assets as t };
