import type { ArchiveMember, RandomAccess } from '../../core/decoder.js';
import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';
import { Expansion } from '../../decode/expansion.js';
import type { ExpansionSpec } from '../../core/feed/input.js';
import { zip } from '../../decode/zip.js';
import { dateFormat, type DateFormat } from './serial.js';
import { SharedStrings } from './strings.js';
import { attribute, corrupt, elements, wholeText } from './xml.js';

/** workbook.xml, its relations, styles.xml: a few hundred KiB at most. */
const SMALL_PART = 16 * 2 ** 20;

/** What is needed of a workbook to read one sheet. */
export interface Workbook {
  readonly sheetName: string;
  readonly date1904: boolean;
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
  if (zip.members === undefined) throw new TallymanError('INTERNAL', 'zip has members');
  const expansion = new Expansion(maxExpansion);
  expansion.deliveredWhole(file.size);
  const parts = new Map(
    (await zip.members(file, () => true)).map((member) => [member.name.toLowerCase().replaceAll('\\', '/'), member]),
  );
  const bytesOf = (member: ArchiveMember): Bytes => expansion.limited(member.open());
  const main = await mainPart(parts, bytesOf);
  const member = parts.get(main);
  if (member === undefined)
    throw new TallymanError('FORMAT_MISMATCH', 'The file is no Excel workbook (.xlsx): it has no xl/workbook.xml.', {
      fix: 'Ask the supplier for .xlsx. Binary workbooks (.xlsb) are not read.',
    });
  const text = await wholeText(bytesOf(member), SMALL_PART, main);
  const relations = await relationsOf(parts, main, bytesOf);
  const { name, id } = chosen(text, sheet);
  const target = relations.find((one) => one.id === id)?.target;
  const sheetPart = target === undefined ? undefined : parts.get(target);
  if (sheetPart === undefined) throw corrupt(main, `names the sheet ${JSON.stringify(name)}, which is not there`);
  const kind = (end: string): ArchiveMember | undefined =>
    parts.get(relations.find(({ type }) => type.endsWith(end))?.target ?? '');
  const styles = kind('/styles');
  const strings = kind('/sharedStrings');
  return {
    sheetName: name,
    date1904: /^(1|true)$/.test(
      attribute(/<(?:[\w.-]+:)?workbookPr\b([^>]*)>/.exec(text)?.[1] ?? '', 'date1904') ?? '',
    ),
    styles: styles === undefined ? [] : stylesOf(await wholeText(bytesOf(styles), SMALL_PART, styles.name)),
    strings:
      strings === undefined
        ? new SharedStrings()
        : await SharedStrings.read(elements(bytesOf(strings), 'si', strings.name)),
    rows: () => bytesOf(sheetPart),
  };
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
  const text = await wholeText(bytesOf(member), SMALL_PART, member.name);
  return [...text.matchAll(/<(?:[\w.-]+:)?Relationship\s([^>]*)>/g)].map(([, head = '']) => {
    const target = attribute(head, 'Target') ?? '';
    const full = target.startsWith('/') ? target.slice(1) : `${folder}${target}`;
    return {
      id: attribute(head, 'Id') ?? '',
      type: attribute(head, 'Type') ?? '',
      target: resolved(full).toLowerCase(),
    };
  });
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

function chosen(workbook: string, wanted: string | number): { readonly name: string; readonly id: string } {
  const sheets = [...workbook.matchAll(/<(?:[\w.-]+:)?sheet\s([^>]*)>/g)].map(([, head = '']) => ({
    name: attribute(head, 'name') ?? '',
    id: attribute(head, '[\\w.-]+:id') ?? '',
  }));
  const found =
    typeof wanted === 'number'
      ? sheets[wanted - 1]
      : (sheets.find(({ name }) => name === wanted) ??
        sheets.find(({ name }) => name.toLowerCase() === wanted.toLowerCase()));
  if (found !== undefined) return found;
  const names = sheets
    .slice(0, 20)
    .map(({ name }) => JSON.stringify(name))
    .join(', ');
  throw new TallymanError(
    'FORMAT_MISMATCH',
    `The workbook has no sheet ${typeof wanted === 'number' ? wanted : JSON.stringify(wanted)}; it has ${names === '' ? 'none' : names}.`,
    { fix: 'Correct format.sheet, or ask the supplier.' },
  );
}

function stylesOf(text: string): readonly (DateFormat | null)[] {
  const codes = new Map(
    [...text.matchAll(/<(?:[\w.-]+:)?numFmt\s([^>]*)>/g)].map(([, head = '']) => [
      Number(attribute(head, 'numFmtId')),
      attribute(head, 'formatCode') ?? '',
    ]),
  );
  const section = /<(?:[\w.-]+:)?cellXfs[\s>][\s\S]*?<\/(?:[\w.-]+:)?cellXfs>/.exec(text)?.[0] ?? '';
  return [...section.matchAll(/<(?:[\w.-]+:)?xf\s([^>]*)>/g)].map(([, head = '']) => {
    const id = Number(attribute(head, 'numFmtId') ?? 0);
    return dateFormat(id, codes.get(id) ?? null);
  });
}
