import { setTimeout as sleep } from 'node:timers/promises';
import type { SQS } from '@aws-sdk/client-sqs';
import { backoff } from '../../base/backoff.js';
import type { EventListener, ObjectEvents } from '../../core/object-store.js';
import { storeError } from './errors.js';
import { readEvents } from './event.js';
import { quietSdk, type S3Bucket } from './client.js';

/** What one request brings at most, and how long it waits for it: SQS's own limits. */
const BATCH = 10;
const WAIT_S = 20;
/** Messages kept until the ledger has their files. Beyond, a full listing is asked for, which frees them. */
const HELD_MAX = 10_000;
const HIDDEN_MAX_S = 43_200;
const PAUSES = { baseMs: 1_000, maxMs: 60_000 };

interface Held {
  readonly handle: string;
  /** Number of its arrival. */
  readonly arrived: number;
}

/**
 * Event notifications through SQS, as hints. A message is deleted once a full listing that began after it came has been
 * taken into the ledger to its end: then the ledger has the file, or has seen it go. A process that dies before that
 * gets the message again, and does no harm with it. It stays hidden for longer than the time between two listings.
 */
export class S3Watch implements ObjectEvents {
  readonly #at: S3Bucket;
  readonly #queueUrl: string;
  readonly #listener: EventListener;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();
  #held: Held[] = [];
  #arrivals = 0;
  #client: SQS | null = null;

  constructor(at: S3Bucket, queueUrl: string, listener: EventListener) {
    this.#at = at;
    this.#queueUrl = queueUrl;
    this.#listener = listener;
  }

  async start(): Promise<void> {
    quietSdk();
    const { SQS } = await import('@aws-sdk/client-sqs');
    const { credentials, region, maxAttempts, requestHandler } = await this.#at.clientConfig();
    const own = regionOf(this.#queueUrl) ?? region;
    // The queue's own URL is where it is asked: the endpoint of the connection is that of the objects.
    this.#client = new SQS({
      endpoint: new URL(this.#queueUrl).origin,
      ...(credentials === undefined ? {} : { credentials }),
      ...(own === undefined ? {} : { region: own }),
      ...(maxAttempts === undefined ? {} : { maxAttempts }),
      ...(requestHandler === undefined ? {} : { requestHandler }),
    });
    this.#running = this.#run(this.#client);
  }

  mark(): number {
    return this.#arrivals;
  }

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

  /** Never ends by itself: a queue that cannot be read now is reported once, and asked again. */
  async #run(client: SQS): Promise<void> {
    for (let failures = 0; !this.#isStopped();) {
      try {
        if (this.#held.length < HELD_MAX) await this.#receive(client);
        else {
          this.#listener.onHint(null);
          await this.#pause(PAUSES.baseMs);
        }
        failures = 0;
      } catch (error) {
        if (this.#isStopped()) return;
        if (failures++ === 0)
          this.#listener.onError(new Error(`queue ${this.#queueUrl}: ${storeError(this.#at, error).message}`));
        await this.#pause(backoff(failures, PAUSES));
      }
    }
  }

  async #receive(client: SQS): Promise<void> {
    const { pollMs, isWorth, onHint } = this.#listener;
    const hidden = Math.min(HIDDEN_MAX_S, Math.ceil((2 * pollMs) / 1_000) + 60);
    const { Messages = [] } = await client.receiveMessage(
      { QueueUrl: this.#queueUrl, MaxNumberOfMessages: BATCH, WaitTimeSeconds: WAIT_S, VisibilityTimeout: hidden },
      { abortSignal: this.#stop.signal },
    );
    const foreign: string[] = [];
    for (const { Body = '', ReceiptHandle: handle } of Messages) {
      if (handle === undefined) continue;
      const keys = readEvents(Body).filter((event) => event.bucket === this.#at.bucket && isWorth(event.key));
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
        await client.deleteMessageBatch({ QueueUrl: this.#queueUrl, Entries });
      } catch (error) {
        this.#listener.onError(
          new Error(
            `queue ${this.#queueUrl}: messages could not be deleted and will come again: ${storeError(this.#at, error).message}`,
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
