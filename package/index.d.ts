import { _ as WasmSource, a as Input, c as LoadOptions, d as NetworkDefinition, f as Numbers, g as Shape, h as SaveFormat, i as FitOptions, l as Model, m as Report, n as Data, o as LayerDefinition, p as Prediction, r as Feature, s as LayerInfo, t as Api, u as ModelSource, v as Ink, y as Stroke } from "./types-BDw5A0Pj.js";
import { t as Refused } from "./errors-B4814RXf.js";

//#region www/lib/package/index.d.ts
/** Opens a model: by name (`draw`, `deep_convnet`), from an address or from bytes. */
declare const load: Api['load'];
/** A network of one's own, its weights drawn from a seed. */
declare const define: Api['define'];
//#endregion
export { Api, Data, Feature, FitOptions, Ink, Input, LayerDefinition, LayerInfo, LoadOptions, Model, ModelSource, NetworkDefinition, Numbers, Prediction, Refused, Report, SaveFormat, Shape, Stroke, WasmSource, define, load };