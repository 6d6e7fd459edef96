import fc from 'fast-check';
import type { SFTPWrapper } from 'ssh2';
import { expect, test } from 'vitest';
import { takeBytes, type Arriving } from '../../../src/sources/sftp/bytes.js';

const LONGEST = 1_000;

/**
 * The package, as far as it is needed: it keeps what is pushed, and calls the owner back when the head of an answer
 * without bytes is through.
 */
function wrapper(): {
  readonly sftp: SFTPWrapper;
  readonly push: (data: Buffer | null) => void;
  readonly seen: () => Buffer;
  readonly ended: () => boolean;
  readonly onPush: { run: () => void };
} {
  const seen: Buffer[] = [];
  const onPush = { run: (): void => undefined };
  let ended = false;
  const fake = {
    push: (data: Buffer | null): void => {
      if (data === null) ended = true;
      else {
        seen.push(Buffer.from(data));
        onPush.run();
      }
    },
  };
  const sftp: unknown = fake;
  return {
    sftp: sftp as SFTPWrapper,
    push: (data) => fake.push(data),
    seen: () => Buffer.concat(seen),
    ended: () => ended,
    onPush,
  };
}

/** Takes bytes with the owner of every answer asking for them; returns what was delivered, in order. */
function taking(one: ReturnType<typeof wrapper>): Buffer[] {
  const delivered: Buffer[] = [];
  let current: Arriving | null = null;
  takeBytes(
    one.sftp,
    LONGEST,
    (arriving) => {
      current = arriving;
    },
    () => undefined,
  );
  one.onPush.run = (): void => {
    if (current !== null) current.deliver = (pieces) => delivered.push(Buffer.concat(pieces));
  };
  return delivered;
}

const packet = (type: number, rest: Buffer): Buffer => {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(rest.length + 1, 0);
  head[4] = type;
  return Buffer.concat([head, rest]);
};

const data = (id: number, bytes: Buffer, told = bytes.length): Buffer => {
  const head = Buffer.alloc(8);
  head.writeUInt32BE(id, 0);
  head.writeUInt32BE(told, 4);
  return packet(103, Buffer.concat([head, bytes]));
};

const bytes = fc.uint8Array({ maxLength: 60 }).map((one) => Buffer.from(one));
const answer = fc.record({
  isData: fc.boolean(),
  id: fc.nat(0xffff_ffff),
  type: fc.constantFrom(2, 101, 102, 104, 105, 201),
  bytes,
});

test('however the stream is cut, bytes of the file go to who asked for them and all else to the package as it came', () => {
  fc.assert(
    fc.property(
      fc.array(answer, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (answers, cuts) => {
        const one = wrapper();
        const delivered = taking(one);
        const stream = Buffer.concat(answers.map((a) => (a.isData ? data(a.id, a.bytes) : packet(a.type, a.bytes))));
        for (let at = 0, i = 0; at < stream.length; i++) {
          const length = cuts[i % cuts.length] ?? 1;
          one.push(stream.subarray(at, at + length));
          at += length;
        }
        expect(delivered).toEqual(answers.filter((a) => a.isData).map((a) => a.bytes));
        expect(one.seen()).toEqual(
          Buffer.concat(answers.map((a) => (a.isData ? data(a.id, Buffer.alloc(0)) : packet(a.type, a.bytes)))),
        );
      },
    ),
    { numRuns: 500 },
  );
});

test('bytes that nobody asked for go nowhere', () => {
  const one = wrapper();
  takeBytes(
    one.sftp,
    LONGEST,
    () => undefined,
    () => undefined,
  );
  const status = packet(101, Buffer.from('next'));
  one.push(Buffer.concat([data(7, Buffer.from('abc')), status]));
  expect(one.seen()).toEqual(Buffer.concat([data(7, Buffer.alloc(0)), status]));
});

test.each([
  ['is longer than any read asked for', data(1, Buffer.alloc(LONGEST + 1, 'x'))],
  ['tells fewer bytes than its packet holds', data(1, Buffer.from('abcdef'), 3)],
  ['tells more bytes than its packet holds', data(1, Buffer.from('abc'), 60)],
])('an answer that %s is left to the package, which refuses it', (_, malformed) => {
  const one = wrapper();
  const delivered = taking(one);
  one.push(malformed);
  expect(one.seen()).toEqual(malformed);
  expect(delivered).toEqual([]);
});

test('each piece that comes counts as a sign of life, and the end of the stream goes to the package', () => {
  const one = wrapper();
  let signs = 0;
  takeBytes(
    one.sftp,
    LONGEST,
    () => undefined,
    () => signs++,
  );
  const whole = data(1, Buffer.from('abcdef'));
  one.push(whole.subarray(0, 15));
  one.push(whole.subarray(15));
  one.push(null);
  expect(signs).toBe(2);
  expect(one.ended()).toBe(true);
});

test('a package that takes its bytes in another way is left as it is', () => {
  const other: unknown = { push: 'none' };
  takeBytes(
    other as SFTPWrapper,
    LONGEST,
    () => undefined,
    () => undefined,
  );
  expect(other).toEqual({ push: 'none' });
});
