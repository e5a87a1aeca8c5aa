// The lab's state: what has been chosen, what the network makes of it, and the address that carries both.

import { untrack } from 'svelte';
import { headerOf } from '../../lib/safetensors';
import { keepPictures, keptModel, keptPictures, listPictures, type Kept } from '../../lib/store';
import type { Build, Claim, LayerKind, Outline } from '../../lib/types';
import type { Pictures } from '../../worker/train/protocol';
import { choicesFrom, choicesInto, DEFAULTS, setupOf, settingsOf, type Choices } from './choices';
import { decode, describe, edited, encode, NETWORKS, thawed, type EditedLayer } from './layers';
import { DIGITS } from './pictures';
import { presetsOf, type Preset } from './presets';
import { Training } from './training.svelte';

/** Digits that the generator makes, to learn from and to choose by: about a millisecond each. */
const MADE = { seed: 1, train: 2000, validation: 400 };

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

  readonly fits = $derived(this.outline !== undefined && !this.outline.fault);

  /** Whether a training is under way, so that its setup must stay. */
  get locked(): boolean {
    return this.training.step > 0 || this.training.status === 'running';
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
    this.edit(layers());
  }

  async take(kept: Kept | null): Promise<void> {
    this.kept = kept;
    this.missing = '';
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
      if (!this.kept) this.missing = key;
    }
    this.layers = decode(query.get('net') ?? '', this.kinds) ?? NETWORKS.small!.make();
    if (query.get('model') === 'own') await this.#takeOwn();
    this.earlier = await listPictures().catch(() => []);
  }

  /** Takes over the model that the lab for models from elsewhere has passed on. */
  async #takeOwn(): Promise<void> {
    const kept = await keptModel().catch(() => undefined);
    const network = kept && (await headerOf(new Blob([kept.file])))?.metadata?.network;
    const layers = network && edited(network);
    if (!kept) this.ownFault = 'The model is no longer in this browser: open it again in Your model.';
    else if (!layers) this.ownFault = `${kept.name} branches in a way that this lab cannot draw; in JavaScript it trains all the same.`;
    else [this.layers, this.own] = [layers, { name: kept.name, file: kept.file, network: encode(layers) }];
  }

  /** Writes everything that decides the weights into the address; defaults stay out of it. */
  #write(): void {
    const url = new URL(location.href);
    choicesInto(url.searchParams, this.choices);
    const net = encode(this.layers);
    if (net === encode(NETWORKS.small!.make())) url.searchParams.delete('net');
    else url.searchParams.set('net', net);
    if (this.kept) url.searchParams.set('data', this.kept.key);
    else url.searchParams.delete('data');
    history.replaceState(null, '', url);
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
    // Another place is another training.
    void this.training.wanted;
    const begun = weights ? ` from ${this.own?.name} ${weights.length}` : '';
    const fit = this.fits && !this.missing;
    // Until then a start would be one of what was set before.
    if (!untrack(() => this.locked)) this.training.status = 'starting';
    const timer = setTimeout(() => {
      if (!fit || untrack(() => this.locked)) return;
      void this.training.open(setup, $state.snapshot(pictures) as Pictures, workers, `${pictures.key} ${setup}${begun}`, weights);
    }, 150);
    return () => clearTimeout(timer);
  }
}
