import type { FormatType } from '../../core/format.js';
import { isFoundOut } from '../text-options.js';
import { jsonOptions, type JsonOptions } from './options.js';

export type { JsonOptions } from './options.js';

/** Objects, one a line, in one array, or one after another (docs/spec/rows-and-values.md#json). */
export const json: FormatType<JsonOptions> = {
  type: 'json',
  options: jsonOptions,
  unknownColumn: 'ignore',
  access: 'stream',
  emptyIsValid: true,
  text: ({ encoding, shape }) => ({
    encoding,
    skipLines: 0,
    comment: null,
    // A text in JSON holds no line end, so that quotes need no counting to tell where a record ends.
    quote: null,
    escape: null,
    found: [...(isFoundOut(encoding) ? ['encoding'] : []), ...(shape === 'auto' ? ['shape'] : []), 'bom'],
    // An array or an object that is cut off is seen as such.
    inLines: (told) => told['shape'] === 'lines',
  }),
  open: async (input, options) => {
    const { openJson } = await import('./open.js');
    return await openJson(input, options);
  },
};
