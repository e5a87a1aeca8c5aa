// Pictures to take away.

/** Saves grey pictures that stand under each other, 0 paper to 1 ink, four pixels for each number. */
export function savePicture(name: string, pixels: ArrayLike<number>, width: number, height: number): void {
  const image = new ImageData(width, height);
  for (let i = 0; i < width * height; i++) image.data.set([...Array(3).fill(255 * (1 - (pixels[i] ?? 0))), 255], 4 * i);
  const small = document.createElement('canvas');
  [small.width, small.height] = [width, height];
  small.getContext('2d')?.putImageData(image, 0, 0);
  const large = document.createElement('canvas');
  [large.width, large.height] = [4 * width, 4 * height];
  const context = large.getContext('2d');
  if (!context) return;
  context.imageSmoothingEnabled = false;
  context.drawImage(small, 0, 0, large.width, large.height);
  saveCanvas(name, large);
}

export function saveCanvas(name: string, canvas: HTMLCanvasElement): void {
  canvas.toBlob((blob) => {
    if (!blob) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(blob);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
