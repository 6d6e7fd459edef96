import type { CorpusCase } from './frame.js';

const five = (first: string): string => [first, ...[1, 2, 3, 4].map((id) => `{"id":${id},"a":${id}.5}`), ''].join('\n');

/** JSON that is not quite JSON, and JSON whose records stand elsewhere. */
export const JSON_CASES: readonly CorpusCase[] = [
  {
    name: 'NaN in the first line',
    content: five('{"id":0,"a":NaN}'),
    right: { format: { type: 'json', strict: false }, columns: ['id integer', 'a double precision'] },
  },
  {
    name: 'a trailing comma in the first line',
    content: five('{"id":0,"a":1,}'),
    right: { format: { type: 'json', shape: 'lines', strict: undefined } },
  },
  {
    name: 'single quotes in the first line',
    content: five("{'id':0,'a':1}"),
    right: { format: { type: 'json', shape: 'lines', strict: undefined } },
  },
  {
    name: 'a line that was cut, first',
    content: five('{"id":0,"a":{}'),
    right: { format: { type: 'json', shape: 'lines' } },
  },
  {
    name: 'a raw tab in a string',
    content: '{"id":1,"s":"a\tb"}\n{"id":2,"s":"c"}\n',
    right: { format: { type: 'json', strict: false } },
  },
  {
    name: 'an array with Infinity',
    content: '[{"id":1,"a":Infinity},\n{"id":2,"a":1.5}]',
    right: { format: { type: 'json', strict: false, shape: undefined } },
  },
  {
    name: 'an object of objects',
    content: '{"x1":{"id":1,"n":"a"},\n"x2":{"id":2,"n":"b"},"x3":{"id":3,"n":null}}',
    right: { format: { type: 'json', root: '$values' }, columns: ['id integer', 'n text'] },
  },
  {
    name: 'one record with an object in it',
    content: '{"id":1,"cfg":{"a":1}}\n',
    right: { format: { type: 'json', root: undefined }, columns: ['id integer', 'cfg jsonb'] },
  },
  {
    name: 'strict lines',
    content: five('{"id":0,"a":0.25}'),
    right: { format: { type: 'json', shape: undefined, strict: undefined, root: undefined } },
  },
];
