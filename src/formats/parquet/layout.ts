import type { VectorType } from '../../core/batch.js';

/**
 * How vectors lie in a frame. ROWS: rows (u32), columns (u32), then each vector: 1 when a validity mask follows (u32),
 * extra (u32); the mask, a bit a row; then by type
 *
 * - fixed width: the values
 * - texts: row + 1 offsets (u32), then the bytes, `extra` of them
 * - list: row + 1 offsets, then the vector of its `extra` items; map: the same with the vectors of keys and values
 * - struct: the vectors of its fields
 *
 * Every part begins at a multiple of 8.
 */
export function widthOf(type: VectorType): number {
  switch (type.kind) {
    case 'bool':
      return 1;
    case 'int':
    case 'decimal':
      return type.bytes;
    case 'real':
    case 'date':
      return 4;
    case 'double':
    case 'time':
    case 'timestamp':
      return 8;
    case 'julian':
      return 12;
    case 'uuid':
    case 'interval':
      return 16;
    default:
      return 0;
  }
}
