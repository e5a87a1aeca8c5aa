import { n as load } from "./package-BlnxEpF9.js";
//#region www/lib/package/pad-element.ts
const STYLE$1 = `
  :host { display: inline-grid; gap: .5rem; inline-size: 16rem; font: 1rem/1.5 system-ui, sans-serif;
    --ink: var(--hitofude-ink, #16181d); --paper: var(--hitofude-paper, #f7f4ec);
    --accent: var(--hitofude-accent, #c73e3a); --line: var(--hitofude-line, #ddd6c7); color: var(--ink); }
  :host([hidden]) { display: none; }
  canvas { inline-size: 100%; aspect-ratio: 1; background: var(--paper); border: 1px solid var(--line); border-radius: 4px;
    touch-action: none; cursor: crosshair; box-sizing: border-box; }
  canvas:focus-visible, button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  .row { display: flex; align-items: center; gap: .5rem; }
  output { flex: 1; font-variant-numeric: tabular-nums; }
  button { min-inline-size: 44px; min-block-size: 44px; font: inherit; color: inherit; background: none;
    border: 1px solid var(--line); border-radius: 4px; cursor: pointer; }
  :host([disabled]) { opacity: .5; pointer-events: none; }
`;
/** Arrow keys move the pen by a sixteenth of the pad. */
const STEP = 1 / 16;
const ARROWS = {
	ArrowLeft: [-1, 0],
	ArrowRight: [1, 0],
	ArrowUp: [0, -1],
	ArrowDown: [0, 1]
};
var PadElement = class extends HTMLElement {
	static formAssociated = true;
	static observedAttributes = ["model", "disabled"];
	#internals = this.attachInternals();
	#canvas = document.createElement("canvas");
	#answer = document.createElement("output");
	#strokes = [];
	#pointer = null;
	#pen = {
		at: [.5, .5],
		down: false
	};
	#model = null;
	#prediction = null;
	#asked = 0;
	constructor() {
		super();
		const root = this.attachShadow({
			mode: "open",
			delegatesFocus: true
		});
		const style = document.createElement("style");
		style.textContent = STYLE$1;
		const canvas = this.#canvas;
		canvas.tabIndex = 0;
		canvas.setAttribute("part", "pad");
		canvas.setAttribute("role", "application");
		canvas.setAttribute("aria-label", "Drawing pad");
		canvas.setAttribute("aria-description", "Arrow keys move the pen, space puts it down and lifts it, Backspace undoes");
		this.#answer.setAttribute("part", "answer");
		this.#answer.setAttribute("aria-live", "polite");
		this.#answer.setAttribute("aria-label", "Answer");
		const row = document.createElement("div");
		row.className = "row";
		row.append(this.#answer, button("Undo", () => this.undo()), button("Clear", () => this.clear()));
		root.append(style, canvas, row);
		canvas.addEventListener("pointerdown", (event) => this.#down(event));
		canvas.addEventListener("pointermove", (event) => this.#move(event));
		for (const end of ["pointerup", "pointercancel"]) canvas.addEventListener(end, (event) => this.#up(event));
		canvas.addEventListener("keydown", (event) => this.#key(event));
		new ResizeObserver(() => this.#paint()).observe(canvas);
		this.#say();
	}
	attributeChangedCallback(name) {
		if (name !== "model") return;
		this.#model?.then((model) => model.dispose(), () => {});
		this.#model = null;
		if (this.#strokes.length) this.#read();
	}
	disconnectedCallback() {
		this.#model?.then((model) => model.dispose(), () => {});
		this.#model = null;
	}
	formResetCallback() {
		this.clear();
	}
	/** The strokes as they were drawn: points [x, y], y down, the pad being one unit wide. */
	get strokes() {
		return structuredClone(this.#strokes);
	}
	set strokes(strokes) {
		this.#strokes = structuredClone(strokes);
		this.#changed("change");
	}
	/** The digit that was read, or an empty text while nothing is drawn or the network is not sure. */
	get value() {
		return this.#prediction?.status === "sure" ? String(this.#prediction.class) : "";
	}
	get prediction() {
		return this.#prediction;
	}
	clear() {
		this.strokes = [];
	}
	undo() {
		this.strokes = this.#strokes.slice(0, -1);
	}
	#down(event) {
		if (this.#pointer !== null || event.button !== 0) return;
		this.#pointer = event.pointerId;
		this.#canvas.setPointerCapture(event.pointerId);
		this.#strokes.push([this.#at(event)]);
		this.#changed("input");
	}
	#move(event) {
		if (event.pointerId !== this.#pointer) return;
		const events = event.getCoalescedEvents?.() ?? [];
		for (const one of events.length ? events : [event]) this.#strokes.at(-1).push(this.#at(one));
		this.#changed("input");
	}
	#up(event) {
		if (event.pointerId !== this.#pointer) return;
		this.#pointer = null;
		this.#changed("change");
	}
	#key(event) {
		const arrow = ARROWS[event.key];
		if (arrow) {
			const step = (v, by) => Math.min(1, Math.max(0, v + by * STEP));
			this.#pen.at = [step(this.#pen.at[0], arrow[0]), step(this.#pen.at[1], arrow[1])];
			if (this.#pen.down) this.#strokes.at(-1).push([...this.#pen.at]);
		} else if (event.key === " ") {
			this.#pen.down = !this.#pen.down;
			if (this.#pen.down) this.#strokes.push([[...this.#pen.at]]);
		} else if (event.key === "Backspace") {
			this.#pen.down = false;
			this.#strokes.pop();
		} else return;
		event.preventDefault();
		this.#changed("change");
	}
	#at(event) {
		const box = this.#canvas.getBoundingClientRect();
		return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
	}
	#changed(event) {
		this.#paint();
		this.#read().then(() => this.dispatchEvent(new Event(event, {
			bubbles: true,
			composed: true
		})));
	}
	#paint() {
		const canvas = this.#canvas;
		const side = Math.max(1, Math.round(canvas.clientWidth * devicePixelRatio));
		if (canvas.width !== side) canvas.width = canvas.height = side;
		const context = canvas.getContext("2d");
		context.clearRect(0, 0, side, side);
		context.strokeStyle = context.fillStyle = getComputedStyle(this).color;
		[context.lineWidth, context.lineCap, context.lineJoin] = [
			side / 14,
			"round",
			"round"
		];
		for (const stroke of this.#strokes) {
			context.beginPath();
			stroke.forEach(([x, y], i) => i ? context.lineTo(x * side, y * side) : context.moveTo(x * side, y * side));
			if (stroke.length === 1) context.lineTo(stroke[0][0] * side, stroke[0][1] * side);
			context.stroke();
		}
		if (this.shadowRoot?.activeElement !== canvas) return;
		context.beginPath();
		context.arc(this.#pen.at[0] * side, this.#pen.at[1] * side, side / 60, 0, 7);
		context.fill();
	}
	/** Reads what is drawn; of several readings under way the newest counts. */
	async #read() {
		const asked = ++this.#asked;
		let [prediction, error] = [null, null];
		if (this.#strokes.length) try {
			this.#model ??= load(this.getAttribute("model") ?? "draw");
			prediction = await (await this.#model).predict({ strokes: this.#strokes });
		} catch (cause) {
			this.#model = null;
			error = cause;
		}
		if (asked !== this.#asked) return;
		this.#prediction = prediction;
		this.#internals.setFormValue(this.value);
		this.#say(error);
	}
	#say(error = null) {
		const { class: digit, probabilities, status } = this.#prediction ?? {};
		if (error) {
			this.#answer.textContent = error.message;
			this.dispatchEvent(new CustomEvent("error", { detail: error.message }));
		} else if (digit === void 0) this.#answer.textContent = "Nothing drawn";
		else if (status === "unsure") this.#answer.textContent = "Not sure";
		else this.#answer.textContent = `${digit} (${(100 * (probabilities?.[digit] ?? 0)).toFixed(0)} %)`;
	}
};
function button(label, press) {
	const element = document.createElement("button");
	[element.type, element.textContent] = ["button", label];
	element.setAttribute("part", label.toLowerCase());
	element.addEventListener("click", press);
	return element;
}
//#endregion
//#region www/lib/package/train-element.ts
const STYLE = `
  :host { display: inline-grid; gap: .5rem; inline-size: 20rem; font: 1rem/1.5 system-ui, sans-serif;
    --ink: var(--hitofude-ink, #16181d); --accent: var(--hitofude-accent, #c73e3a); --line: var(--hitofude-line, #ddd6c7);
    color: var(--ink); }
  :host([hidden]) { display: none; }
  svg { inline-size: 100%; block-size: 6rem; border: 1px solid var(--line); border-radius: 4px; box-sizing: border-box; }
  polyline { fill: none; stroke: var(--accent); stroke-width: 2; vector-effect: non-scaling-stroke; }
  button { min-block-size: 44px; font: inherit; color: inherit; background: none; border: 1px solid var(--line);
    border-radius: 4px; cursor: pointer; }
  button:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
  output { font-variant-numeric: tabular-nums; }
`;
var TrainElement = class extends HTMLElement {
	/** What learns. */
	model = null;
	/** What it learns from. */
	data = null;
	options = {};
	/** An epoch each. */
	reports = [];
	#button = document.createElement("button");
	#status = document.createElement("output");
	#line = document.createElementNS("http://www.w3.org/2000/svg", "polyline");
	#chart = document.createElementNS("http://www.w3.org/2000/svg", "svg");
	#running = null;
	constructor() {
		super();
		const root = this.attachShadow({
			mode: "open",
			delegatesFocus: true
		});
		const style = document.createElement("style");
		style.textContent = STYLE;
		this.#button.type = "button";
		this.#button.setAttribute("part", "start");
		this.#button.addEventListener("click", () => void (this.#running ? this.stop() : this.start()));
		this.#status.setAttribute("part", "status");
		this.#status.setAttribute("aria-live", "polite");
		this.#chart.setAttribute("part", "chart");
		this.#chart.setAttribute("role", "img");
		this.#chart.setAttribute("viewBox", "0 0 100 100");
		this.#chart.setAttribute("preserveAspectRatio", "none");
		this.#chart.append(this.#line);
		root.append(style, this.#button, this.#chart, this.#status);
		this.#show("Nothing learnt yet");
	}
	disconnectedCallback() {
		this.stop();
	}
	/** Learns until the last epoch; what went wrong is said and sent as an event. */
	async start() {
		if (this.#running) return;
		if (!this.model || !this.data) return this.#fail(/* @__PURE__ */ new Error("There is no model or no data yet"));
		this.#running = new AbortController();
		this.reports = [];
		const epochs = Number(this.getAttribute("epochs") ?? this.options.epochs ?? 10);
		this.#show("Learning");
		try {
			for await (const report of this.model.fit(this.data, {
				...this.options,
				epochs,
				signal: this.#running.signal
			})) {
				this.reports.push(report);
				const { accuracy } = report.validation ?? report;
				this.#show(`Epoch ${report.epoch} of ${epochs}: ${(100 * accuracy).toFixed(1)} % right`);
				this.dispatchEvent(new CustomEvent("report", { detail: report }));
			}
			this.dispatchEvent(new Event("done"));
		} catch (error) {
			if (!this.#running.signal.aborted) this.#fail(error);
		} finally {
			this.#running = null;
			this.#button.textContent = "Start";
		}
	}
	/** Ends the learning; what was learnt stays. */
	stop() {
		this.#running?.abort();
	}
	#fail(error) {
		this.#show(error.message);
		this.dispatchEvent(new CustomEvent("error", { detail: error.message }));
	}
	#show(status) {
		this.#button.textContent = this.#running ? "Stop" : "Start";
		this.#status.textContent = status;
		const losses = this.reports.map(({ loss }) => loss);
		const top = Math.max(...losses, 1e-9);
		const x = (i) => losses.length > 1 ? 100 * i / (losses.length - 1) : 0;
		this.#line.setAttribute("points", losses.map((loss, i) => `${x(i)},${100 - 95 * loss / top}`).join(" "));
		const last = losses.at(-1);
		this.#chart.setAttribute("aria-label", last === void 0 ? "Loss: no epoch yet" : `Loss after ${losses.length} epochs: ${last.toFixed(3)}`);
	}
};
//#endregion
//#region www/lib/package/elements.ts
for (const [name, element] of [["hitofude-pad", PadElement], ["hitofude-train", TrainElement]]) if (!customElements.get(name)) customElements.define(name, element);
//#endregion
export { PadElement, TrainElement };
