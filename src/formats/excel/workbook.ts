import type { ArchiveMember, RandomAccess } from '../../core/decoder.js';
import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { Expansion } from '../../decode/expansion.js';
import type { ExpansionSpec } from '../../core/feed/input.js';
import { zip } from '../../decode/zip.js';
import { dateFormat, type DateFormat } from './serial.js';
import { sheetPattern } from './options.js';
import { SharedStrings } from './strings.js';
import { corrupt, readPart, type Shape } from './xml.js';

/** workbook.xml, its relations, styles.xml: a few hundred KiB at most. */
const SMALL_PART = 16 * 2 ** 20;

/** What is needed of a workbook to read one sheet. */
export interface Workbook {
  readonly sheetName: string;
  readonly date1904: boolean;
  /** Formulas are to be computed when it is opened: who wrote it did not compute them. */
  readonly computeOnLoad: boolean;
  /** By style number: the date format of cells of that style, null = none. */
  readonly styles: readonly (DateFormat | null)[];
  readonly strings: SharedStrings;
  rows(): Bytes;
}

/** Throws FORMAT_MISMATCH (no workbook, no such sheet), FILE_CORRUPT and EXPANSION_LIMIT. */
export async function openWorkbook(
  file: RandomAccess,
  sheet: string | number,
  maxExpansion: ExpansionSpec,
): Promise<Workbook> {
  const { parts, bytesOf, main, member } = await openParts(file, maxExpansion);
  const { sheets, date1904, computeOnLoad } = await sheetsOf(bytesOf(member), main);
  const relations = await relationsOf(parts, main, bytesOf);
  const { name, id } = chosen(sheets, sheet);
  const relation = relations.find((one) => one.id === id);
  if (relation !== undefined && !relation.type.endsWith('/worksheet'))
    throw new TallymanError(
      'FORMAT_MISMATCH',
      `The sheet ${JSON.stringify(name)} has no cells: it is a chart or a dialog.`,
      {
        fix: 'Name another sheet in format.sheet.',
      },
    );
  const sheetPart = relation === undefined ? undefined : parts.get(relation.target);
  if (sheetPart === undefined) throw corrupt(main, `names the sheet ${JSON.stringify(name)}, which is not there`);
  const kind = (end: string): ArchiveMember | undefined =>
    parts.get(relations.find(({ type }) => type.endsWith(end))?.target ?? '');
  const styles = kind('/styles');
  const strings = kind('/sharedStrings');
  return {
    sheetName: name,
    date1904,
    computeOnLoad,
    styles: styles === undefined ? [] : await stylesOf(bytesOf(styles), styles.name),
    strings: strings === undefined ? new SharedStrings() : await SharedStrings.read(bytesOf(strings), strings.name),
    rows: () => bytesOf(sheetPart),
  };
}

/** Names of the sheets, in their order. */
export async function sheetNames(file: RandomAccess, maxExpansion: ExpansionSpec): Promise<readonly string[]> {
  const { bytesOf, main, member } = await openParts(file, maxExpansion);
  return (await sheetsOf(bytesOf(member), main)).sheets.map(({ name }) => name);
}

interface OpenParts {
  readonly parts: Parts;
  readonly bytesOf: (member: ArchiveMember) => Bytes;
  /** Name of the workbook's own part, and the part. */
  readonly main: string;
  readonly member: ArchiveMember;
}

async function openParts(file: RandomAccess, maxExpansion: ExpansionSpec): Promise<OpenParts> {
  if (zip.members === undefined) throw new TallymanError('INTERNAL', 'zip has members');
  const expansion = new Expansion(maxExpansion);
  expansion.deliveredWhole(file.size);
  const parts = new Map<string, ArchiveMember>();
  for (const member of await zip.members(file, () => true)) {
    const name = member.name.toLowerCase().replaceAll('\\', '/');
    if (parts.has(name)) throw corrupt('the archive', `has a part ${JSON.stringify(name)} twice`);
    parts.set(name, member);
  }
  const bytesOf = (member: ArchiveMember): Bytes => expansion.limited(member.open());
  const main = await mainPart(parts, bytesOf);
  const member = parts.get(main);
  if (member === undefined)
    throw new TallymanError('FORMAT_MISMATCH', 'The file is no Excel workbook (.xlsx): it has no xl/workbook.xml.', {
      fix: 'Ask the supplier for .xlsx. Binary workbooks (.xlsb) are not read.',
    });
  return { parts, bytesOf, main, member };
}

type Parts = ReadonlyMap<string, ArchiveMember>;

async function mainPart(parts: Parts, bytesOf: (member: ArchiveMember) => Bytes): Promise<string> {
  const relations = await relationsOf(parts, '', bytesOf);
  return relations.find(({ type }) => type.endsWith('/officeDocument'))?.target ?? 'xl/workbook.xml';
}

interface Relation {
  readonly id: string;
  readonly type: string;
  /** Name of the part in the archive, lower case. */
  readonly target: string;
}

async function relationsOf(
  parts: Parts,
  of: string,
  bytesOf: (member: ArchiveMember) => Bytes,
): Promise<readonly Relation[]> {
  const folder = of.slice(0, of.lastIndexOf('/') + 1);
  const member = parts.get(`${folder}_rels/${of.slice(folder.length)}.rels`);
  if (member === undefined) return [];
  const found: Relation[] = [];
  const relation: Shape = {
    open: (tag) => {
      const target = tag.attribute('Target') ?? '';
      found.push({
        id: tag.attribute('Id') ?? '',
        type: tag.attribute('Type') ?? '',
        target: resolved(target.startsWith('/') ? target.slice(1) : `${folder}${target}`).toLowerCase(),
      });
    },
  };
  const root = { children: new Map([['Relationship', relation]]) };
  await readPart(bytesOf(member), 'Relationships', root, member.name, SMALL_PART);
  return found;
}

/** Without `.` and `..`: names that lead outside lead nowhere. */
function resolved(path: string): string {
  const steps: string[] = [];
  for (const step of path.split('/')) {
    if (step === '..') steps.pop();
    else if (step !== '.' && step !== '') steps.push(step);
  }
  return steps.join('/');
}

interface NamedSheet {
  readonly name: string;
  /** Of its relation. */
  readonly id: string;
}

async function sheetsOf(
  bytes: Bytes,
  part: string,
): Promise<Pick<Workbook, 'date1904' | 'computeOnLoad'> & { readonly sheets: readonly NamedSheet[] }> {
  const sheets: NamedSheet[] = [];
  let date1904 = false;
  let computeOnLoad = false;
  const sheet: Shape = {
    open: (tag) => {
      sheets.push({ name: tag.attribute('name') ?? '', id: tag.attributeIn('/relationships', 'id') ?? '' });
    },
  };
  const properties: Shape = {
    open: (tag) => {
      date1904 = isTrue(tag.attribute('date1904'));
    },
  };
  const computing: Shape = {
    open: (tag) => {
      computeOnLoad = isTrue(tag.attribute('fullCalcOnLoad'));
    },
  };
  const root = {
    children: new Map<string, Shape>([
      ['workbookPr', properties],
      ['calcPr', computing],
      ['sheets', { children: new Map([['sheet', sheet]]) }],
    ]),
  };
  await readPart(bytes, 'workbook', root, part, SMALL_PART);
  return { sheets, date1904, computeOnLoad };
}

const isTrue = (said: string | null): boolean => /^\s*(1|true)\s*$/.test(said ?? '');

function chosen(sheets: readonly NamedSheet[], wanted: string | number): NamedSheet {
  const pattern = typeof wanted === 'string' ? sheetPattern(wanted) : null;
  if (pattern !== null) return theOne(sheets, pattern);
  const found =
    typeof wanted === 'number'
      ? sheets[wanted - 1]
      : (sheets.find(({ name }) => name === wanted) ??
        sheets.find(({ name }) => name.toLowerCase() === wanted.toLowerCase()));
  if (found !== undefined) return found;
  throw noSheet(typeof wanted === 'number' ? String(wanted) : JSON.stringify(wanted), sheets);
}

/** The sheet whose name meets the expression. Of names past the 31 characters that Excel allows the start counts. */
function theOne(sheets: readonly NamedSheet[], pattern: RegExp): NamedSheet {
  const met = sheets.filter(({ name }) => pattern.test(name.slice(0, 31)));
  const [first] = met;
  if (first === undefined) throw noSheet(`that ${String(pattern)} meets`, sheets);
  if (met.length === 1) return first;
  throw new TallymanError('FORMAT_MISMATCH', `${String(pattern)} meets several sheets: ${namesOf(met)}.`, {
    fix: 'Write format.sheet so that it meets one.',
  });
}

const noSheet = (wanted: string, sheets: readonly NamedSheet[]): TallymanError =>
  new TallymanError(
    'FORMAT_MISMATCH',
    `The workbook has no sheet ${wanted}; it has ${sheets.length === 0 ? 'none' : namesOf(sheets)}.`,
    { fix: 'Correct format.sheet, or ask the supplier.' },
  );

const namesOf = (sheets: readonly NamedSheet[]): string =>
  sheets
    .slice(0, 20)
    .map(({ name }) => JSON.stringify(name))
    .join(', ');

async function stylesOf(bytes: Bytes, part: string): Promise<readonly (DateFormat | null)[]> {
  const codes = new Map<number, string>();
  const ids: number[] = [];
  const numFmt: Shape = {
    open: (tag) => {
      codes.set(Number(tag.attribute('numFmtId')), tag.attribute('formatCode') ?? '');
    },
  };
  const xf: Shape = {
    open: (tag) => {
      ids.push(Number(tag.attribute('numFmtId') ?? 0));
    },
  };
  const root = {
    children: new Map<string, Shape>([
      ['numFmts', { children: new Map([['numFmt', numFmt]]) }],
      ['cellXfs', { children: new Map([['xf', xf]]) }],
    ]),
  };
  await readPart(bytes, 'styleSheet', root, part, SMALL_PART);
  return ids.map((id) => dateFormat(id, codes.get(id) ?? null));
}
