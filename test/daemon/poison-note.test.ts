import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { forgetProgress, progressFile, readProgress, workDirOf } from '../../src/load/progress.js';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(path.join(tmpdir(), 'tallyman-note-'));
  mkdirSync(workDirOf(dir));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

test('the note of a death is counted once: a process that dies before it parses again leaves none', () => {
  const note = progressFile(workDirOf(dir), 7);
  writeFileSync(note, '12');
  expect(readProgress(dir, 7)).toBe(12);
  forgetProgress(dir, 7);
  expect(existsSync(note)).toBe(false);
  expect(readProgress(dir, 7)).toBe(null);
  forgetProgress(dir, 7);
});
