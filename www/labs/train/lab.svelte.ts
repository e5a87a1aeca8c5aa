// The lab's state: what has been chosen, what the network makes of it, and the address that carries both.

import { untrack } from 'svelte';
import { headerOf } from '../../lib/safetensors';
import { keepPictures, keptModel, keptPictures, listPictures, type Kept } from '../../lib/store';
import type { Build, Claim, LayerKind, Outline } from '../../lib/types';
import { m } from '../../texts/train';
import type { Pictures } from '../../worker/train/protocol';
import { choicesFrom, choicesInto, DEFAULTS, setupOf, settingsOf, type Choices } from './choices';
import { decode, describe, edited, encode, fitted, NETWORKS, thawed, type EditedLayer } from './layers';
import { DIGITS } from './pictures';
import { presetsOf, type Preset } from './presets';
import { Training } from './training.svelte';

/** Digits that the generator makes, to learn from, to choose by, and for the test: about a millisecond each. */
const MADE = { seed: 1, train: 2000, validation: 400, test: 500 };
/** So many pictures and more are taken for MNIST, which the sources' experiments are meant for. */
const MANY = 50_000;

export class Lab {
  readonly training: Training;
  choices = $state.raw<Choices>(DEFAULTS);
  layers = $state.raw<EditedLayer[]>([]);
  kinds = $state.raw<LayerKind[]>([]);
  presets = $state.raw<Preset[]>([]);
  claims = $state.raw<Claim[]>([]);
  outline = $state.raw<Outline>();
  /** Pictures from files; null stands for the generator. */
  kept = $state.raw<Kept | null>(null);
  /** What a person has typed that is none of a choice's values, and why. */
  wrong = $state.raw<Record<string, string>>({});
  /** The pictures that have been looked at: the network is described for their shape. */
  looked = $state('');
  /** The pictures that the address asks for and that are not here. */
  missing = $state('');
  earlier = $state.raw<{ key: string; name: string }[]>([]);
  /** A model from elsewhere to begin with, and its network as the editor has it; or why there is none. */
  own = $state.raw<{ name: string; file: Uint8Array; network: string }>();
  ownFault = $state('');
  workers = $state(Math.min(4, Math.max(1, (navigator.hardwareConcurrency || 2) - 1)));

  constructor(build: Build) {
    this.training = new Training(build);
    void this.#begin();
    $effect(() => this.#look());
    $effect(() => this.#describe());
    $effect(() => this.#open());
  }

  get classes(): string[] {
    return this.kept?.classes ?? DIGITS;
  }

  get input(): [number, number, number] {
    return this.training.about?.shape ?? [1, 28, 28];
  }

  readonly pictures: Pictures = $derived.by(() =>
    this.kept ? { key: this.kept.key, files: this.kept.files, classes: this.kept.classes.length } : { key: 'generator', generator: MADE },
  );

  // As text, so that what has not changed starts nothing anew.
  readonly setup = $derived(setupOf(this.choices, this.layers, this.input));
  readonly #network = $derived(JSON.stringify(describe(this.layers, this.input)));

  /** The weights to begin with, as long as the network is theirs. */
  readonly weights: Uint8Array | undefined = $derived(this.own && this.own.network === encode(thawed(this.layers)) ? this.own.file : undefined);

  /** The shape of the network's answer, where it is no score for each class. */
  readonly misfit: string | undefined = $derived.by(() => {
    const shape = this.outline?.fault ? undefined : this.outline?.layers.at(-1)?.shape;
    const fit = shape && shape[0] === this.classes.length && shape[1] === 1 && shape[2] === 1;
    return shape && !fit ? (shape[1] === 1 && shape[2] === 1 ? String(shape[0]) : shape.join(' × ')) : undefined;
  });

  readonly fits = $derived(this.outline !== undefined && !this.outline.fault && !this.misfit);

  /** The preset that the choices are, whatever the seed, and the network of the list; empty for others. */
  readonly preset: string = $derived.by(() => {
    const net = encode(this.layers);
    const same = (own: Choices) => Object.keys(DEFAULTS).every((key) => key === 'seed' || (own[key] ?? DEFAULTS[key]) === this.choices[key]);
    return this.presets.find(({ choices, layers }) => same(choices) && encode(fitted(layers(), this.classes.length)) === net)?.title ?? '';
  });
  readonly network: string = $derived.by(() => {
    const net = encode(this.layers);
    return Object.keys(NETWORKS).find((key) => encode(fitted(NETWORKS[key]!.make(), this.classes.length)) === net) ?? '';
  });

  /** Whether the pictures are as many as MNIST's. */
  get many(): boolean {
    return (this.training.about?.train.length ?? 0) >= MANY;
  }

  /** Whether a training is under way, so that its setup must stay. */
  get locked(): boolean {
    return this.training.step > 0 || this.training.status === 'running';
  }

  /** Notes what was typed and is no value of a choice, or that it is one again. */
  refuse(key: string, why: string): void {
    const { [key]: _, ...others } = this.wrong;
    this.wrong = why ? { ...others, [key]: why } : others;
  }

  choose(key: string, value: number | string): void {
    const more = key === 'optimiser' ? settingsOf(String(value)) : { [key]: value };
    this.choices = { ...this.choices, ...more };
    this.#write();
  }

  edit(layers: EditedLayer[]): void {
    this.layers = layers;
    this.#write();
  }

  apply({ choices, layers }: Preset): void {
    this.choices = { ...DEFAULTS, ...choices };
    this.wrong = {};
    this.edit(fitted(layers(), this.classes.length));
  }

  async take(kept: Kept | null): Promise<void> {
    this.kept = kept;
    this.missing = '';
    this.layers = fitted(this.layers, this.classes.length);
    this.#write();
    if (!kept) return;
    await keepPictures(kept).catch(() => {});
    this.earlier = await listPictures().catch(() => []);
  }

  async takeEarlier(key: string): Promise<void> {
    const kept = await keptPictures(key).catch(() => undefined);
    if (kept) await this.take(kept);
  }

  async #begin(): Promise<void> {
    const query = new URLSearchParams(location.search);
    await this.training.started();
    this.kinds = (await this.training.desk?.kinds()) ?? [];
    this.presets = presetsOf((await this.training.desk?.presets()) ?? []);
    this.claims = (await this.training.desk?.claims()) ?? [];
    this.choices = choicesFrom(query);
    const key = query.get('data');
    if (key) {
      this.kept = (await keptPictures(key).catch(() => undefined)) ?? null;
      if (!this.kept) this.missing = query.get('from') ?? key;
    }
    this.layers = decode(query.get('net') ?? '', this.kinds) ?? fitted(NETWORKS.small!.make(), this.classes.length);
    if (query.get('model') === 'own') await this.#takeOwn();
    this.earlier = await listPictures().catch(() => []);
  }

  /** Takes over the model that the lab for models from elsewhere has passed on. */
  async #takeOwn(): Promise<void> {
    const kept = await keptModel().catch(() => undefined);
    const network = kept && (await headerOf(new Blob([kept.file])))?.metadata?.network;
    const layers = network && edited(network);
    if (!kept) this.ownFault = m.own_gone();
    else if (!layers) this.ownFault = m.own_branches({ name: kept.name });
    else [this.layers, this.own] = [layers, { name: kept.name, file: kept.file, network: encode(layers) }];
  }

  /** Writes everything that decides the weights into the address; defaults stay out of it. */
  #write(): void {
    this.training.wanted = false;
    const url = new URL(location.href);
    choicesInto(url.searchParams, this.choices);
    const net = encode(this.layers);
    if (net === encode(fitted(NETWORKS.small!.make(), this.classes.length))) url.searchParams.delete('net');
    else url.searchParams.set('net', net);
    for (const [name, value] of [['data', this.kept?.key], ['from', this.kept?.name]] as const) {
      if (value) url.searchParams.set(name, value);
      else url.searchParams.delete(name);
    }
    history.replaceState(null, '', url);
  }

  /** Learns what the pictures are before a network is made for them. */
  #look(): () => void {
    const pictures = this.pictures;
    let current = true;
    const see = async () => {
      await this.training.started();
      const about = await this.training.desk?.look(pictures).catch(() => undefined);
      if (!current) return;
      // What cannot be opened is said when the training is set up.
      if (about) this.training.about = about;
      this.looked = pictures.key;
    };
    void untrack(see);
    return () => (current = false);
  }

  #describe(): () => void {
    const text = this.#network;
    let current = true;
    if (untrack(() => this.layers.length)) {
      void untrack(() => this.training.desk?.outline(text))?.then(
        (outline) => current && (this.outline = outline),
        () => {},
      );
    }
    return () => (current = false);
  }

  /** Sets the training up whenever the setup has changed and has no fault, a moment after the last change. */
  #open(): () => void {
    const { setup, pictures, workers, weights } = this;
    // With a GPU it is another training, and kept as one: its weights are not those that wasm comes to.
    const place = this.training.place === 'wasm' ? '' : ' on a GPU';
    const begun = weights ? ` from ${this.own?.name} ${weights.length}` : '';
    const fit = this.fits && !this.missing && this.looked === pictures.key;
    // Until then a start would be one of what was set before.
    if (!untrack(() => this.locked)) this.training.status = 'starting';
    const timer = setTimeout(() => {
      if (!fit || untrack(() => this.locked)) return;
      void this.training.open(setup, $state.snapshot(pictures) as Pictures, workers, `${pictures.key} ${setup}${begun}${place}`, weights);
    }, 150);
    return () => clearTimeout(timer);
  }
}
