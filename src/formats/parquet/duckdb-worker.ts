import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import process from 'node:process';
import { messageOf, TallymanError } from '../../core/errors.js';
import { failureOf } from './failure.js';
import { COLUMNS, END, FAILED, HEAD, type ColumnPath, type Failure, type Request } from './frames.js';
import type { OpenFile } from './open-file.js';

/**
 * The process that reads Parquet files with DuckDB for its parent (child.ts), one at a time. By itself: whatever a
 * hostile file does to a native reader, it does it here. Ends when its parent does. Writing blocks, so that a parent
 * that is slower holds the reading back.
 */
const ANSWERS = 3;

let file: OpenFile | null = null;

async function answer(request: Request): Promise<void> {
  if (request.op === 'open') {
    await forget();
    file = await (await reader()).open(request.path, request.scratch);
    sendJson(COLUMNS, file.described);
    return;
  }
  if (file === null) throw new TallymanError('INTERNAL', 'no file is open');
  await file.read(request.columns, send);
  sendJson(END, {});
}

/** Throws NOT_INSTALLED: DuckDB's native part comes in an optional package, which an install may leave out. */
async function reader(): Promise<typeof OpenFile> {
  try {
    return (await import('./open-file.js')).OpenFile;
  } catch (error) {
    const [reason = ''] = messageOf(error).split('\n');
    throw new TallymanError('NOT_INSTALLED', `DuckDB, which reads Parquet, cannot be started: ${reason}`, {
      cause: error,
    });
  }
}

async function forget(): Promise<void> {
  await file?.close();
  file = null;
}

function sendJson(kind: number, value: object): void {
  const json = Buffer.from(JSON.stringify(value));
  const frame = Buffer.concat([Buffer.alloc(HEAD), json]);
  frame.writeUInt32LE(json.length, 0);
  frame.writeUInt32LE(kind, 4);
  send(frame);
}

function send(frame: Buffer): void {
  for (let done = 0; done < frame.length;) done += writeSync(ANSWERS, frame, done, frame.length - done);
}

function isColumnPath(value: unknown): value is ColumnPath {
  return (
    typeof value === 'object' &&
    value !== null &&
    'column' in value &&
    typeof value.column === 'number' &&
    'fields' in value &&
    Array.isArray(value.fields)
  );
}

function requestOf(line: string): Request {
  const value: unknown = JSON.parse(line);
  if (typeof value === 'object' && value !== null && 'op' in value) {
    if (
      value.op === 'open' &&
      'path' in value &&
      typeof value.path === 'string' &&
      'scratch' in value &&
      typeof value.scratch === 'string'
    ) {
      return { op: 'open', path: value.path, scratch: value.scratch };
    }
    if (value.op === 'read' && 'columns' in value && Array.isArray(value.columns) && value.columns.every(isColumnPath))
      return { op: 'read', columns: value.columns };
  }
  throw new TallymanError('INTERNAL', 'a request that the Parquet reader does not know');
}

/** One request after the other: the parent waits for the end of each. */
for await (const line of createInterface({ input: process.stdin })) {
  try {
    await answer(requestOf(line));
  } catch (error) {
    await forget();
    const failure: Failure = failureOf(error);
    try {
      sendJson(FAILED, failure);
    } catch (lost) {
      // The parent went away: nobody is left to be told.
      process.stderr.write(`${messageOf(lost)}\n`);
      break;
    }
  }
}
process.exit(0);
