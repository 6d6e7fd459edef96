import { DuckDBTypeId, type DuckDBType } from '@duckdb/node-api';
import type { VectorType } from '../../core/batch.js';
import type { Meaning } from './footer.js';
import type { DescribedColumn } from './frames.js';
import { wordOf } from './words.js';

/**
 * A column as it is read: its type here, and whether DuckDB must turn it into text first (types that a table has no
 * counterpart for).
 */
export type ReadColumn = Pick<DescribedColumn, 'type' | 'word'> & { readonly asText: boolean };

const TEXT: ReadColumn = { type: { kind: 'text' }, word: 'text', asText: true };

const NESTED = ['list', 'map', 'struct'] as const;

/** What a column of DuckDB's type is here. `leaves`: what the file's own schema says of it, leaf by leaf in order. */
export function readColumn(type: DuckDBType, leaves: readonly Meaning[]): ReadColumn {
  const rest = [...leaves];
  const vectorType = typeOf(type, () => rest.shift() ?? null);
  // A type that the schema tells in more leaves, or fewer, than DuckDB does (VARIANT): what they mean is not known.
  if (vectorType === null || rest.length > 0) return TEXT;
  const [leaf] = leaves;
  if (leaf?.kind === 'unknown' && NESTED.every((kind) => kind !== vectorType.kind)) return TEXT;
  const json = leaves.length === 1 && leaf?.kind === 'json' && vectorType.kind === 'text';
  return { type: vectorType, word: json ? 'jsonb' : wordOf(vectorType), asText: false };
}

/** null = no type of ours. */
function typeOf(type: DuckDBType, leaf: () => Meaning | null): VectorType | null {
  switch (type.typeId) {
    case DuckDBTypeId.STRUCT: {
      const fields = type.entryNames.map((name, i) => ({ name, type: typeOf(type.entryTypes[i]!, leaf) }));
      const known = fields.flatMap(({ name, type: field }) => (field === null ? [] : [{ name, type: field }]));
      return known.length === fields.length ? { kind: 'struct', fields: known } : null;
    }
    case DuckDBTypeId.LIST: {
      const item = typeOf(type.valueType, leaf);
      return item === null ? null : { kind: 'list', item };
    }
    case DuckDBTypeId.MAP: {
      const key = typeOf(type.keyType, leaf);
      const value = typeOf(type.valueType, leaf);
      return key === null || value === null ? null : { kind: 'map', key, value };
    }
    default: {
      const meaning = leaf();
      return meaning === null ? null : leafType(type, meaning);
    }
  }
}

function leafType(type: DuckDBType, meaning: Meaning): VectorType | null {
  switch (meaning.kind) {
    case 'julian':
      return type.typeId === DuckDBTypeId.BLOB ? { kind: 'julian' } : null;
    case 'timestamp-ns-utc':
      return type.typeId === DuckDBTypeId.BIGINT ? { kind: 'timestamp', unit: 'ns', utc: true } : null;
    case 'time-ns':
      return type.typeId === DuckDBTypeId.BIGINT ? { kind: 'time', unit: 'ns' } : null;
    case 'digits':
      return digitsType(type, meaning.scale);
    default:
      return plainType(type);
  }
}

/**
 * A decimal of more digits than DuckDB has is stored as bytes; as a number of 4 or 8 bytes it holds no more than those
 * do.
 */
function digitsType({ typeId }: DuckDBType, scale: number): VectorType | null {
  if (typeId === DuckDBTypeId.BLOB) return { kind: 'digits', scale };
  if (typeId === DuckDBTypeId.BIGINT) return { kind: 'decimal', bytes: 8, precision: 19, scale };
  return typeId === DuckDBTypeId.INTEGER ? { kind: 'decimal', bytes: 4, precision: 10, scale } : null;
}

function plainType(type: DuckDBType): VectorType | null {
  switch (type.typeId) {
    case DuckDBTypeId.BOOLEAN:
      return { kind: 'bool' };
    case DuckDBTypeId.TINYINT:
      return { kind: 'int', bytes: 1, signed: true };
    case DuckDBTypeId.SMALLINT:
      return { kind: 'int', bytes: 2, signed: true };
    case DuckDBTypeId.INTEGER:
      return { kind: 'int', bytes: 4, signed: true };
    case DuckDBTypeId.BIGINT:
      return { kind: 'int', bytes: 8, signed: true };
    case DuckDBTypeId.UTINYINT:
      return { kind: 'int', bytes: 1, signed: false };
    case DuckDBTypeId.USMALLINT:
      return { kind: 'int', bytes: 2, signed: false };
    case DuckDBTypeId.UINTEGER:
      return { kind: 'int', bytes: 4, signed: false };
    case DuckDBTypeId.UBIGINT:
      return { kind: 'int', bytes: 8, signed: false };
    case DuckDBTypeId.DECIMAL:
      return {
        kind: 'decimal',
        bytes: type.width <= 4 ? 2 : type.width <= 9 ? 4 : type.width <= 18 ? 8 : 16,
        precision: type.width,
        scale: type.scale,
      };
    case DuckDBTypeId.FLOAT:
      return { kind: 'real' };
    case DuckDBTypeId.DOUBLE:
      return { kind: 'double' };
    case DuckDBTypeId.DATE:
      return { kind: 'date' };
    case DuckDBTypeId.TIME:
      return { kind: 'time', unit: 'us' };
    case DuckDBTypeId.TIME_TZ:
      return { kind: 'time', unit: 'packed' };
    case DuckDBTypeId.TIMESTAMP:
      return { kind: 'timestamp', unit: 'us', utc: false };
    case DuckDBTypeId.TIMESTAMP_TZ:
      return { kind: 'timestamp', unit: 'us', utc: true };
    case DuckDBTypeId.TIMESTAMP_NS:
      return { kind: 'timestamp', unit: 'ns', utc: false };
    case DuckDBTypeId.UUID:
      return { kind: 'uuid' };
    case DuckDBTypeId.INTERVAL:
      return { kind: 'interval' };
    case DuckDBTypeId.VARCHAR:
      return { kind: 'text' };
    case DuckDBTypeId.BLOB:
      return { kind: 'blob' };
    default:
      return null;
  }
}
