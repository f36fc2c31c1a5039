/** Colours for what is drawn on a canvas: those of the style sheet, which has a set for light and one for dark. */
import { signal } from '@preact/signals';

const isLight = matchMedia('(prefers-color-scheme: light)');

/** Turns over with the page's theme, so that plots know when to draw anew. */
export const theme = signal(isLight.matches ? 'light' : 'dark');
isLight.addEventListener('change', () => {
  theme.value = isLight.matches ? 'light' : 'dark';
});

/** Of a custom property, as `--quiet`. */
export const colourOf = (property: string): string => getComputedStyle(document.documentElement).getPropertyValue(property).trim();

/** How many series can be told apart by their colour; what comes after them is drawn as one, in `--rest`. */
export const DISTINCT = 7;

/** The custom property of the n-th series. */
export const seriesColour = (n: number): string => (n < DISTINCT ? `--series-${n + 1}` : '--rest');
