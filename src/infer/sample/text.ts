import { toUtf8 } from '../../decode/charset/charset.js';
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
  let encoding = guessEncoding(sample.head, sample.whole);
  // All of the head may be ASCII, and the first umlaut come late.
  const late =
    encoding.label === 'utf-8'
      ? sample.parts.find((part) => guessEncoding(aligned(part), false).label !== 'utf-8')
      : undefined;
  if (late !== undefined) encoding = guessEncoding(Buffer.concat([sample.head, late]), false);
  const head = await decoded(sample.head, encoding.label);
  const readable = encoding.label === 'utf-8' || encoding.label.startsWith('windows-');
  const parts: Buffer[] = [];
  for (const part of readable ? sample.parts : [])
    parts.push(encoding.label === 'utf-8' ? part : await decoded(part, encoding.label));
  return { sample, encoding, head, whole: sample.whole, parts };
}

/** From the first byte that begins a character. */
function aligned(part: Buffer): Buffer {
  let at = 0;
  while (at < 4 && at < part.length && (part[at]! & 0xc0) === 0x80) at++;
  return part.subarray(at);
}

async function decoded(bytes: Buffer, label: string): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of (await toUtf8(once(bytes), label)).bytes) chunks.push(Buffer.from(chunk));
  const all = Buffer.concat(chunks);
  return all[0] === 0xef && all[1] === 0xbb && all[2] === 0xbf ? all.subarray(3) : all;
}
