/** A scene, and what is true of it in both languages. */
export type ToldScene = ScenePicture & { en: string; ja: string };

/** A sentence about a picture: its words with their probabilities, and how much each cell was looked at for each. */
export type SaidSentence = {
  text: string;
  probability: number;
  words: { text: string; probability: number; looks: Float32Array<ArrayBuffer> }[];
};

/** What was written: the best sentence first; every word that was among the best of its step, with the one before it; an empty one ends. */
export type Captioned = {
  sentences: SaidSentence[];
  tree: { text: string; before: number | null; probability: number; depth: number }[];
  /** Columns and rows of cells that are looked at. */
  cells: number;
};
