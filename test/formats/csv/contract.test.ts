import { csv } from '../../../src/formats/csv/index.js';
import { formatSuite } from '../../contract/format-suite.js';
import { column } from './helpers.js';

const sample = (name: string, text: string, options: Record<string, unknown> = {}) => ({
  name,
  bytes: Buffer.from(text),
  options: csv.options.parse(options),
});

formatSuite(csv, [
  sample('plain', 'a,b,c\n1,2,3\n4,5,6\n7,8,9\n10,11,12\n'),
  sample('line ends mixed, blank lines', 'a,b\r\n1,2\r3,4\n\n\r\r\n5,6\r\r7,8\n\r9,10'),
  sample('byte order mark, quotes, line ends in quotes', '\uFEFF"a","b"\r\n"1\r\n2\r3\n4","x ""y"" z"\r\n"",","\r\n'),
  sample('faults', 'a,b\n"1"x,2\n1\n1,2,3\n"open,2\n3,4\n"5\n6",7,8\n9,"never\n10,11\n'),
  sample('comments and skipped lines', 'Report "of\rtoday\r\n# c\na;b\n#,"\n1;2\n#\r\n3;4\n#end', {
    delimiter: ';',
    comment: '#',
    skip_lines: 2,
  }),
  sample('long tokens', "a||b\n''1||2''||x''y\n''it''''s''||\n", { delimiter: '||', quote: "''" }),
  sample('another escape', 'a,b\n"1 \\" 2","\\\\"\n"\\\n",3\n', { escape: '\\' }),
  sample('letters of several bytes', 'é,日本\nü,"𝄞"\nñ,😀😀\n'),
  sample('no header, short and long rows', '1,2\n3\n4,5,6\n7,8,,\n', { header: false }),
  { ...sample('under a contract', 'b,a\n1,2\n3,4\n'), contract: [column('a'), column('b')] },
]);
