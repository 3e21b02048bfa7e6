/** Pieces of a plot. Pure. */

/** @param words plain text without `<` and `&` */
export function svgText(x: number, y: number, words: string, anchor: string, color: string): string {
  return `<text x="${svgNumber(x)}" y="${svgNumber(y)}" text-anchor="${anchor}" fill="${color}">${words}</text>`;
}

/** A tenth of a pixel is seen by nobody. */
export function svgNumber(coordinate: number): string {
  return coordinate.toFixed(1);
}
