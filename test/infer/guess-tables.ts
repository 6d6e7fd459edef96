import { FORMS, type Form } from './guess-forms.js';

/** A way to write a table down. Cells that need it stand in quotes, or all of them. */
export interface Dialect {
  readonly name: string;
  readonly delimiter: string;
  readonly quote: string | null;
  readonly all?: true;
  readonly backslash?: true;
  readonly end: string;
  readonly mark?: true;
  readonly comma?: true;
}

const plain = { quote: '"', end: '\n' };

export const DIALECTS: readonly Dialect[] = [
  { ...plain, name: 'commas', delimiter: ',' },
  { ...plain, name: 'commas, all in quotes', delimiter: ',', all: true },
  { ...plain, name: 'commas, CRLF, byte order mark', delimiter: ',', end: '\r\n', mark: true },
  { ...plain, name: 'semicolons', delimiter: ';', comma: true },
  { ...plain, name: 'semicolons, all in quotes, CRLF', delimiter: ';', all: true, end: '\r\n', comma: true },
  { ...plain, name: 'tabs', delimiter: '\t' },
  { ...plain, name: 'tabs without quotes', delimiter: '\t', quote: null },
  { ...plain, name: 'pipes', delimiter: '|' },
  { ...plain, name: 'pipes, all in quotes', delimiter: '|', all: true },
  { ...plain, name: 'two pipes', delimiter: '||', quote: null },
  { ...plain, name: 'carets', delimiter: '^' },
  { ...plain, name: 'carriage returns', delimiter: ';', end: '\r', comma: true },
  { ...plain, name: 'three characters', delimiter: '|~|', quote: null },
  { ...plain, name: 'unit separators, all in quotes', delimiter: '\u001f', all: true },
  { ...plain, name: 'control characters', delimiter: '\u0001', quote: null },
  { ...plain, name: 'commas, backslash before quotes', delimiter: ',', all: true, backslash: true },
];

/** What stands around the records, and how it has to be told. */
export interface Around {
  readonly name: string;
  readonly above?: readonly string[];
  /** Titles have as many delimiters as records. */
  readonly padded?: true;
  /** Dashes below the header: one a column, or one line. */
  readonly ruler?: 'cells' | 'line';
  readonly below?: readonly string[];
  readonly sep?: true;
  readonly headless?: true;
  /** The feed's comments or notes say so. */
  readonly told: readonly RegExp[];
  /** Lines that are no records and count as such: refused, and told. */
  readonly refused?: number;
}

export const AROUND: readonly Around[] = [
  { name: 'nothing', told: [] },
  { name: 'a title', above: ['Report of all things'], told: [/1 line before the header/] },
  {
    name: 'titles and a blank line',
    above: ['Report of sales', 'made 2024-01-01', ''],
    told: [/3 lines before the header/],
  },
  { name: 'padded titles', above: ['Report of all things', ''], padded: true, told: [/2 lines before the header/] },
  { name: 'a ruler', ruler: 'cells', told: [/ruler/] },
  { name: 'a ruler in one line', ruler: 'line', told: [/ruler/] },
  { name: 'a title and a ruler', above: ['Sales report'], ruler: 'cells', told: [/ruler/, /1 line before the header/] },
  { name: 'comments', above: ['# made by hand', '# on a day'], told: [/2 lines of the sample begin with #/] },
  { name: 'a comment at the end', below: ['# end of file'], told: [/1 line of the sample begins with #/] },
  { name: 'a trailer', below: ['TRAILER 24'], told: [/last record/], refused: 1 },
  { name: 'the mark of Excel', sep: true, told: [/1 line before the header \("sep=/] },
  { name: 'no header', headless: true, told: [] },
];

export interface Case {
  readonly name: string;
  readonly text: string;
  readonly dialect: Dialect;
  readonly form: Form;
  readonly around: Around;
  readonly columns: readonly Form[];
  readonly names: readonly string[];
  readonly rows: number;
}

/** How large a table is: few records tell less, and two columns are easily misread. */
export interface Size {
  readonly rows: number;
  readonly columns: 'all' | 'form and amount' | 'form first';
}

const USUAL: Size = { rows: 24, columns: 'all' };
export const SIZES: readonly Size[] = [
  USUAL,
  { rows: 4, columns: 'all' },
  { rows: 24, columns: 'form and amount' },
  { rows: 5, columns: 'form first' },
];

const FIRST: Form = { name: 'id', means: 'number', cell: (i) => [String(i + 1), i + 1] };
const NAMES = ['Ann', 'Bob', 'Cy', 'Dee', 'Eve'];
const SECOND: Form = {
  name: 'name',
  means: 'text',
  cell: (i) => [`${NAMES[i % 5]} ${'x'.repeat(i % 4)}`.trim(), `${NAMES[i % 5]} ${'x'.repeat(i % 4)}`.trim()],
};
const POINT: Form = { name: 'amount', means: 'number', cell: (i) => [(i + 0.5).toFixed(2), i + 0.5] };
const COMMA: Form = { name: 'amount', means: 'number', cell: (i) => [(i + 0.5).toFixed(2).replace('.', ','), i + 0.5] };

function written(cell: string, { delimiter, quote, all, backslash }: Dialect): string {
  if (
    quote === null ||
    (all === undefined && !cell.includes(delimiter) && !cell.includes(quote) && !/[\r\n]/.test(cell))
  )
    return cell;
  return `"${cell.replaceAll('"', backslash === true ? '\\"' : '""')}"`;
}

export function tableOf(dialect: Dialect, form: Form, around: Around, size: Size = USUAL): Case {
  const { delimiter, end } = dialect;
  const amount = dialect.comma === true ? COMMA : POINT;
  const columns = {
    all: [FIRST, SECOND, form, amount],
    'form and amount': [form, amount],
    'form first': [form, SECOND, FIRST],
  }[size.columns];
  const names = columns.map((column) => (column === form ? 'value' : column.name));
  const line = (cells: readonly string[]): string => cells.map((cell) => written(cell, dialect)).join(delimiter);
  const pad = around.padded === true ? delimiter.repeat(columns.length - 1) : '';
  const lines = [
    ...(around.sep === true ? [`sep=${delimiter}`] : []),
    ...(around.above ?? []).map((text) => text + pad),
    ...(around.headless === true ? [] : [line(names)]),
    ...(around.ruler === undefined
      ? []
      : [around.ruler === 'line' ? '-'.repeat(24) : names.map((name) => '-'.repeat(name.length)).join(delimiter)]),
    ...Array.from({ length: size.rows }, (_, i) => line(columns.map(({ cell }) => cell(i)[0]))),
    ...(around.below ?? []),
  ];
  return {
    name: `${form.name} | ${dialect.name} | ${around.name} | ${size.rows} rows, ${size.columns}`,
    text: `${dialect.mark === true ? '\ufeff' : ''}${lines.join(end)}${end}`,
    dialect,
    form,
    around,
    columns,
    names,
    rows: size.rows,
  };
}

/**
 * Every form and every surrounding in every dialect, without those that the dialect cannot hold. `large`: else every
 * form in every other dialect, in turns.
 */
export function allTables(large: boolean): readonly Case[] {
  const holds = ({ delimiter, quote }: Dialect, form: Form, around: Around): boolean =>
    (quote !== null || !/[\n"']/.test(form.cell(0)[0])) &&
    (quote !== null || !form.cell(0)[0].includes(delimiter.charAt(0))) &&
    (around.sep !== true || delimiter.length === 1);
  const cases: Case[] = [];
  const add = (dialect: Dialect, form: Form, around: Around): void => {
    const size = SIZES[large ? cases.length % SIZES.length : 0]!;
    // Where records begin with # a comment cannot be told from them.
    const hidden = size.columns !== 'all' && form.cell(0)[0].startsWith('#') && around.name.includes('comment');
    // Without a header nothing tells a list from cells.
    const listed = size.columns !== 'all' && form.name.startsWith('lists') && around.headless === true;
    if (holds(dialect, form, around) && !hidden && !listed) cases.push(tableOf(dialect, form, around, size));
  };
  for (const [index, form] of FORMS.entries())
    for (const [at, dialect] of DIALECTS.entries()) {
      if (!large && at > 3 && (index + at) % 3 !== 0) continue;
      add(dialect, form, AROUND[(index + 5 * at) % AROUND.length]!);
      if (large) add(dialect, form, AROUND[0]!);
    }
  for (const [at, dialect] of DIALECTS.entries())
    for (const [index, around] of AROUND.entries())
      for (let form = (index + at) % FORMS.length; form < FORMS.length; form += large ? 16 : FORMS.length)
        add(dialect, FORMS[form]!, around);
  return cases;
}
