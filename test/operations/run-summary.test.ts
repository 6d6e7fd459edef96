import { describe, expect, test } from 'vitest';
import { runSummary } from '../../src/operations/run-summary.js';
import { detailOf } from '../quarantine/support.js';

describe('the summary of a run', () => {
  test('counts files by their end, and rows of those only that were loaded or checked', () => {
    const rows = { read: 10, loaded: 9, quarantined: 1, skipped: 0, declared: null, delta: null };
    const reports = [
      detailOf({ rows }),
      detailOf({ rows, state: 'rejected' }),
      detailOf({ rows: { ...rows, delta: 0 }, state: 'checked' }),
    ];
    const summary = runSummary(reports, { waiting: 4, notTaken: 2 }, 3);
    expect(summary).toMatchObject({ message_type: 'summary', exit_code: 3 });
    expect(summary.files).toMatchObject({ loaded: 1, rejected: 1, checked: 1, failed: 0, waiting: 4 });
    expect(summary.rows).toEqual({ read: 20, loaded: 18, quarantined: 2, skipped: 0, delta: 0 });
  });
});
