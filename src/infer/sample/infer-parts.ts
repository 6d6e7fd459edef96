import type { Decoder } from '../../core/decoder.js';
import type { FormatType } from '../../core/format.js';

/** What can open a sample: the formats and decoders of the registry. */
export interface InferParts {
  readonly formats: readonly FormatType[];
  readonly decoders: readonly Decoder[];
}
