import { avro } from '../../../src/formats/avro/index.js';
import { plainColumn } from '../../../src/columns/plain-column.js';
import { formatSuite } from '../../contract/format-suite.js';
import { deflated, fileOf, record } from './helpers.js';

const schema = record(
  ['id', 'long'],
  ['s', ['null', 'string']],
  ['in', { type: 'record', name: 'In', fields: [{ name: 'x', type: 'double' }] }],
);
const values = Array.from({ length: 9 }, (_, i) => ({
  id: BigInt(i),
  s: i % 3 === 0 ? null : { string: `"é ${i}` },
  in: { x: i / 2 },
}));
const options = avro.options.parse({});

formatSuite(
  avro,
  [
    { name: 'plain blocks', bytes: fileOf(schema, values), options },
    { name: 'deflated blocks', bytes: fileOf(schema, values, { perBlock: 4, ...deflated }), options },
    {
      name: 'under a contract',
      bytes: fileOf(schema, values),
      options,
      contract: ['x', 'id'].map((name) => ({ ...plainColumn(name, name === 'x' ? 'in.x' : name, 'text') })),
    },
    {
      name: 'records past max_record',
      bytes: fileOf(schema, [...values, { id: 10n, s: { string: 'x'.repeat(100) }, in: { x: 0 } }, ...values]),
      options: avro.options.parse({ max_record: 80 }),
    },
  ],
  true,
);
