/** A colour picture: red, green, blue and alpha of each pixel. */
export type ScenePicture = { width: number; height: number; data: Uint8ClampedArray };

/** A scene that was drawn: its digits from the lowest to the topmost, boxes in pixels, and for each pixel 0 for paper or 1 more than its digit. */
export type DrawnScene = ScenePicture & {
  labels: Uint8Array<ArrayBuffer>;
  things: { digit: number; box: [x0: number, y0: number, x1: number, y1: number] }[];
};

/** A sheet that strokes were drawn on: pixels for one of their units, and their coordinates of its left top corner. */
export type WrittenSheet = ScenePicture & { scale: number; origin: [x: number, y: number] };

/** A digit that was found: how sure that is, and its box in the picture's pixels. */
export type FoundDigit = { digit: number; score: number; box: [x0: number, y0: number, x1: number, y1: number] };

/** The regions on the way to an answer, the likeliest first; boxes of four numbers each, in the picture's pixels. */
export type SeenRegions = {
  regions: Float32Array<ArrayBuffer>;
  /** How likely each holds a digit. */
  scores: Float32Array<ArrayBuffer>;
  /** Where its likeliest digit lies, and which it is. */
  refined: Float32Array<ArrayBuffer>;
  digits: number[];
};

/** What a step of a detector's training came to: its number, and the loss of a scene. */
export type DetectorStep = { steps: number; loss: number };
