import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { QuarantineRow } from '../../src/core/quarantine.js';
import { exportAbout } from '../../src/quarantine/export/about.js';
import { exportHtml } from '../../src/quarantine/export/html.js';
import { aboutOf, detailOf, dialectOf, fault, quarantined, receiptOf, written } from './support.js';

const page = async (
  rows: readonly QuarantineRow[],
  about = aboutOf(['a', 'b']),
  detail = detailOf(),
): Promise<string> => await written(exportHtml, rows, about, detail);

/** The page without its style sheet. */
const body = async (...args: Parameters<typeof page>): Promise<string> =>
  (await page(...args)).replace(/<style>.*<\/style>/s, '');

/** Text of the marked cells, tags dropped. */
const marked = (html: string): string[] =>
  [...html.matchAll(/<td class="[^"]*\bbad\b[^"]*"[^>]*>(.*?)<\/td>/gs)].map((match) =>
    match[1]!.replace(/<[^>]*>/g, ''),
  );

/** All tags, to be held against those of a page with tame data. */
const tags = (html: string): string[] => [...html.matchAll(/<[^>]*>/g)].map((match) => match[0]);

describe('the html page', () => {
  test('tells the file, the feed, the time and the counts', async () => {
    const rows = { read: 12_345, loaded: 12_339, quarantined: 6, skipped: 0, declared: null, delta: 0 };
    const html = await body([quarantined('1,x')], aboutOf(['a', 'b'], {}, detailOf(), receiptOf({ rows })));
    for (const part of [
      'orders.csv',
      'orders',
      '2026-11-20 06:00:06 UTC',
      '<b>12,345</b>read',
      '<b>12,339</b>loaded',
      '<b>6</b>refused',
    ])
      expect(html).toContain(part);
  });

  test('tells what was announced and skipped only where there is something', async () => {
    const rows = { read: 12, loaded: 9, quarantined: 1, skipped: 2, declared: 12, delta: 0 };
    const html = await body([], aboutOf(['a'], {}, detailOf(), receiptOf({ rows })));
    expect(html).toContain('<b>2</b>skipped');
    expect(html).toContain('<b>12</b>announced by the sender');
    expect(await body([])).not.toMatch(/skipped|announced/);
  });

  test('shows each row with its number, line, cells and reason', async () => {
    const html = await body([quarantined('1,x', [fault('b', 'type-error', { message: 'not a date' })])]);
    expect(html).toMatch(
      /<th class="n" scope="row">3<\/th><td class="n">4<\/td>.*<bdi>b<\/bdi>.*not a date.*<td class="c">1<\/td><td class="c bad">x<\/td>/s,
    );
  });

  test('of an archive has a column for the member, whose name is data like any other', async () => {
    const html = await body([
      quarantined('1,x', [fault('b')], { member: '<b>day1</b>.csv' }),
      quarantined('1,y', [fault('b')], { member: 'day2.csv' }),
    ]);
    expect(html).toContain('<th scope="col">File in the archive</th>');
    expect(html).toContain('<bdi>&lt;b&gt;day1&lt;/b&gt;.csv</bdi>');
    expect(html).toContain('<bdi>day2.csv</bdi>');
    expect(await body([quarantined('1,x')])).not.toContain('in the archive');
  });

  test('marks the cell from which the column at fault was taken', async () => {
    const about = aboutOf(['Id', 'Betrag', 'Name'], { cells: { amount: 2 } });
    expect(marked(await body([quarantined('1,x,n', [fault('amount')])], about))).toEqual(['x']);
  });

  test('marks all cells of a key', async () => {
    expect(
      marked(await body([quarantined('1,2,3', [fault('a, c', 'unique-error')])], aboutOf(['a', 'b', 'c']))),
    ).toEqual(['1', '3']);
  });

  test('marks the cell of a feed without contract by the name made from its header', async () => {
    expect(marked(await body([quarantined('1,2', [fault('order_id')])], aboutOf(['Order Id', 'x'])))).toEqual(['1']);
  });

  test('marks what is missing and what is too much', async () => {
    const rows = [quarantined('1', [fault('b', 'missing-cell')]), quarantined('1,2,3', [fault(null, 'extra-cell')])];
    expect(marked(await body(rows))).toEqual(['missing', '3']);
  });

  test('says empty in an empty cell at fault', async () => {
    expect(marked(await body([quarantined('1,', [fault('b', 'constraint-error', { rule: 'required' })])]))).toEqual([
      'empty',
    ]);
  });

  test('shows the record as it stands when it cannot be taken apart', async () => {
    const html = await body([quarantined('1,"x', [fault(null, 'quote-error')])]);
    expect(marked(html)).toEqual(['1,&quot;x']);
    expect(html).toContain('colspan="2"');
  });

  test('makes blanks that cannot be seen visible in a marked cell', async () => {
    expect(marked(await body([quarantined('1, 1\u00a0234 ', [fault('b')])]))).toEqual(['space1U+00A0234space']);
  });

  test('counts cells that it does not show', async () => {
    expect(
      await body([quarantined(Array.from({ length: 40 }, String).join(','), [fault(null, 'extra-cell')])]),
    ).toContain('30 more cells are not shown');
  });

  test('cuts long cells and says so', async () => {
    const html = await body([quarantined(`1,${'é'.repeat(5000)}`, [fault('b')])]);
    expect(marked(html)[0]).toMatch(/^é{150} …$/);
  });

  test('shows only the first column and those with a fault of a wide file, until asked', async () => {
    const names = Array.from({ length: 30 }, (_, i) => `c${i}`);
    const html = await body([quarantined(names.join(','), [fault('c17')])], aboutOf(names));
    expect(html).toContain('Of 30 columns');
    expect([...html.matchAll(/<td class="c( bad)?">(c\d+)<\/td>/g)].map((match) => match[2])).toEqual(['c0', 'c17']);
    expect([...html.matchAll(/<td class="c fine">/g)]).toHaveLength(28);
  });
});

describe('the grouped reasons', () => {
  const group = {
    class: 'type-error',
    column: 'amount',
    rows: 9000,
    first_row: 42,
    first_line: 43,
    example: '1.234,50',
    message: 'not a numeric(12,2)',
  } as const;

  test("are those of the file's report", async () => {
    const detail = detailOf({ errors: [group] });
    const html = await body(
      [quarantined('1,x')],
      exportAbout(detail, receiptOf(), dialectOf(['Betrag', 'b'], { cells: { amount: 1 } })),
      detail,
    );
    expect(html).toMatch(
      /9,000<\/th><td><bdi>Betrag<\/bdi><\/td><td><bdi>not a numeric\(12,2\)<\/bdi>.*1\.234,50.*<td class="n">43<\/td>/,
    );
  });

  test('are counted from the rows for a load that the report is not about', async () => {
    const detail = detailOf({ errors: [group], load_id: 12 });
    const html = await body(
      [quarantined('1,x'), quarantined('2,x')],
      exportAbout(detail, receiptOf({ loadId: 9 }), dialectOf(['a', 'b'])),
      detail,
    );
    expect(html).not.toContain('numeric(12,2)');
    expect(html).toMatch(/2<\/th><td><bdi>a<\/bdi><\/td><td><bdi>not an integer/);
    expect(html).toContain('file 42, load 9');
  });
});

describe('a file that was rejected', () => {
  test('is told to be refused as a whole, with the reason and the rows that were kept', async () => {
    const detail = detailOf({
      state: 'rejected',
      error: { code: 'TOO_MANY_BAD_ROWS', message: '3 of 4 rows were refused', fix: 'raise limits.bad_rows' },
    });
    const receipt = receiptOf({
      status: 'rejected',
      rows: { read: 4000, loaded: 0, quarantined: 3000, skipped: 0, declared: null, delta: null },
    });
    const html = await body([quarantined('1,x')], aboutOf(['a', 'b'], {}, detail, receipt), detail);
    expect(html).toContain('The whole file was refused');
    expect(html).toContain('3 of 4 rows were refused');
    expect(html).toContain('the first 1 of 3,000 refused rows');
    expect(html).not.toContain('raise limits');
  });
});

describe('a large quarantine', () => {
  const rows = { read: 20_000_000, loaded: 10_000_000, quarantined: 10_000_000, skipped: 0, declared: null, delta: 0 };
  const about = aboutOf(['a', 'b'], {}, detailOf(), receiptOf({ rows }));

  async function shown(
    row: QuarantineRow,
  ): Promise<{ readonly asked: number; readonly closed: boolean; readonly html: string }> {
    let asked = 0;
    let closed = false;
    async function* endless(): AsyncGenerator<readonly QuarantineRow[]> {
      try {
        for (;;) {
          asked++;
          yield await Promise.resolve(Array.from({ length: 1000 }, () => row));
        }
      } finally {
        closed = true;
      }
    }
    let html = '';
    for await (const piece of exportHtml(detailOf(), endless(), about)) html += piece;
    return { asked, closed, html };
  }

  test('ends after 5,000 rows, says so, and gives the command for the rest', async () => {
    const { asked, closed, html } = await shown(quarantined('1,x'));
    expect({ asked, closed }).toEqual({ asked: 6, closed: true });
    expect([...html.matchAll(/<tr><th class="n" scope="row">3</g)]).toHaveLength(5000);
    expect(html).toContain('the first 5,000 of 10,000,000 refused rows');
    expect(html).toContain('tallyman quarantine export 42 --format csv');
  });

  test('shows fewer rows when they are large', async () => {
    const { asked, html } = await shown(quarantined('1,"'.padEnd(50_000, 'x'), [fault(null, 'quote-error')]));
    expect(asked).toBe(2);
    expect(html.length).toBeLessThan(12_000_000);
  });
});

describe('the page on its own', () => {
  const hostile = '</style></title><script>alert(1)</script><img src=x onerror=alert(1)>" onload="x" \'--><!--&amp;';

  test('asks nobody for anything and runs nothing', async () => {
    const html = await page([quarantined('1,x')]);
    expect(html).not.toMatch(
      /<(?:script|link|img|iframe|object|embed|form|base)\b|https?:|url\(|@import| on\w+=| style=/i,
    );
    expect(html).toContain("default-src 'none'");
  });

  test('lets only its own style sheet through its policy', async () => {
    const html = await page([]);
    const style = /<style>(.*)<\/style>/s.exec(html)?.[1] ?? '';
    expect(html).toContain(`style-src 'sha256-${createHash('sha256').update(style).digest('base64')}'`);
  });

  test('does not tell where the file stands on this host', async () => {
    expect(await page([quarantined('1,x')])).not.toContain('secret-place');
  });

  test('has the same tags whatever the names, cells and messages hold', async () => {
    const of = async (data: string): Promise<string[]> => {
      const error = { code: 'X', message: data, fix: data };
      const detail = detailOf({
        path: data,
        feed: data,
        sha256: data,
        state: 'rejected',
        error,
        errors: [
          { class: 'type-error', column: data, rows: 1, first_row: 1, first_line: 1, example: data, message: data },
        ],
      });
      const quoted = `"${data.replaceAll('"', '""')}"`;
      const about = aboutOf(
        [data, 'b'],
        { cells: { [data]: 1 } },
        detail,
        receiptOf({ status: 'rejected', committedAt: data }),
      );
      const rows = [
        quarantined(`${quoted},x`, [fault(data, 'type-error', { message: data, value: data })]),
        quarantined(`${quoted},x`, [fault('b')]),
        quarantined(`"${data}`, [fault(null, 'quote-error')]),
      ];
      return tags(await body(rows, about, detail));
    };
    expect(await of(hostile)).toEqual(await of('tame'));
    await fc.assert(
      fc.asyncProperty(
        fc.string({
          unit: fc.constantFrom('<', '>', '"', "'", '&', '/', 'a', '=', '!', '-', ';', '`'),
          minLength: 1,
          maxLength: 30,
        }),
        async (data) => {
          expect(await of(data)).toEqual(await of('tame'));
        },
      ),
      { numRuns: 60 },
    );
  });

  test.each([
    ['an override that turns the text around', '\u202Egnp.csv', 'U+202E'],
    ['an isolate', '\u2066x', 'U+2066'],
    ['an Arabic letter mark', '\u061Cx', 'U+061C'],
    ['a zero-width space', 'a\u200Bb', 'U+200B'],
    ['an escape character', '\u001b[31m', 'U+001B'],
    ['a byte order mark', '\uFEFFx', 'U+FEFF'],
    ['a tag character', '\u{E0041}', 'U+E0041'],
    ['a carriage return', 'a\rb', 'U+000D'],
  ])('makes visible %s in names and cells', async (_, data, name) => {
    const detail = detailOf({ path: data });
    const html = await page([quarantined(`1,"${data}"`, [fault('a')])], aboutOf(['a', 'b'], {}, detail), detail);
    expect(html).not.toContain(data);
    expect(html.split(name).length - 1).toBeGreaterThanOrEqual(3);
  });

  test('leaves letters, joiners and emoji of all scripts as they are', async () => {
    const data = 'شركة می‌خواهم 👩‍👩‍👧 日本 Ünï';
    expect(await page([quarantined(`1,${data}`, [fault('b')])])).toContain(`>${data}</td>`);
  });
});
