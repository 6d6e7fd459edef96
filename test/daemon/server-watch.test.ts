import { afterEach, describe, expect, test } from 'vitest';
import { TallymanError } from '../../src/core/errors.js';
import { ServerWatch, type ServerWatchParts } from '../../src/daemon/server-watch.js';

/** A database that may be another one, a work loop, and what was said and done. */
class Scene {
  readonly events: string[] = [];
  readonly stop = new AbortController();
  readonly watch: ServerWatch;
  another = false;
  ready = true;
  running = 0;
  trouble: Error | null = null;
  /** Resolved by the test: the comparison is done. */
  compared: Promise<void> = Promise.resolve();
  readonly #ended: Promise<void>;

  constructor(change: Partial<ServerWatchParts> = {}) {
    const say = (level: string) => (_fields: object, message: string) => void this.events.push(`${level}: ${message}`);
    this.watch = new ServerWatch({
      log: { debug: say('debug'), info: say('info'), warn: say('warn'), error: say('error') },
      isAnotherServer: () => (this.trouble === null ? Promise.resolve(this.another) : Promise.reject(this.trouble)),
      compareAgain: async () => {
        this.events.push('compare');
        await this.compared;
        this.another = false;
      },
      ready: () => this.ready,
      running: () => this.running,
      goOn: () => this.events.push('go on'),
      askMs: 5,
      ...change,
    });
    this.#ended = this.watch.run(this.stop.signal);
  }

  /** Several times as long as it pauses between two questions. */
  async pass(ms = 60): Promise<void> {
    await new Promise((resolve) => setTimeout(resolve, ms));
  }

  async close(): Promise<void> {
    this.stop.abort();
    await this.#ended;
  }
}

/** A busy machine may need long. */
const eventually = <T>(read: () => T) => expect.poll(read, { timeout: 20_000 });

let scene: Scene;
afterEach(() => scene.close());

describe('the server behind the address', () => {
  test('is the same: nothing is held up and nothing compared', async () => {
    scene = new Scene();
    await scene.pass();
    expect([scene.watch.hold, scene.events]).toEqual([null, []]);
  });

  test('is another: no load begins until the stores were compared', async () => {
    scene = new Scene();
    let done = (): void => undefined;
    scene.compared = new Promise((resolve) => (done = resolve));
    scene.another = true;
    await eventually(() => scene.events).toEqual(['compare']);
    expect(scene.watch.hold?.code).toBe('DATABASE_BUSY');
    done();
    await eventually(() => scene.events).toEqual(['compare', 'go on']);
    expect(scene.watch.hold).toBeNull();
  });

  test('is another: loads under way end first', async () => {
    scene = new Scene();
    scene.running = 1;
    scene.another = true;
    await eventually(() => scene.watch.hold?.code).toBe('DATABASE_BUSY');
    await scene.pass();
    expect(scene.events).toEqual([]);
    scene.running = 0;
    await eventually(() => scene.events).toEqual(['compare', 'go on']);
  });

  test('is not asked for before the stores were brought together at the start', async () => {
    scene = new Scene();
    scene.ready = false;
    scene.another = true;
    await scene.pass();
    expect(scene.events).toEqual([]);
    scene.ready = true;
    await eventually(() => scene.events).toEqual(['compare', 'go on']);
  });

  test('is away: whoever loads next says so, nothing is held here', async () => {
    scene = new Scene();
    scene.trouble = new TallymanError('DATABASE_UNREACHABLE', 'no answer');
    await eventually(() => scene.events).toContain('debug: no answer');
    expect(scene.watch.hold).toBeNull();
  });

  test('is the wrong one: said once, and loads are held until the right one is back', async () => {
    scene = new Scene();
    scene.trouble = new TallymanError('DATABASE_CHANGED', 'another database');
    await eventually(() => scene.watch.hold?.code).toBe('DATABASE_CHANGED');
    await scene.pass();
    expect(scene.events).toEqual(['error: another database']);
    scene.trouble = null;
    await eventually(() => scene.watch.hold).toBeNull();
    expect(scene.events).toEqual(['error: another database', 'go on']);
  });

  test('the signal ends the watch while it waits for loads', async () => {
    scene = new Scene();
    scene.running = 1;
    scene.another = true;
    await eventually(() => scene.watch.hold?.code).toBe('DATABASE_BUSY');
    await expect(scene.close()).resolves.toBeUndefined();
  });
});
