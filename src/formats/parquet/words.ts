import type { VectorType } from '../../core/batch.js';

/** The column type that loses nothing, in the config's words. PostgreSQL's numeric(p,s) goes to 1,000 digits. */
export function wordOf(type: VectorType): string {
  switch (type.kind) {
    case 'bool':
      return 'boolean';
    case 'int':
      if (!type.signed)
        return type.bytes === 1
          ? 'smallint'
          : type.bytes === 2
            ? 'integer'
            : type.bytes === 4
              ? 'bigint'
              : 'numeric(20,0)';
      return type.bytes <= 2 ? 'smallint' : type.bytes === 4 ? 'integer' : 'bigint';
    case 'decimal':
      return `numeric(${type.precision},${type.scale})`;
    case 'digits':
      return 'numeric';
    case 'real':
      return 'real';
    case 'double':
      return 'double precision';
    case 'date':
    case 'time':
    case 'uuid':
      return type.kind;
    case 'timestamp':
      return type.utc ? 'timestamptz' : 'timestamp';
    case 'julian':
      return 'timestamp';
    case 'blob':
      return 'bytea';
    case 'text':
    case 'interval':
      return 'text';
    case 'list':
    case 'map':
    case 'struct':
      return 'jsonb';
  }
}
