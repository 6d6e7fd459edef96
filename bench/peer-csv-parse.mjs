// What many people write: csv-parse, each record as a line of text COPY, no checks of its own. `node peer-csv-parse.mjs
// FILE URL`.
import { createReadStream } from 'node:fs';
import process from 'node:process';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parse } from 'csv-parse';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';

const [, , file, url] = process.argv;
const escapes = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };
const cell = (value) => (value === '' ? '\\N' : value.replace(/[\\\n\r\t]/g, (one) => escapes[one]));

const client = new pg.Client({ connectionString: url });
await client.connect();
await client.query('begin');
await pipeline(
  createReadStream(file, { highWaterMark: 1 << 20 }),
  parse({ from: 2 }),
  new Transform({
    writableObjectMode: true,
    transform(record, _encoding, done) {
      done(null, `${record.map(cell).join('\t')}\n`);
    },
  }),
  client.query(copyFrom('copy t from stdin')),
);
await client.query('commit');
await client.end();
