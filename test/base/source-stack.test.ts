import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { sourceStack } from '../../src/base/source-stack.js';

const dir = mkdtempSync(path.join(tmpdir(), 'tallyman-stack-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));
const url = (name: string): string => pathToFileURL(path.join(dir, name)).href;

test('places in the bundle become those of the sources; what has no map stays', () => {
  // The second line of the bundle, from its third column, is the fifth line of the source, from its second column.
  const map = { version: 3, sources: ['../src/a.ts'], names: [], mappings: ';EAIC' };
  writeFileSync(path.join(dir, 'chunk.js.map'), JSON.stringify(map));
  writeFileSync(path.join(dir, 'torn.js.map'), '{');
  const stack = (place: string): string => `Error: no\n    at f (${place})\n    at node:internal/x:1:2`;
  expect(sourceStack(stack(`${url('chunk.js')}:2:3`))).toBe(stack(`${url('../src/a.ts')}:5:2`));
  for (const place of [`${url('none.js')}:2:3`, `${url('torn.js')}:2:3`])
    expect(sourceStack(stack(place))).toBe(stack(place));
});
