import { expect, test } from 'vitest';
import { Events } from '../../src/core/events.js';
import type { LoadProgress } from '../../src/core/load.js';

const progress = (fileId: number): LoadProgress => ({
  fileId,
  path: 'a.csv',
  bytes: 0,
  totalBytes: 1,
  rows: 0,
  bad: 0,
  chunk: 0,
});

test('everybody who listens hears an event of that name, at once and in order', () => {
  const events = new Events();
  const heard: string[] = [];
  events.on('progress', ({ fileId }) => heard.push(`first ${fileId}`));
  events.on('progress', ({ fileId }) => heard.push(`second ${fileId}`));
  events.on('file', () => heard.push('file'));
  events.tell('progress', progress(7));
  expect(heard).toEqual(['first 7', 'second 7']);
});

test('nothing is kept for later, and an ended subscription hears nothing more', () => {
  const events = new Events();
  const heard: number[] = [];
  events.tell('progress', progress(1));
  const end = events.on('progress', ({ fileId }) => heard.push(fileId));
  events.tell('progress', progress(2));
  end();
  events.tell('progress', progress(3));
  expect(heard).toEqual([2]);
});
