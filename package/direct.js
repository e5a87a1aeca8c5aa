import { t as assets } from "./assets-D7T9Pq76.js";
import { n as Refused, t as api } from "./engine-CivsB5bW.js";
//#region www/lib/package/direct.ts
const { load, define } = api(assets);
//#endregion
export { Refused, define, load };
