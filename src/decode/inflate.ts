import { errnoOf } from '../base/errno.js';
import type { Gunzip, InflateRaw } from 'node:zlib';
import { messageOf, type TallymanError } from '../core/errors.js';
import type { Bytes } from '../core/format.js';

/** Input given to zlib in one go: an error is placed to this many bytes. */
const SLICE = 64 * 1024;
/** Output chunk. 256 KiB is what the CSV scanner reads at a time. */
export const OUTPUT = 256 * 1024;

export const CUT = 'is cut off: it ends';
export const BEHIND = 'holds other bytes behind its end';

/** What was met at which byte of the compressed bytes, for the message. */
export type Fault = (what: string, from: number, to: number) => TallymanError;

/**
 * Drives a zlib engine by hand: one slice in, wait until it is used up, the next. Pipes would read ahead and keep
 * chunks longer than core/format.ts lets them be kept. Node's Gunzip ends in silence at a zero byte between members, so
 * after each slice the bytes used must be the bytes given. At most one output chunk is ahead of the receiver, whatever
 * the ratio.
 */
export async function* inflate(engine: Gunzip | InflateRaw, input: Bytes, fault: Fault): AsyncGenerator<Buffer> {
  const place = { from: 0, to: 0 };
  // The iteration below tells the error; without a listener one that comes before it would end the process.
  engine.on('error', () => undefined);
  const closed = new Promise<void>((resolve) => engine.once('close', resolve));
  const feeding = feed(engine, input, place, closed, fault).then(
    () => null,
    (error: unknown) => {
      const failure = error instanceof Error ? error : new Error(messageOf(error));
      engine.destroy(failure);
      return failure;
    },
  );
  try {
    for await (const chunk of engine) {
      if (!Buffer.isBuffer(chunk)) throw new TypeError('zlib gave no bytes');
      yield chunk;
    }
    const failure = await feeding;
    if (failure !== null) throw failure;
  } catch (error) {
    if (!isZlibError(error)) throw error;
    if (error.code === 'Z_BUF_ERROR') throw fault(CUT, place.to, place.to);
    // The first header was looked at before: these bytes stand where another could.
    if (error.message === 'incorrect header check') throw fault(BEHIND, place.from, place.to);
    throw fault(`is damaged (${error.message})`, place.from, place.to);
  } finally {
    engine.destroy();
    await feeding;
  }
}

async function feed(
  engine: Gunzip | InflateRaw,
  input: Bytes,
  place: { from: number; to: number },
  closed: Promise<void>,
  fault: Fault,
): Promise<void> {
  for await (const chunk of input) {
    for (let at = 0; at < chunk.length; at += SLICE) {
      const slice = chunk.subarray(at, at + SLICE);
      place.from = place.to;
      place.to += slice.length;
      await Promise.race([written(engine, slice), closed]);
      if (engine.destroyed) return;
      if (engine.bytesWritten !== place.to) throw fault(BEHIND, engine.bytesWritten, engine.bytesWritten);
    }
  }
  engine.end();
}

/** Resolves when the slice is used up, or with the error that the receiver of the output will see. */
function written(engine: Gunzip | InflateRaw, slice: Buffer): Promise<void> {
  return new Promise((resolve) => {
    engine.write(slice, () => resolve());
  });
}

const isZlibError = (error: unknown): error is Error & { readonly code: string } => errnoOf(error).startsWith('Z_');

/** `at byte 17`, `between bytes 65,536 and 131,072`, for messages. */
export const placeOf = (from: number, to: number): string =>
  from === to ? `at byte ${from}` : `between bytes ${from} and ${to}`;
