import type { Component } from 'svelte';
import Draw from './draw/Draw.svelte';

/** A lab: its name in the rail and in the URL, the path of its 24 × 24 icon, and its view, fetched when it opens. */
export type Lab = { id: string; title: string; icon: string; view: () => Promise<{ default: Component }> };

/** The labs that exist, in the order of the rail; the first one opens. */
export const labs: [Lab, ...Lab[]] = [
  {
    id: 'draw',
    title: 'Draw',
    icon: 'M4 20c1-4 3-6 5-6s3 1.3 3 3-2 3-8 3zM11.5 13.5 19 4.5c.7-.8 2-.2 1.5 1L14 15',
    // The first one comes with the page.
    view: async () => ({ default: Draw }),
  },
  {
    id: 'inside',
    title: 'Inside',
    icon: 'M3 12c5-8 13-8 18 0-5 8-13 8-18 0zM12 8.5a3.5 3.5 0 1 0 .01 0z',
    view: () => import('./inside/Inside.svelte'),
  },
  {
    id: 'train',
    title: 'Train',
    icon: 'M4 4v16h16M7 8c2 6 5 8 12 8.5',
    view: () => import('./train/Train.svelte'),
  },
  {
    id: 'style',
    title: 'Style',
    icon: 'M12 3.5c5.5 0 9 3.3 9 7.3 0 3-2.2 4.2-4.6 4.2h-1.6c-1.6 0-2 1.2-1.3 2.3.8 1.4 0 3.2-1.8 3.2-5 0-8.7-3.7-8.7-8.5s3.8-8.5 9-8.5zM7.5 11h.01M11 7.5h.01M15.5 8.5h.01',
    view: () => import('./style/Style.svelte'),
  },
  {
    id: 'zoo',
    title: 'Zoo',
    icon: 'M5 6h4v4H5zM5 15h4v4H5zM15 10.5h4v4h-4zM9 8c4 0 2 4.7 6 4.7M9 17c4 0 2-4.3 6-4.3',
    view: () => import('./zoo/Zoo.svelte'),
  },
  {
    id: 'model',
    title: 'Your model',
    icon: 'M12 3v11M8 7l4-4 4 4M4 13v7h16v-7',
    view: () => import('./model/Model.svelte'),
  },
  {
    id: 'bench',
    title: 'Bench',
    icon: 'M4 20h16M6 20v-6h3v6M11 20V9h3v11M16 20V4h3v16',
    view: () => import('./bench/Bench.svelte'),
  },
];
