import type { Batch } from '../../core/batch.js';
import type { CopyBuffer } from '../../core/codec.js';
import type { EncoderPlan, RowSink } from './encoder-plan.js';
import { RowEncoder } from './row-encoder.js';
import { VectorEncoder } from '../vectors/vector-encoder.js';

/** The row loop over batches of either kind; see RowEncoder for what its members promise. */
export class BatchEncoder {
  readonly #plan: EncoderPlan;
  #rows: RowEncoder | null = null;
  #vectors: VectorEncoder | null = null;
  #last: RowEncoder | VectorEncoder | null = null;

  constructor(plan: EncoderPlan) {
    this.#plan = plan;
  }

  encode(batch: Batch, from: number, to: number, out: CopyBuffer, sink: RowSink, flushAt?: number): number {
    if (batch.kind === 'spans') {
      this.#last = this.#rows ??= new RowEncoder(this.#plan);
      return this.#rows.encode(batch, from, to, out, sink, flushAt);
    }
    this.#last = this.#vectors ??= new VectorEncoder(this.#plan);
    return this.#vectors.encode(batch, from, to, out, sink, flushAt);
  }

  get nextRow(): number {
    return this.#last?.nextRow ?? 0;
  }

  get tracked(): number {
    return this.#last?.tracked ?? 0;
  }

  get trackedStarts(): Int32Array {
    return this.#last?.trackedStarts ?? NONE;
  }

  get trackedRows(): Int32Array {
    return this.#last?.trackedRows ?? NONE;
  }
}

const NONE = new Int32Array(0);
