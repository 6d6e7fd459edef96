import { cellText, type Shape } from './xml.js';

/**
 * A text of a workbook (<si>, <is>): plain, or in runs that look differently. The readings of Japanese signs (<rPh>)
 * are no part of it. `take` gives what was gathered since the last time.
 */
export function richText(): { readonly shape: Shape; readonly take: () => string } {
  let gathered = '';
  const text: Shape = {
    text: true,
    close: (part) => {
      gathered += cellText(part);
    },
  };
  return {
    shape: {
      children: new Map<string, Shape>([
        ['t', text],
        ['r', { children: new Map([['t', text]]) }],
      ]),
    },
    take: () => {
      const all = gathered;
      gathered = '';
      return all;
    },
  };
}
