import { toUtf8 } from '../../../src/decode/charset/charset.js';
import type { FeedDraft } from '../../../src/infer/draft/draft.js';
import { chunks, collect } from '../../decode/support.js';
import { columnWords, inferFiles, put } from '../support.js';

/**
 * A file, and what is right about it. A guess that differs must say so in a comment: at the key, at the column, or in a
 * note that names the key. A wrong guess without one fails. Cases are data: another kind is another file beside this
 * one that exports a list of them, named in corpus.test.ts.
 */
export interface CorpusCase {
  readonly name: string;
  /** Its name on disk, where that matters. */
  readonly file?: string;
  readonly content: string | Buffer;
  readonly right: {
    /** Keys under `format:`; undefined: the key must not be there. Keys that are not named may be anything. */
    readonly format?: Readonly<Record<string, unknown>>;
    /** All columns as `typesOf` writes them: `id integer`, `day date %d/%m/%Y`. */
    readonly columns?: readonly string[];
    /** The whole text, whatever the encoding is called. */
    readonly text?: string;
  };
}

/** What became of a case. `silent`: wrong guesses that nothing is said about. */
export interface Verdict {
  readonly draft: FeedDraft;
  readonly wrong: readonly string[];
  readonly silent: readonly string[];
}

export async function judge(one: CorpusCase): Promise<Verdict> {
  const draft = await inferFiles([put(one.file ?? 'corpus.csv', one.content)]);
  const found = [...wrongFormat(draft, one), ...wrongColumns(draft, one), ...(await wrongText(draft, one))];
  return {
    draft,
    wrong: found.map(({ what }) => what),
    silent: found.filter(({ said }) => !said).map(({ what }) => what),
  };
}

interface Wrong {
  readonly what: string;
  readonly said: boolean;
}

const isSaid = (draft: FeedDraft, key: string): boolean =>
  draft.comments[`format.${key}`] !== undefined ||
  [...draft.notes, ...draft.formatNotes].some((note) => note.startsWith(`${key}: `));

function wrongFormat(draft: FeedDraft, { right }: CorpusCase): readonly Wrong[] {
  return Object.entries(right.format ?? {})
    .filter(([key, value]) => JSON.stringify(draft.format[key]) !== JSON.stringify(value))
    .map(([key, value]) => ({
      what: `format.${key}: ${JSON.stringify(draft.format[key])}, right is ${JSON.stringify(value)}`,
      said: isSaid(draft, key),
    }));
}

function wrongColumns({ columns }: FeedDraft, { right }: CorpusCase): readonly Wrong[] {
  const words = columns.map(columnWords);
  if (right.columns === undefined) return [];
  if (words.length !== right.columns.length)
    return [{ what: `columns: ${words.join(', ')}, right is ${right.columns.join(', ')}`, said: false }];
  return right.columns.flatMap((wanted, index) =>
    words[index] === wanted
      ? []
      : [{ what: `${words[index] ?? ''}, right is ${wanted}`, said: (columns[index]?.doubts.length ?? 0) > 0 }],
  );
}

async function wrongText(draft: FeedDraft, { content, right }: CorpusCase): Promise<readonly Wrong[]> {
  if (right.text === undefined) return [];
  const label = typeof draft.format['encoding'] === 'string' ? draft.format['encoding'] : 'utf-8';
  const text = await collect((await toUtf8(chunks(Buffer.from(content)), label)).bytes);
  return text.toString().replace(/^\uFEFF/, '') === right.text
    ? []
    : [{ what: `encoding: ${label}`, said: isSaid(draft, 'encoding') }];
}
