import { n as Refused } from "./engine-CivsB5bW.js";
import { n as load, t as define } from "./package-BlnxEpF9.js";
export { Refused, define, load };
