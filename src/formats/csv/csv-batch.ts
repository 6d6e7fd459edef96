import { PlainBatch } from '../plain-batch.js';
import { unescaperOf, type Dialect } from './dialect.js';

/** A batch of CSV records: cells are unescaped as the dialect says. `capacity`: most rows. */
export class CsvBatch extends PlainBatch {
  constructor(dialect: Dialect, width: number, capacity?: number) {
    super(width, capacity, unescaperOf(dialect));
  }
}
