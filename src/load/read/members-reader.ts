import type { Batch } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import type { DriftNote, FileDialect, Layout, RecordReader } from '../../core/format.js';
import { isUnterminated, UNTERMINATED } from './text-end.js';

/** A member of an archive as a file of the feed's format. */
export interface ReadableMember {
  readonly name: string;
  open(): Promise<RecordReader>;
}

/**
 * The members of an archive one after another, as one file: rows are numbered through, lines and offsets are those of
 * the member. All members must have the columns of the first that is not empty. `dialect().members` says with which row
 * each that has rows begins, and `memberOf` tells it for a row.
 */
export class MembersReader implements RecordReader {
  readonly layout: Layout;
  readonly empty: boolean;
  readonly #members: readonly ReadableMember[];
  readonly #drift: DriftNote[];
  readonly #firstRows = new Map<string, number>();
  /** Keys and values of #firstRows, ascending. */
  readonly #titles: string[] = [];
  readonly #starts: number[] = [];
  readonly #dialect: () => FileDialect;
  readonly #firstName: string;
  #reader: RecordReader | null;
  /** Notes of the open reader that are in #drift already. */
  #told: number;
  #at: number;
  #rows = 0;
  /** A member that is at its end ended within a line. */
  #unterminated = false;
  /** Of the members opened so far; null = one of them declares none. */
  #declared: number | null;

  private constructor(
    members: readonly ReadableMember[],
    first: { readonly at: number; readonly reader: RecordReader },
  ) {
    const { layout } = first.reader;
    this.#members = members;
    this.#reader = first.reader;
    this.#at = first.at;
    this.#drift = [...layout.drift];
    this.#told = layout.drift.length;
    this.layout = { ...layout, drift: this.#drift };
    this.empty = first.reader.empty;
    this.#dialect = () => first.reader.dialect();
    this.#declared = first.reader.declaredRows;
    this.#firstName = members[first.at]!.name;
  }

  /** `members`: at least one. Throws what opening the first one with content throws, the member's name before it. */
  static async open(members: readonly ReadableMember[]): Promise<MembersReader> {
    for (const [at, member] of members.entries()) {
      const reader = await openMember(member);
      if (!reader.empty || at === members.length - 1) return new MembersReader(members, { at, reader });
      await proveEmpty(reader);
    }
    throw new TallymanError('INTERNAL', 'an archive without members');
  }

  /** What all members declare together: known at the end. */
  get declaredRows(): number | null {
    return this.#declared;
  }

  dialect(): FileDialect {
    return {
      ...this.#dialect(),
      ...(this.#unterminated ? UNTERMINATED : {}),
      members: Object.fromEntries(this.#firstRows),
    };
  }

  memberOf(row: number): string | null {
    let low = 0;
    let high = this.#starts.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#starts[middle]! <= row) low = middle + 1;
      else high = middle;
    }
    return this.#titles[low - 1] ?? null;
  }

  async next(): Promise<Batch | null> {
    for (;;) {
      if (this.#reader === null) return null;
      const batch = await this.#reader.next();
      this.#tellDrift(this.#reader);
      if (batch !== null) {
        const firstRow = this.#rows + 1;
        if (batch.firstRow === 1) this.#begins(this.#members[this.#at]!.name);
        this.#rows += batch.rows;
        return batch.firstRow === firstRow ? batch : renumbered(batch, firstRow);
      }
      if (isUnterminated(this.#reader.dialect())) this.#unterminated = true;
      await this.#reader.close();
      this.#reader = await this.#following();
    }
  }

  async close(): Promise<void> {
    await this.#reader?.close();
    this.#reader = null;
  }

  async #following(): Promise<RecordReader | null> {
    for (;;) {
      const member = this.#members[++this.#at];
      if (member === undefined) return null;
      const reader = await openMember(member);
      if (reader.empty) {
        await proveEmpty(reader);
        continue;
      }
      this.#told = 0;
      this.#declared =
        this.#declared === null || reader.declaredRows === null ? null : this.#declared + reader.declaredRows;
      try {
        this.#sameColumns(member.name, reader.layout);
      } catch (error) {
        await reader.close();
        throw error;
      }
      return reader;
    }
  }

  /** An archive may hold one name twice. */
  #begins(name: string): void {
    let title = name;
    for (let count = 2; this.#firstRows.has(title); count++) title = `${name} (${count})`;
    this.#firstRows.set(title, this.#rows + 1);
    this.#titles.push(title);
    this.#starts.push(this.#rows + 1);
  }

  #sameColumns(name: string, { fileColumns }: Layout): void {
    const wanted = this.layout.fileColumns.map((column) => column.name);
    const found = fileColumns.map((column) => column.name);
    if (wanted.length === found.length && wanted.every((column, i) => column === found[i])) return;
    throw new TallymanError(
      'FORMAT_MISMATCH',
      `The member ${name} has the columns ${shown(found)}, and ${this.#firstName} before it ${shown(wanted)}.`,
      { fix: 'Name the members of one kind under members, or ask the supplier for equal columns in equal order.' },
    );
  }

  #tellDrift({ layout: { drift } }: RecordReader): void {
    for (; this.#told < drift.length; this.#told++) {
      const note = drift[this.#told]!;
      const isSame = ({ kind, column }: DriftNote): boolean => kind === 'passed' && column === note.column;
      const same = note.kind === 'passed' ? this.#drift.findIndex(isSame) : -1;
      const passed = this.#drift[same];
      if (passed !== undefined) this.#drift[same] = together(passed, note);
      else if (!this.#drift.some((told) => told.kind === note.kind && told.column === note.column))
        this.#drift.push(note);
    }
  }
}

/** What was passed over by one rule in several members. */
const together = (a: DriftNote, b: DriftNote): DriftNote => ({
  ...a,
  ...(a.lines === undefined && b.lines === undefined ? {} : { lines: (a.lines ?? 0) + (b.lines ?? 0) }),
  ...(a.rows === undefined && b.rows === undefined ? {} : { rows: (a.rows ?? 0) + (b.rows ?? 0) }),
});

const SHOWN = 20;
const shown = (names: readonly string[]): string =>
  names.slice(0, SHOWN).join(', ') + (names.length > SHOWN ? ' ...' : '');

async function openMember(member: ReadableMember): Promise<RecordReader> {
  try {
    return await member.open();
  } catch (error) {
    if (!(error instanceof TallymanError) || error.message.includes(member.name)) throw error;
    throw new TallymanError(error.code, `${member.name}: ${error.message}`, { fix: error.fix, cause: error });
  }
}

/** To its end, where a decoder finds damage. */
async function proveEmpty(reader: RecordReader): Promise<void> {
  while ((await reader.next()) !== null);
  await reader.close();
}

/** The same batch under other row numbers: one object a batch, nothing a row. */
function renumbered(batch: Batch, firstRow: number): Batch {
  if (batch.kind === 'vectors') return { ...batch, firstRow };
  const { kind, bytes, rows, width, starts, ends, flags, cells, rowStarts, rowEnds, lines, offsets, clean, faults } =
    batch;
  return {
    kind,
    bytes,
    rows,
    width,
    starts,
    ends,
    flags,
    cells,
    rowStarts,
    rowEnds,
    firstRow,
    lines,
    offsets,
    clean,
    faults,
    unescape: (start, end, out, at) => batch.unescape(start, end, out, at),
    ...(batch.surplus === undefined ? {} : { surplus: (row) => batch.surplus?.(row) ?? [] }),
  };
}
