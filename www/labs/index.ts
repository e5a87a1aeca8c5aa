import type { Component } from 'svelte';
import { load as benchTexts } from '../texts/bench';
import { load as deviceTexts } from '../texts/device';
import { load as drawTexts } from '../texts/draw';
import { load as generateTexts } from '../texts/generate';
import { load as insideTexts } from '../texts/inside';
import { load as modelTexts } from '../texts/model';
import { load as playTexts } from '../texts/play';
import { load as precisionTexts } from '../texts/precision';
import { load as scenesTexts } from '../texts/scenes';
import { load as togetherTexts } from '../texts/together';
import { m } from '../texts/shell';
import { load as styleTexts } from '../texts/style';
import { load as zooTexts } from '../texts/zoo';
import { load as trainTexts } from '../texts/train';
import Draw from './draw/Draw.svelte';

/** The groups of the rail, in their order. */
export const GROUPS = ['see', 'learn', 'make', 'use'] as const;
export type Group = (typeof GROUPS)[number];

/**
 * A lab: its name in the address, its group in the rail, what it is called and the line below that (from the shell's
 * messages), the path of its 24 × 24 icon, and its view, fetched, behind its texts, when it opens.
 */
export type Lab = {
  id: string;
  group: Group;
  name: () => string;
  line: () => string;
  icon: string;
  view: () => Promise<{ default: Component }>;
};

/** The labs that exist, in the order of the rail; the first one opens. */
export const labs: [Lab, ...Lab[]] = [
  {
    id: 'draw',
    group: 'see',
    name: () => m.lab_draw(),
    line: () => m.lab_draw_line(),
    icon: 'M4 20c1-4 3-6 5-6s3 1.3 3 3-2 3-8 3zM11.5 13.5 19 4.5c.7-.8 2-.2 1.5 1L14 15',
    // The first one comes with the page.
    view: () => drawTexts().then(() => ({ default: Draw })),
  },
  {
    id: 'inside',
    group: 'see',
    name: () => m.lab_inside(),
    line: () => m.lab_inside_line(),
    icon: 'M3 12c5-8 13-8 18 0-5 8-13 8-18 0zM12 8.5a3.5 3.5 0 1 0 .01 0z',
    // It feeds models as Your model does.
    view: () => Promise.all([insideTexts(), modelTexts()]).then(() => import('./inside/Inside.svelte')),
  },
  {
    id: 'zoo',
    group: 'see',
    name: () => m.lab_zoo(),
    line: () => m.lab_zoo_line(),
    icon: 'M5 6h4v4H5zM5 15h4v4H5zM15 10.5h4v4h-4zM9 8c4 0 2 4.7 6 4.7M9 17c4 0 2-4.3 6-4.3',
    view: () => zooTexts().then(() => import('./zoo/Zoo.svelte')),
  },
  {
    id: 'train',
    group: 'learn',
    name: () => m.lab_train(),
    line: () => m.lab_train_line(),
    icon: 'M4 4v16h16M7 8c2 6 5 8 12 8.5',
    // Whoever follows an invitation computes for a training elsewhere and has none here.
    view: () =>
      Promise.all([deviceTexts(), togetherTexts(), trainTexts()]).then(() =>
        location.hash.startsWith('#join=') ? import('./train/together/Join.svelte') : import('./train/Train.svelte'),
      ),
  },
  {
    id: 'precision',
    group: 'learn',
    name: () => m.lab_precision(),
    line: () => m.lab_precision_line(),
    icon: 'M4 5h16M4 5v14M20 5v14M7 9h3v3H7zM14 9h3M7 16h3M14 15h3v3h-3z',
    view: () => precisionTexts().then(() => import('./precision/Precision.svelte')),
  },
  {
    id: 'style',
    group: 'make',
    name: () => m.lab_style(),
    line: () => m.lab_style_line(),
    icon: 'M12 3.5c5.5 0 9 3.3 9 7.3 0 3-2.2 4.2-4.6 4.2h-1.6c-1.6 0-2 1.2-1.3 2.3.8 1.4 0 3.2-1.8 3.2-5 0-8.7-3.7-8.7-8.5s3.8-8.5 9-8.5zM7.5 11h.01M11 7.5h.01M15.5 8.5h.01',
    view: () => styleTexts().then(() => import('./style/Style.svelte')),
  },
  {
    id: 'generate',
    group: 'make',
    name: () => m.lab_generate(),
    line: () => m.lab_generate_line(),
    icon: 'M4 17c3-1 4-9 7-9s2 8 5 8 3-3 4-6M6 5h.01M18 5h.01M12 20h.01',
    view: () => generateTexts().then(() => import('./generate/Generate.svelte')),
  },
  {
    id: 'play',
    group: 'make',
    name: () => m.lab_play(),
    line: () => m.lab_play_line(),
    icon: 'M4 5h16v14H4zM8 15h4M14.5 9h.01',
    view: () => playTexts().then(() => import('./play/Play.svelte')),
  },
  {
    id: 'scenes',
    group: 'use',
    name: () => m.lab_scenes(),
    line: () => m.lab_scenes_line(),
    icon: 'M4 5h9v8H4zM15 9h5v5h-5zM7 16h6v4H7z',
    view: () => scenesTexts().then(() => import('./scenes/Scenes.svelte')),
  },
  {
    id: 'model',
    group: 'use',
    name: () => m.lab_model(),
    line: () => m.lab_model_line(),
    icon: 'M12 3v11M8 7l4-4 4 4M4 13v7h16v-7',
    view: () => modelTexts().then(() => import('./model/Model.svelte')),
  },
  {
    id: 'bench',
    group: 'use',
    name: () => m.lab_bench(),
    line: () => m.lab_bench_line(),
    icon: 'M4 20h16M6 20v-6h3v6M11 20V9h3v11M16 20V4h3v16',
    view: () => benchTexts().then(() => import('./bench/Bench.svelte')),
  },
];
