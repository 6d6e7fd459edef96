import { json } from '../../../src/formats/json/index.js';
import { formatSuite } from '../../contract/format-suite.js';
import { column } from './helpers.js';

const sample = (name: string, text: string, options: Record<string, unknown> = {}, columns?: readonly string[]) => ({
  name,
  bytes: Buffer.from(text),
  options: json.options.parse(options),
  ...(columns === undefined ? {} : { contract: columns.map(column) }),
});

formatSuite(json, [
  sample('lines', '{"a":1,"b":"x"}\n{"a":2}\n{"b":null,"a":3}\n{}\n', {}, ['a', 'b']),
  sample('lines as they are, no line end last', '{"a":[1,{"b":"\\u00e9"}]}\r\n\r\n  {"a":-1.5e3} \n\n{"é":"日本 😀"}'),
  sample('byte order mark', '\uFEFF{"a":1}\n{"a":2}\n', {}, ['a']),
  sample('bad lines', '{"a":1}\n{"a":}\nnull\n{"a":2\n{"a":3} x\n"half\n{"a":"\\ud800"}\n{"a":\n1}\n[1]\n{"a":4', {}, [
    'a',
  ]),
  sample('an array', ' [\n{"a":1},\n {"a":"two","b":{"c":[]}} ,\n\n{"b":{"c":3}}\n]\n', {}, ['a', 'c=b.c', 'b']),
  sample(
    'an array with bad elements',
    '[{"a":1},\n{"a":1,},\n7,\n{"a" 2},\n[{}],\n{"a":"\\x"},\n"\\",]",\n{"a":5}\n]',
    {},
    ['a'],
  ),
  sample('objects one after another', '{\n "a": 1\n}\n{"a":\n2}\n{"a":3}', {}, ['a']),
  sample(
    'root',
    '{"n":{"x":[1,2,"]"]},\n"data":{"skip":[[]],"items":[\n{"a":1},\n{"a":2}\n],\n"more":{}},"end":1.5}\n',
    { root: 'data.items' },
    ['a'],
  ),
  sample(
    'paths, aliases, repeated keys',
    '{"a":{"b":[{"c":1},{"c":2}]},"a.b":9}\n{"x":1,"a":{"b":[]},"a":{"b":[0,{"c":"\\n"}]}}\n{"y":5,"x":6}\n',
    {},
    ['c=a.b[1].c', 'ab:jsonb=a.b', 'x=y|x'],
  ),
  sample(
    'records past max_record',
    '{"a":1}\n{"a":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}\n{"a":2}\n',
    { max_record: 20 },
    ['a'],
  ),
]);
