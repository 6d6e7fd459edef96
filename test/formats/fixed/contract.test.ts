import { fixed } from '../../../src/formats/fixed/index.js';
import { formatSuite } from '../../contract/format-suite.js';
import { contractOf } from './helpers.js';

const sample = (name: string, text: string, columns: string, options: Record<string, unknown> = {}) => ({
  name,
  bytes: Buffer.from(text),
  options: fixed.options.parse(options),
  contract: contractOf(columns),
});

formatSuite(fixed, [
  sample('plain', 'a  1  \nbb 22 \nccc333\n', 'name:1-3,n:4-3'),
  sample('CRLF, blank lines, no line end last', '\r\na  1  \r\n\r\nbb 22 \r\nccc333', 'name:1-3,n:4-3'),
  sample('carriage returns alone', 'a  1  \rbb 22 \r\rccc333\r', 'name:1-3,n:4-3'),
  sample('a mark, characters of several bytes', '\uFEFFé  1  \n日本語333\n😀😀 4  \nccc5  \n', 'name:1-3,n:4-3'),
  sample('header, comments, skipped lines', 'title\n# c\nNAMNUM\n# c\na  1  \n#\n\nbb 2  \n', 'name:1-3,n:4-3', {
    header: true,
    comment: '#',
    skip_lines: 1,
  }),
  sample('short and long lines', 'a\n\na  1\nbb 2  x\nbb 2     \n   \n', 'name:1-3,n:4-3'),
  sample('short lines filled', 'a\na  1\nbb\n', 'name:1-3,n:4-3', { short_rows: 'fill_null' }),
  sample('gaps, overlaps, any order', '1234567890\nabcdefghij\n', 'all:1-10,last:9-2,first:1-2,mid:4-3'),
  sample(
    'records past max_record',
    'a  1  \nxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\nbb 2  \nyyyyyyyyyyyyyyyy',
    'name:1-3,n:4-3',
    { max_record: 8 },
  ),
  sample('bytes that are no text', 'a  1  \n\0\0\0\0\0\0\nbb 2  \n', 'name:1-3,n:4-3'),
]);
