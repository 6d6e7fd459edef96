import type { ColumnSpec } from '../core/feed/columns.js';

/** A column that nobody wrote more about: the cell as it stands. `from`: a name in the file, or a position from 1. */
export function plainColumn(name: string, from: string | number, type: string): ColumnSpec {
  return {
    name,
    from: [from],
    type,
    required: false,
    unique: false,
    default: null,
    trim: false,
    formats: [],
    timezone: null,
    locale: null,
    decimal: '.',
    thousands: null,
    negative: null,
    currency: [],
    percent: null,
    round: false,
    trueValues: null,
    falseValues: null,
    min: null,
    max: null,
    minLength: null,
    maxLength: null,
    pattern: null,
    enum: null,
    start: null,
    width: null,
  };
}
