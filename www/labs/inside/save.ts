// Pictures to take away.

/** The width of a saved picture, at least. */
const WIDTH = 112;

/** Saves pictures of one size under each other; small ones are enlarged. */
export function savePictures(name: string, pictures: ImageData[]): void {
  const [width, height] = [pictures[0]?.width ?? 0, pictures.reduce((sum, { height }) => sum + height, 0)];
  const small = document.createElement('canvas');
  [small.width, small.height] = [width, height];
  pictures.forEach((picture, i) => small.getContext('2d')?.putImageData(picture, 0, i * picture.height));
  const scale = Math.max(1, Math.round(WIDTH / width));
  const large = document.createElement('canvas');
  [large.width, large.height] = [scale * width, scale * height];
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
