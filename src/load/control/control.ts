import type { Batch } from '../../core/batch.js';
import { TallymanError } from '../../core/errors.js';
import type { Algorithm, ControlSpec, SaidKeys } from '../../core/feed/control.js';
import type { ColumnSpec } from '../../core/feed/columns.js';
import type { LoadJob } from '../../core/load.js';
import { parseManifest } from '../../intake/manifest-text.js';
import { checkDigests, checkRows, checkTotals, declaredRows, type SaidDigest } from './check.js';
import type { CutOut } from './control-stream.js';
import { Totals } from './totals.js';
import { rowsOf, type Groups, type Speaker } from './words.js';

const NOTHING: ControlSpec = {
  header: null,
  trailer: null,
  rowsOffset: 0,
  manifest: null,
  metadata: null,
  checksum: null,
  totals: {},
};

/** A text under a name; undefined = there is none. */
type Lookup = (key: string) => string | undefined;

/**
 * What the sender says about one file (`control`), held against what is read of it. One object an attempt:
 *
 *     pass with `algorithms` -> open the reader with `cuts` -> `expect` the columns -> `add` every batch -> `declared`,
 *     `check`
 */
export class Control {
  /** Checksums beside sha256 that the pass has to compute. */
  readonly algorithms: readonly Algorithm[];
  /** openReader puts here what it cuts out of the file, one entry a member. */
  readonly cuts: CutOut[] = [];
  readonly #job: LoadJob;
  readonly #asked: ControlSpec;
  #totals: Totals | null = null;

  constructor(job: LoadJob) {
    this.#job = job;
    this.#asked = job.feed.control ?? NOTHING;
    const { manifest, metadata } = this.#asked;
    const checksum = job.beside?.checksum ?? null;
    const asked = [
      ...(manifest?.digests ?? []),
      ...(metadata?.digests ?? []),
      ...(checksum === null ? [] : [checksum]),
    ];
    this.algorithms = [...new Set(asked.map(({ algorithm }) => algorithm))];
  }

  /**
   * How the file's columns are read. An `empty` file has none. Throws MISSING_COLUMNS when there is no such column to
   * add up.
   */
  expect(columns: readonly ColumnSpec[], cellOf: readonly number[], empty: boolean): void {
    const { totals } = this.#asked;
    if (Object.keys(totals).length > 0) this.#totals = new Totals(totals, columns, cellOf, empty);
  }

  /** Every batch, before its buffers are used again. */
  add(batch: Batch): void {
    this.#totals?.add(batch);
  }

  /**
   * How many records the file is said to hold, by whoever says so first; null = not said. `formatSays`: the file's own
   * footer. Throws CONTROL_MISSING.
   */
  declared(formatSays: number | null): number | null {
    return declaredRows(this.#speakers(formatSays));
  }

  /**
   * Everything that is said, against what was read. `digests`: of the delivered bytes. Throws CHECKSUM_MISMATCH,
   * DECLARED_ROWS_MISMATCH, TOTALS_MISMATCH and CONTROL_MISSING.
   */
  check(formatSays: number | null, read: number, digests: ReadonlyMap<string, string>): void {
    // Bytes that were damaged on the way explain everything else.
    checkDigests(this.#saidDigests(), digests);
    const speakers = this.#speakers(formatSays);
    checkRows(speakers, read);
    if (this.#totals !== null) checkTotals(speakers, this.#totals);
  }

  #speakers(formatSays: number | null): readonly Speaker[] {
    const { header, trailer, manifest, metadata, rowsOffset, totals } = this.#asked;
    const speakers: Speaker[] = [];
    if (header !== null)
      speakers.push(
        recordSpeaker(
          'the header record',
          this.cuts.map((cut) => cut.header()),
          rowsOffset,
        ),
      );
    if (trailer !== null)
      speakers.push(
        recordSpeaker(
          'the trailer',
          this.cuts.map((cut) => cut.trailer()),
          rowsOffset,
        ),
      );
    // Without keys of its own a manifest may still say totals.
    if (manifest !== null || (this.#job.manifest !== null && Object.keys(totals).length > 0))
      speakers.push(keyedSpeaker('the manifest', manifest, manifestOf(this.#job), rowsOffset));
    if (metadata !== null) speakers.push(keyedSpeaker('the metadata', metadata, metadataOf(this.#job), rowsOffset));
    if (formatSays !== null) speakers.push({ name: 'the file itself', rows: formatSays, total: () => undefined });
    return speakers;
  }

  #saidDigests(): readonly SaidDigest[] {
    const { checksum, manifest, metadata } = this.#asked;
    const found = this.#job.beside?.checksum ?? null;
    const said: SaidDigest[] = [];
    if (checksum !== null && found === null)
      throw new TallymanError(
        'CONTROL_MISSING',
        `the checksum file ${JSON.stringify(checksum)} is not there, or has no line for this file`,
      );
    if (checksum !== null && found !== null)
      said.push({ algorithm: found.algorithm, digest: found.digest, by: found.path });
    if (manifest !== null) said.push(...digestsOf('the manifest', manifest, manifestOf(this.#job)));
    if (metadata !== null) said.push(...digestsOf('the metadata', metadata, metadataOf(this.#job)));
    return said;
  }
}

/** Of the members of an archive each one speaks for itself; together they speak for the file when all say it. */
function recordSpeaker(name: string, records: readonly (Groups | null)[], offset: number): Speaker {
  const all = (group: string): readonly string[] | undefined => {
    const texts = records.flatMap((record) => record?.get(group) ?? []);
    return texts.length === 0 || texts.length < records.length ? undefined : texts;
  };
  const rows = all('rows');
  return {
    name,
    rows: rows === undefined ? null : rows.reduce((sum, text) => sum + rowsOf(text, name) - offset, 0),
    total: all,
  };
}

function keyedSpeaker(name: string, keys: SaidKeys | null, lookup: Lookup, offset: number): Speaker {
  const key = keys?.rows ?? null;
  const text = key === null ? undefined : lookup(key);
  if (key !== null && text === undefined)
    throw new TallymanError('CONTROL_MISSING', `${name} says no number of rows under ${JSON.stringify(key)}`);
  return {
    name,
    rows: text === undefined ? null : rowsOf(text, name) - offset,
    total: (total) => {
      const value = lookup(total);
      return value === undefined ? undefined : [value];
    },
  };
}

function digestsOf(by: string, { digests }: SaidKeys, lookup: Lookup): readonly SaidDigest[] {
  return digests.map(({ algorithm, key }) => {
    const digest = lookup(key)?.trim();
    if (digest === undefined || digest === '')
      throw new TallymanError('CONTROL_MISSING', `${by} says no ${algorithm} under ${JSON.stringify(key)}`);
    return { algorithm, digest, by };
  });
}

function manifestOf(job: LoadJob): Lookup {
  if (job.manifest === null) throw new TallymanError('CONTROL_MISSING', 'the manifest is not there');
  const manifest = parseManifest(job.manifest);
  if ('problem' in manifest)
    throw new TallymanError('CONTROL_MISSING', `the manifest cannot be used: ${manifest.problem}`);
  return manifest.values;
}

function metadataOf(job: LoadJob): Lookup {
  const metadata = job.beside?.metadata ?? null;
  if (metadata === null)
    throw new TallymanError('CONTROL_MISSING', 'the file has no metadata: only objects in S3 carry some');
  return (key) => {
    const name = key.toLowerCase().replace(/^x-amz-meta-/, '');
    return Object.hasOwn(metadata, name) ? metadata[name] : undefined;
  };
}
