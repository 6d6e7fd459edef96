import { zipOf } from '../../decode/support.js';
import type { Chance } from '../../faults/support/chance.js';

/** The parts of a workbook by name. */
export type BookParts = Readonly<Record<string, string>>;

const MAIN = 'http://schemas.openxmlformats.org/spreadsheetml/2006/main';
const OFFICE = 'http://schemas.openxmlformats.org/officeDocument/2006/relationships';
const PACKAGE = 'http://schemas.openxmlformats.org/package/2006/relationships';
const CONTENT = 'http://schemas.openxmlformats.org/package/2006/content-types';
const KIND = 'application/vnd.openxmlformats-officedocument.spreadsheetml';

/** By style number. */
const CODES = [
  null,
  'yyyy\\-mm\\-dd',
  '[$-409]d/m/yyyy\\ h:mm:ss;@',
  'hh:mm:ss',
  '0.00',
  '[h]:mm',
  '"day" 0',
  'mmm\\ yyyy',
];
const DATES = [1, 2, 7];

const TEXTS = [
  'plain',
  ' blanks ',
  'two\nlines',
  'a\ttab',
  '<c r="A1"><v>1</v></c>',
  '<!-- no comment -->',
  ']]>',
  '<![CDATA[no]]>',
  '&amp; &#65; &lt;',
  '"double" \'single\'',
  'Größe 日本語 😀 \u202Eabc a\u0301',
  '007',
  '1e5',
  'true',
  '=1+1',
  '#N/A',
  '</t></si>',
];

export const zipped = (parts: BookParts): Buffer =>
  zipOf(Object.entries(parts).map(([name, content]) => ({ name, content })));

const escape = (text: string): string =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');

/** A workbook with cells of every kind, in the habits of one writer or another. */
export function bookOf(chance: Chance): BookParts {
  const date1904 = chance.below(3) === 0;
  const book = new Book(chance);
  const sheet = book.sheet();
  const at = chance.below(2) === 0 ? '' : '/xl/';
  const decl = chance.pick([
    '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n',
    '<?xml version="1.0"?>',
    '',
  ]);
  const merged = chance.below(3) === 0 ? '<mergeCells count="1"><mergeCell ref="A90:C91"/></mergeCells>' : '';
  return {
    '[Content_Types].xml': `<Types xmlns="${CONTENT}"><Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Default Extension="xml" ContentType="application/xml"/><Override PartName="/xl/workbook.xml" ContentType="${KIND}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" ContentType="${KIND}.worksheet+xml"/><Override PartName="/xl/styles.xml" ContentType="${KIND}.styles+xml"/><Override PartName="/xl/sharedStrings.xml" ContentType="${KIND}.sharedStrings+xml"/></Types>`,
    '_rels/.rels': `<Relationships xmlns="${PACKAGE}"><Relationship Id="rId1" Type="${OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>`,
    'xl/workbook.xml': `${decl}<workbook xmlns="${MAIN}" xmlns:r="${OFFICE}"><workbookPr${date1904 ? ' date1904="1"' : ''}/><sheets><sheet name="Data &amp; more" sheetId="1" r:id="rId1"/></sheets></workbook>`,
    'xl/_rels/workbook.xml.rels': `<Relationships xmlns="${PACKAGE}"><Relationship Id="rId1" Type="${OFFICE}/worksheet" Target="${at}worksheets/sheet1.xml"/><Relationship Id="rId3" Type="${OFFICE}/sharedStrings" Target="${at}sharedStrings.xml"/><Relationship Id="rId4" Type="${OFFICE}/styles" Target="${at}styles.xml"/></Relationships>`,
    'xl/styles.xml': `<styleSheet xmlns="${MAIN}"><numFmts count="${CODES.length - 1}">${CODES.map((code, i) => (code === null ? '' : `<numFmt numFmtId="${163 + i}" formatCode="${escape(code)}"/>`)).join('')}</numFmts><fonts count="1"><font/></fonts><fills count="1"><fill><patternFill/></fill></fills><borders count="1"><border/></borders><cellStyleXfs count="1"><xf numFmtId="14"/></cellStyleXfs><cellXfs count="${CODES.length}">${CODES.map((code, i) => `<xf numFmtId="${code === null ? 0 : 163 + i}" fontId="0" fillId="0" borderId="0"/>`).join('')}</cellXfs></styleSheet>`,
    'xl/worksheets/sheet1.xml': `${decl}<worksheet xmlns="${MAIN}" xmlns:r="${OFFICE}"><dimension ref="A1"/><sheetFormatPr defaultRowHeight="15"/><sheetData>${sheet}</sheetData>${merged}</worksheet>`,
    'xl/sharedStrings.xml': `${decl}<sst xmlns="${MAIN}" count="${book.shared.length}">${book.shared.join('')}</sst>`,
  };
}

class Book {
  /** `<si>` after `<si>`. */
  readonly shared: string[] = [];
  readonly #chance: Chance;
  readonly #named: boolean;

  constructor(chance: Chance) {
    this.#chance = chance;
    // Some writers leave out where rows and cells are: then they follow one another.
    this.#named = chance.below(4) !== 0;
    if (chance.below(2) === 0) this.shared.push('<si/>', '<si><t/></si>');
  }

  sheet(): string {
    const chance = this.#chance;
    let rows = '';
    let number = 0;
    const count = 1 + chance.below(12);
    for (let i = 0; i < count; i++) {
      number += this.#named ? 1 + chance.below(4) : 1;
      const cells = this.#cells(number);
      const more = chance.pick(['', ' spans="1:9"', ' ht="15" customHeight="1"', ' hidden="1"']);
      rows += `<row${this.#named ? ` r="${number}"` : ''}${more}>${cells}</row>`;
    }
    return rows;
  }

  #cells(row: number): string {
    const chance = this.#chance;
    let cells = '';
    let column = -1;
    const count = chance.below(7);
    for (let i = 0; i < count; i++) {
      column += this.#named ? 1 + chance.below(30) : 1;
      const letters = column < 26 ? '' : String.fromCharCode(64 + Math.floor(column / 26));
      const reference = `${letters}${String.fromCharCode(65 + (column % 26))}${row}`;
      cells += this.#cell(this.#named ? ` r="${reference}"` : '');
    }
    return cells;
  }

  #cell(r: string): string {
    const chance = this.#chance;
    const kinds: readonly (() => string)[] = [
      () => `<c${r}><v>${this.#number()}</v></c>`,
      () => `<c${r} s="4"><v>${this.#number()}</v></c>`,
      () => `<c${r} s="${chance.pick(DATES)}"><v>${100 + chance.below(60_000)}</v></c>`,
      () =>
        `<c${r} s="${chance.pick(DATES)}"><v>${(100 + chance.below(60_000) + chance.below(86_400) / 86_400).toPrecision(17)}</v></c>`,
      () => `<c${r} s="3"><v>${chance.below(86_400) / 86_400}</v></c>`,
      () => `<c${r} s="${chance.pick([5, 6])}"><v>${chance.below(1_000) / 8}</v></c>`,
      () => `<c${r} t="b"><v>${chance.below(2)}</v></c>`,
      () => `<c${r} t="e"><v>${chance.pick(['#N/A', '#DIV/0!', '#REF!', '#NAME?'])}</v></c>`,
      () => `<c${r} t="d" s="1"><v>2026-0${1 + chance.below(9)}-11T10:20:30</v></c>`,
      () => `<c${r} s="1"/>`,
      () => `<c${r}><v/></c>`,
      () => `<c${r} t="s"/>`,
      () => `<c${r} t="str"><f>A1&amp;"x"</f><v>${escape(this.#text())}</v></c>`,
      () => `<c${r} t="str"><f>""</f><v></v></c>`,
      () => `<c${r}><f t="shared" ref="A1:A2" si="0">A1*2</f><v>${this.#number()}</v></c>`,
      () => `<c${r} t="inlineStr"><is>${this.#rich()}</is></c>`,
      () => `<c${r} t="inlineStr"><is><t/></is></c>`,
      () => `<c${r} t="s"><v>${this.#share()}</v></c>`,
      () => `<c${r} t="s" s="1"><v>${this.#share()}</v></c>`,
    ];
    return chance.pick(kinds)();
  }

  #share(): number {
    if (this.shared.length > 0 && this.#chance.below(3) === 0) return this.#chance.below(this.shared.length);
    return this.shared.push(`<si>${this.#rich()}</si>`) - 1;
  }

  #rich(): string {
    const chance = this.#chance;
    const t = (text: string): string => `<t xml:space="preserve">${escape(text)}</t>`;
    if (chance.below(3) > 0) return t(this.#text());
    const runs = Array.from(
      { length: 1 + chance.below(3) },
      () => `<r>${chance.below(2) === 0 ? '<rPr><b/><sz val="11"/></rPr>' : ''}${t(this.#text())}</r>`,
    ).join('');
    const spoken = chance.below(3) === 0 ? `<rPh sb="0" eb="1">${t('spoken')}</rPh><phoneticPr fontId="0"/>` : '';
    return `${runs}${spoken}`;
  }

  #text(): string {
    const chance = this.#chance;
    if (chance.below(40) === 0) return 'long '.repeat(6_553);
    return chance.pick(TEXTS);
  }

  #number(): string {
    const chance = this.#chance;
    return chance.pick([
      String(chance.below(1_000_000)),
      String(-chance.next()),
      (chance.next() * 1_000).toPrecision(17),
      '12345678901234567890',
      '1.0000000000000001E-5',
      '1E+300',
      '0',
    ]);
  }
}
