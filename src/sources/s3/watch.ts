import { setTimeout as sleep } from 'node:timers/promises';
import type { SQS } from '@aws-sdk/client-sqs';
import { storeError } from './errors.js';
import { readEvents } from './event.js';
import { quietSdk, type S3Store } from './client.js';
import { backoff } from '../../base/backoff.js';

/** What one request brings at most, and how long it waits for it: SQS's own limits. */
const BATCH = 10;
const WAIT_S = 20;
/** Messages kept until the ledger has their files. Beyond, a full listing is asked for, which frees them. */
const HELD_MAX = 10_000;
const HIDDEN_MAX_S = 43_200;
const PAUSES = { baseMs: 1_000, maxMs: 60_000 };

export interface QueueOptions {
  readonly store: S3Store;
  readonly queueUrl: string;
  /** How often the bucket is listed: messages stay hidden for longer, milliseconds. */
  readonly pollMs: number;
  /** Is a key of this bucket one that the feed takes, or a marker? */
  readonly isWorth: (key: string) => boolean;
  readonly onHint: (path: string | null) => void;
  readonly onError: (error: Error) => void;
}

interface Held {
  readonly handle: string;
  /** Number of its arrival. */
  readonly arrived: number;
}

/**
 * Event notifications through SQS, as hints. A message is deleted once a full listing that began after it came has been
 * taken into the ledger to its end: then the ledger has the file, or has seen it go. A process that dies before that
 * gets the message again, and does no harm with it.
 */
export class S3Watch {
  readonly #options: QueueOptions;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #held: Held[] = [];
  #arrivals = 0;
  #client: SQS | null = null;

  constructor(options: QueueOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    quietSdk();
    const { SQS } = await import('@aws-sdk/client-sqs');
    const { credentials, region, maxAttempts, requestHandler } = this.#options.store.clientConfig();
    const own = regionOf(this.#options.queueUrl) ?? region;
    // The queue's own URL is where it is asked: the endpoint of the connection is that of the objects.
    this.#client = new SQS({
      endpoint: new URL(this.#options.queueUrl).origin,
      ...(credentials === undefined ? {} : { credentials }),
      ...(own === undefined ? {} : { region: own }),
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
      ...(requestHandler === undefined ? {} : { requestHandler }),
    });
    this.#running = this.#run(this.#client);
  }

  /** Where the arrivals stand: taken before a full listing, for `listed` behind it. */
  mark(): number {
    return this.#arrivals;
  }

  /**
   * A full listing that began at the mark has come to its end, and its files are in the ledger. Throws nothing: what
   * cannot be deleted comes again.
   */
  async listed(mark: number): Promise<void> {
    const done = this.#held.filter((one) => one.arrived <= mark);
    this.#held = this.#held.filter((one) => one.arrived > mark);
    await this.#delete(done.map((one) => one.handle));
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    this.#client?.destroy();
    this.#client = null;
  }

  /** Never ends by itself: a queue that cannot be read now is told once, and asked again. */
  async #run(client: SQS): Promise<void> {
    for (let failures = 0; !this.#isStopped();) {
      try {
        if (this.#held.length < HELD_MAX) await this.#receive(client);
        else {
          this.#options.onHint(null);
          await this.#pause(PAUSES.baseMs);
        }
        failures = 0;
      } catch (error) {
        if (this.#isStopped()) return;
        if (failures++ === 0)
          this.#options.onError(
            new Error(`queue ${this.#options.queueUrl}: ${storeError(this.#options.store, error).message}`),
          );
        await this.#pause(backoff(failures, PAUSES));
      }
    }
  }

  async #receive(client: SQS): Promise<void> {
    const { queueUrl, pollMs, store, isWorth, onHint } = this.#options;
    const hidden = Math.min(HIDDEN_MAX_S, Math.ceil((2 * pollMs) / 1_000) + 60);
    const { Messages = [] } = await client.receiveMessage(
      { QueueUrl: queueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: WAIT_S, VisibilityTimeout: hidden },
      { abortSignal: this.#stop.signal },
    );
    const foreign: string[] = [];
    for (const { Body = '', ReceiptHandle: handle } of Messages) {
      if (handle === undefined) continue;
      const keys = readEvents(Body).filter((event) => event.bucket === store.bucket && isWorth(event.key));
      if (keys.length === 0) foreign.push(handle);
      else this.#held.push({ handle, arrived: ++this.#arrivals });
      for (const { key } of keys) onHint(key);
    }
    await this.#delete(foreign);
  }

  async #delete(handles: readonly string[]): Promise<void> {
    const client = this.#client;
    for (let from = 0; client !== null && from < handles.length; from += BATCH) {
      const Entries = handles.slice(from, from + BATCH).map((ReceiptHandle, i) => ({ Id: String(i), ReceiptHandle }));
      try {
        await client.deleteMessageBatch({ QueueUrl: this.#options.queueUrl, Entries });
      } catch (error) {
        this.#options.onError(
          new Error(
            `queue ${this.#options.queueUrl}: messages could not be deleted and will come again: ${storeError(this.#options.store, error).message}`,
          ),
        );
        return;
      }
    }
  }

  #isStopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async #pause(ms: number): Promise<void> {
    // An abort is the only way that it can fail.
    await sleep(ms, undefined, { signal: this.#stop.signal }).catch(() => undefined);
  }
}

/** `https://sqs.eu-west-1.amazonaws.com/...` -> eu-west-1; null for a queue elsewhere. */
const regionOf = (queueUrl: string): string | null =>
  /^sqs\.([a-z0-9-]+)\.amazonaws\./.exec(new URL(queueUrl).hostname)?.[1] ?? null;
