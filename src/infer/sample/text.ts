import { charsetOf } from '../../decode/charset/charset-names.js';
import { toUtf8 } from '../../decode/charset/charset.js';
import { dosEnd } from '../../formats/dos-end.js';
import { once } from './cells.js';
import { guessEncoding, type EncodingGuess } from './encoding.js';
import type { Sample } from './sample.js';

/** A sample as UTF-8, without a byte order mark. */
export interface SampledText {
  readonly sample: Sample;
  readonly encoding: EncodingGuess;
  readonly head: Buffer;
  readonly whole: boolean;
  readonly parts: readonly Buffer[];
}

/**
 * Decodes the sample by what its bytes look like. Parts of a file in an encoding of several bytes are left out: nobody
 * knows where its characters begin.
 */
export async function sampledText(sample: Sample): Promise<SampledText> {
  const encoding = guessEncoding(sample);
  const head = await decoded(sample.head, encoding.label, sample.whole);
  const readable = encoding.label === 'utf-8' || charsetOf(encoding.label)?.kind === 'single-byte';
  const parts: Buffer[] = [];
  for (const [index, part] of (readable ? sample.parts : []).entries())
    parts.push(await decoded(part, encoding.label, index === sample.parts.length - 1));
  return { sample, encoding, head, whole: sample.whole, parts };
}

/** `last`: the bytes end with the file, perhaps with the mark that DOS programs end it with. */
async function decoded(bytes: Buffer, label: string, last: boolean): Promise<Buffer> {
  const all = label === 'utf-8' ? bytes : await transcoded(bytes, label);
  const from = all[0] === 0xef && all[1] === 0xbb && all[2] === 0xbf ? 3 : 0;
  const end = last ? dosEnd(all) : -1;
  return all.subarray(from, end < 0 ? all.length : end);
}

async function transcoded(bytes: Buffer, label: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await toUtf8(once(bytes), label)).bytes) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}
