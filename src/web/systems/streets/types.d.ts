/** A class of pixels, and the colour that masks show it in. */
export type PixelClass = { name: string; colour: [red: number, green: number, blue: number] };

export type Weather = 'day' | 'dusk' | 'night' | 'rain' | 'fog' | 'low_sun';

/** A view from a car, and the class of each of its pixels. */
export type StreetView = ScenePicture & { truth: Uint8Array<ArrayBuffer> };

/** The class of each pixel of a picture, by one of a network's answers. */
export type PixelMask = { name: string; classes: Uint8Array<ArrayBuffer> };
