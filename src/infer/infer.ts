import path from 'node:path';
import { TallymanError } from '../core/errors.js';
import { findFormat } from '../formats/find-format.js';
import { draftFeed } from './draft/draft-feed.js';
import type { FeedDraft } from './draft/draft.js';
import { patternOf } from './draft/file-name.js';
import type { Evidence, Guess } from './evidence/column-guess.js';
import { guessColumn } from './evidence/guess.js';
import { dayFirstOf, isPointed } from './evidence/guess-moment.js';
import { STYLES } from './evidence/number-evidence.js';
import type { InferParts } from './sample/infer-parts.js';
import { openTable } from './sample/open-table.js';
import type { ColumnProfile } from './evidence/profile.js';
import { Prover } from './evidence/prove.js';
import { takeSample } from './sample/sample.js';
import { Scratch } from './sample/scratch.js';
import { NO_WORDS, type NullPlan, type Table } from './sample/table.js';
import { unite, type United } from './evidence/unite.js';

export interface InferOptions {
  /** The feed's name; null = made from the first file's. */
  readonly name: string | null;
  /** Bytes of the head that are read of each file. */
  readonly sampleBytes: number;
  /** Folder that `source.dir` is written relative to, for files that were named relatively. */
  readonly base: string;
}

/** Bytes read of all files together: many files cost no more than a few. */
const MOST_BYTES = 64 * 1024 * 1024;
const LEAST_BYTES = 256 * 1024;

/**
 * Samples files and proposes one feed for all of them. Throws FILE_UNREADABLE, FILE_CORRUPT and FORMAT_MISMATCH for a
 * file that cannot be read or told, and USAGE for files of different formats.
 */
export async function inferFeed(
  files: readonly string[],
  parts: InferParts,
  options: InferOptions,
): Promise<FeedDraft> {
  const scratch = new Scratch();
  try {
    return await draftOf(files, parts, options, scratch);
  } finally {
    await scratch.remove();
  }
}

async function draftOf(
  files: readonly string[],
  parts: InferParts,
  options: InferOptions,
  scratch: Scratch,
): Promise<FeedDraft> {
  const limit = Math.max(LEAST_BYTES, Math.min(options.sampleBytes, Math.floor(MOST_BYTES / files.length)));
  const tables: Table[] = [];
  for (const file of files) tables.push(await openTable(await takeSample(file, parts.decoders, limit), parts, scratch));
  const [first] = tables;
  if (first === undefined) throw new TallymanError('USAGE', 'no file was named');
  const other = tables.find((table) => table.format !== first.format);
  if (other !== undefined) {
    throw new TallymanError(
      'USAGE',
      `${first.sample.path} is ${first.format} and ${other.sample.path} is ${other.format}: a feed has one format.`,
      { fix: 'Infer them one by one: one feed each.' },
    );
  }
  const united = await unite(tables);
  const names = united.columns.map(({ name }) => name);
  const evidence = evidenceOf(united, patternOf(files.map((file) => path.basename(file))).date);
  let guesses = united.columns.map(({ type, profile }, index): Guess =>
    type === null ? guessColumn(profile, names[index]!, evidence) : { type, doubts: [] },
  );
  guesses = guesses.map((guess) => keepCodes(guess, united, guesses));
  const takesNulls = findFormat(parts.formats, first.format).hasNullWords === true;
  if (!takesNulls) guesses = guesses.map((guess) => ((guess.nulls ?? []).length === 0 ? guess : withoutNulls(guess)));
  const nulls = nullPlan(united, guesses, takesNulls);
  const provers = await prove(united, guesses, nulls);
  return draftFeed({
    files,
    united,
    guesses: provers.map((prover) => prover.guess),
    proven: provers.map((prover) => prover.proven),
    nulls,
    name: options.name,
    base: options.base,
  });
}

/**
 * NA is Namibia in a column of country codes: a word for NULL holds for all columns, so there the other column is text.
 */
function keepCodes(guess: Guess, { columns }: United, guesses: readonly Guess[]): Guess {
  const code = (guess.nulls ?? []).find((word) => /^[A-Z]{2,3}$/.test(word) && word !== 'NAN');
  const owner =
    code === undefined
      ? undefined
      : columns.find(
          ({ profile }, index) =>
            guesses[index]?.type === 'text' &&
            profile.words.has(code) &&
            profile.values > 0 &&
            profile.longest <= 3 &&
            profile.shortest >= 2,
        );
  if (owner === undefined) return guess;
  return {
    type: 'text',
    doubts: [
      `${guess.type}, but for ${JSON.stringify(code)}, which looks like a code in ${owner.name}: as a word for NULL it would be lost there`,
    ],
  };
}

/** The format has no words for NULL: what is no value of the type makes the column text. */
function withoutNulls(guess: Guess): Guess {
  return {
    type: 'text',
    doubts: [`mixed: ${guess.type}, and ${(guess.nulls ?? []).map((word) => JSON.stringify(word)).join(', ')}`],
  };
}

/** What columns beyond doubt say about the others. */
function evidenceOf(united: United, fileDate: number | null): Evidence {
  const profiles = united.columns.map(({ profile }) => profile);
  const decimals = new Set(profiles.flatMap(commaOf));
  const orders = new Set(profiles.flatMap((profile) => dayFirstOf(profile) ?? []));
  const agreed = (set: ReadonlySet<boolean>): boolean | null => (set.size === 1 ? set.has(true) : null);
  return {
    commaDecimals: agreed(decimals),
    dayFirst: agreed(orders),
    pointedDates: profiles.some(isPointed),
    semicolons: united.tables[0]?.options['delimiter'] === ';',
    fileDate,
  };
}

function commaOf({ numbers, values }: ColumnProfile): boolean[] {
  if (values === 0 || numbers.separators === 0 || numbers.styles.length === 0) return [];
  const signs = new Set(numbers.styles.map((index) => STYLES[index]?.decimal));
  return signs.size === 1 ? [signs.has(',')] : [];
}

/** Words that mean NULL in some column that has a type, and `\N`, which means nothing else anywhere. */
function nullPlan({ columns }: United, guesses: readonly Guess[], takesNulls: boolean): NullPlan {
  if (!takesNulls) return NO_WORDS;
  const words = new Set<string>();
  let quoted = false;
  for (const [index, { profile }] of columns.entries()) {
    for (const word of guesses[index]?.nulls ?? []) {
      words.add(word);
      if ((profile.words.get(word)?.quoted ?? 0) > 0) quoted = true;
    }
    if (profile.words.has('\\N')) words.add('\\N');
  }
  return { words: [...words], quoted };
}

async function prove(united: United, guesses: readonly Guess[], nulls: NullPlan): Promise<Prover[]> {
  const provers = guesses.map((guess, index) => new Prover(united.columns[index]!.name, guess));
  for (const [index, table] of united.tables.entries()) {
    const places = united.places[index]!;
    await table.read(
      {
        cell: (column, bytes, start, end, _quoted, line) => provers[places[column]!]!.cell(bytes, start, end, line),
        absent: (column) => provers[places[column]!]!.absent(),
      },
      nulls,
    );
  }
  return provers;
}
