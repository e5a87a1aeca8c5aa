// Numbers as colours: activations run from paper to ink, signed values from indigo over paper to vermilion.

import { theme } from './theme.svelte';

type Colour = [number, number, number];

/** 256 colours, each packed as the little-endian RGBA word that image data wants. */
export type Ramp = Uint32Array;

function token(name: string): Colour {
  const text = getComputedStyle(document.documentElement).getPropertyValue(name);
  const [r = 0, g = 0, b = 0] = (text.match(/[\d.]+/g) ?? []).map(Number);
  return [r, g, b];
}

function ramp(colour: (t: number) => Colour): Ramp {
  return Uint32Array.from({ length: 256 }, (_, i) => {
    const [r, g, b] = colour(i / 255).map(Math.round) as Colour;
    return (0xff000000 | (b << 16) | (g << 8) | r) >>> 0;
  });
}

const mix = (from: Colour, to: Colour, t: number) => from.map((c, i) => c + ((to[i] ?? 0) - c) * t) as Colour;

class Palette {
  readonly #colours = $derived.by(() => {
    // Read again whenever the theme turns.
    void theme.dark;
    const [paper, ink, indigo, vermilion] = ['--paper', '--ink', '--indigo', '--vermilion'].map(token) as [
      Colour, Colour, Colour, Colour,
    ];
    return {
      activation: ramp((t) => mix(paper, ink, t)),
      signed: ramp((t) => (t < 0.5 ? mix(indigo, paper, 2 * t) : mix(paper, vermilion, 2 * t - 1))),
    };
  });

  get activation(): Ramp {
    return this.#colours.activation;
  }

  get signed(): Ramp {
    return this.#colours.signed;
  }
}

export const palette = new Palette();
