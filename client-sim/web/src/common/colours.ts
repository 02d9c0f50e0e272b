/** One vivid colour per seat, told apart as well as so many can be: hues a golden angle from each other. */
const GOLDEN_ANGLE_DEG = 137.508;
const FIRST_HUE_DEG = 168;

/** Hue of the colour with this index, in degrees. */
export function hueOf(index: number): number {
  return (FIRST_HUE_DEG + index * GOLDEN_ANGLE_DEG) % 360;
}

/**
 * @param lightness in percent
 * @param alpha from 0 to 1
 */
export function colourOf(index: number, lightness = 64, alpha = 1): string {
  return `hsl(${hueOf(index).toFixed(1)} 92% ${lightness}% / ${alpha})`;
}
