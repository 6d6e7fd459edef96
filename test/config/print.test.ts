import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { printableConfig, printConfig } from '../../src/config/print.js';
import type { Config } from '../../src/config/config.js';
import { fullFeed, parse, REGISTERED, WITH_REMOTE, withFolder } from './support.js';
import { loadConfig } from '../../src/config/load-config.js';

const EXAMPLE = path.resolve(import.meta.dirname, '../../config/tallyman.example.yaml');
const example = (): Config =>
  loadConfig({
    path: EXAMPLE,
    env: { PGPASSWORD: 'canary-one', TALLYMAN_TOKEN: 'canary-two', ACME_PASSWORD: 'canary-three' },
    cwd: '/',
    parts: REGISTERED,
  }).config;

describe('config print', () => {
  test('no secret is in it, as YAML or JSON', async () => {
    await withFolder({ pw: 'canary-three\n' }, (base) => {
      const text =
        'database: { url: "postgresql://u:canary-four@h/d", password: { file: pw } }\nconnections: { acme: { type: remote, host: h, password: "${P}" } }\ndaemon: { http: { token: { env: T } } }\nfeeds: {}\n';
      const config = parse(text, { base, env: { P: 'canary-five', T: 'canary-six' }, parts: WITH_REMOTE });
      expect(printConfig(config)).not.toContain('canary');
      expect(JSON.stringify(printableConfig(config))).not.toContain('canary');
      expect(printConfig(config)).toContain('postgresql://u:********@h/d');
    });
    expect(printConfig(example())).not.toContain('canary');
  });

  test('what is printed loads again as the same feeds', () => {
    const texts = [
      fullFeed(''),
      fullFeed('columns: text\nnames: keep'),
      fullFeed(
        'columns:\n  - { name: a, from: [A, B], type: "numeric(12,2)", required: true, min: 0.10, decimal: ",", enum: ["1,5", 2] }\n  - { name: d, type: date, format: ["%d/%m/%Y", epoch_s], default: 2026-01-01 }\nunique: [[a, d]]\nafter: { loaded: { move: "done/%Y" }, rejected: delete }\nlimits: { bad_rows: 3, bad_ratio: null }\ntarget: { table: x.y, mode: replace_all, load_index: brin }\ncontrol: { trailer: "^T\\\\$\\\\{(?<rows>\\\\d+)", rows_offset: 2 }',
      ),
    ];
    for (const text of texts) {
      const first = parse(text);
      expect(parse(printConfig(first)).feeds).toEqual(first.feeds);
    }
    expect(parse(printConfig(example()), { parts: REGISTERED }).feeds).toEqual(example().feeds);
  });

  test('printing is stable: printed, loaded and printed it is the same', () => {
    const printed = printConfig(example());
    expect(printConfig(parse(printed, { parts: REGISTERED }))).toBe(printed);
  });

  test("defaults are filled in, a part's own too", () => {
    expect(printConfig(parse(fullFeed('')))).toMatch(/delimiter: ","[^]*on_duplicate: skip/);
  });

  test('it keeps the patterns as they were written', () => {
    expect(readFileSync(EXAMPLE, 'utf8')).toContain('orders_%Y%m%d*.csv');
    expect(printConfig(example())).toContain('orders_%Y%m%d*.csv');
  });
});
