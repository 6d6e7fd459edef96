import { decodeListed } from './key.js';

/** One thing that happened in a bucket. */
export interface BucketEvent {
  readonly bucket: string;
  readonly key: string;
}

/**
 * The new objects that a message of a queue names: S3's own form, the same wrapped by SNS, or EventBridge's. Empty
 * for all else (deletions, the test message that S3 sends when it is set up, anything foreign): it is only a hint, so
 * what is not understood is passed over.
 */
export function readEvents(body: string): readonly BucketEvent[] {
  const message = parsed(body);
  const inner =
    message?.['Type'] === 'Notification' && typeof message['Message'] === 'string'
      ? parsed(message['Message'])
      : message;
  if (inner === null) return [];
  if (Array.isArray(inner['Records'])) return inner['Records'].flatMap((record: unknown) => fromRecord(record));
  if (inner['detail-type'] !== 'Object Created') return [];
  // Here keys stand as they are.
  return eventOf(objectAt(inner, 'detail'), (key) => key);
}

function fromRecord(record: unknown): readonly BucketEvent[] {
  if (!isObject(record) || typeof record['eventName'] !== 'string' || !record['eventName'].startsWith('ObjectCreated'))
    return [];
  return eventOf(objectAt(record, 's3'), decodeListed);
}

function eventOf(
  told: Readonly<Record<string, unknown>> | null,
  decode: (key: string) => string | null,
): readonly BucketEvent[] {
  const bucket = objectAt(told, 'bucket')?.['name'];
  const key = objectAt(told, 'object')?.['key'];
  const plain = typeof key === 'string' ? decode(key) : null;
  return typeof bucket === 'string' && plain !== null ? [{ bucket, key: plain }] : [];
}

function parsed(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch (error) {
    if (error instanceof SyntaxError) return null;
    throw error;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function objectAt(
  value: Readonly<Record<string, unknown>> | null,
  key: string,
): Readonly<Record<string, unknown>> | null {
  const inner = value?.[key];
  return isObject(inner) ? inner : null;
}
