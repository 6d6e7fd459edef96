import type { ErrorGroup } from '../../core/report.js';
import type { ExportAbout } from './about.js';
import { closeText, html, isolated, NOTHING, text, type Html } from './html-text.js';
import type { ShownRow } from './html-rows.js';
import { columnLabel } from './record-cells.js';

/** Groups that a page shows; the rest is counted. */
const MOST_GROUPS = 50;
const EXAMPLE_LIMIT = 120;
const MESSAGE_LIMIT = 300;
/**
 * With more columns only the first, which mostly names the record, and those with a fault are shown, until a box is
 * ticked: nobody finds a marked cell among 200.
 */
const MOST_COLUMNS = 12;
/** Rows handed on in one go. */
const BLOCK = 50;

const number = new Intl.NumberFormat('en-US');

/** What is wrong, largest group first. `partial`: only of the rows on this page. */
export function groupTable(groups: readonly ErrorGroup[], about: ExportAbout, partial: boolean): Html {
  const more = groups.length - MOST_GROUPS;
  return html`<h2>What is wrong</h2>
<p class="soft">${partial ? html`In the rows on this page. ` : NOTHING}A row with several faults is in several lines.</p>
<div class="frame"><table>
<thead><tr><th class="n" scope="col">Rows</th><th scope="col">Column</th><th scope="col">Reason</th><th scope="col">For example</th><th class="n" scope="col">First in line</th></tr></thead>
<tbody>
${groups.slice(0, MOST_GROUPS).map((group) => groupLine(group, about))}</tbody></table></div>
${more > 0 ? html`<p class="soft">and ${more} other reasons</p>` : NOTHING}`;
}

function groupLine(group: ErrorGroup, about: ExportAbout): Html {
  const example =
    group.example === null
      ? html`<span class="soft">–</span>`
      : html`<bdi>${closeText(group.example, EXAMPLE_LIMIT)}</bdi>`;
  return html`<tr><th class="n" scope="row">${text(number.format(group.rows))}</th><td>${columnOf(group.column, about)}</td><td>${isolated(group.message, MESSAGE_LIMIT)} <small>${text(group.class)}</small></td><td class="eg">${example}</td><td class="n">${group.first_line}</td></tr>
`;
}

/** The rows in blocks: a page is written as it is made. */
export function* rowTable(rows: readonly ShownRow[], about: ExportAbout): Generator<Html> {
  const width = about.headings.length;
  const surplus = Math.max(0, ...rows.map((row) => (row.cells?.length ?? 0) - width));
  const faulty = new Set([0, ...rows.flatMap((row) => [...row.bad])]);
  const wide = width + surplus > MOST_COLUMNS;
  /** Cells that a wide page shows when asked, and never on paper. */
  const fine = (cell: number): Html => (wide && !faulty.has(cell) ? html` fine` : NOTHING);
  const columns = Math.max(1, width + surplus);
  const archive = rows.some((row) => row.member !== null);
  yield html`${
    wide
      ? html`<p class="wide"><span class="soft">Of ${columns} columns, the first and those with a fault are shown.</span> <label><input type="checkbox">show all</label></p>
`
      : NOTHING
  }<div class="frame rows" tabindex="0" role="region" aria-label="Refused rows"><table>
<thead><tr><th class="n" scope="col">Row</th>${archive ? html`<th scope="col">File in the archive</th>` : NOTHING}<th class="n" scope="col">Line</th><th scope="col">Reason</th>${headings(about, surplus, fine)}</tr></thead>
<tbody>
`;
  for (let at = 0; at < rows.length; at += BLOCK)
    yield html`${rows.slice(at, at + BLOCK).map((row) => rowLine(row, about, { archive, columns, fine }))}`;
  yield html`</tbody></table></div>
`;
}

function headings(about: ExportAbout, surplus: number, fine: (cell: number) => Html): Html {
  if (about.headings.length === 0) return html`<th class="c" scope="col">Record</th>`;
  const width = about.headings.length;
  return html`${about.headings.map((heading, cell) => html`<th class="c${fine(cell)}" scope="col">${text(heading, MESSAGE_LIMIT)}</th>`)}${Array.from({ length: surplus }, (_, i) => html`<th class="c${fine(width + i)}" scope="col">+${i + 1}</th>`)}`;
}

interface RowShape {
  /** There is a column for the member. */
  readonly archive: boolean;
  readonly columns: number;
  readonly fine: (cell: number) => Html;
}

function rowLine(row: ShownRow, about: ExportAbout, { archive, columns, fine }: RowShape): Html {
  const member = archive ? html`<td class="why">${isolated(row.member ?? '', MESSAGE_LIMIT)}</td>` : NOTHING;
  const place = html`<th class="n" scope="row">${row.row}</th>${member}<td class="n">${row.line ?? html`–`}</td><td class="why"><ul>${reasons(row, about)}</ul></td>`;
  if (row.cells === null)
    return html`<tr>${place}<td class="c raw bad" colspan="${columns}">${closeText(row.raw)}</td></tr>
`;
  const { cells, bad } = row;
  return html`<tr>${place}${Array.from({ length: columns }, (_, cell) => cellOf(cells[cell], bad.has(cell), fine(cell)))}</tr>
`;
}

function cellOf(cell: string | undefined, bad: boolean, fine: Html): Html {
  if (!bad) return html`<td class="c${fine}">${text(cell ?? '')}</td>`;
  if (cell === undefined) return html`<td class="c bad"><span class="none">missing</span></td>`;
  return html`<td class="c bad">${cell === '' ? html`<span class="none">empty</span>` : closeText(cell)}</td>`;
}

function reasons(row: ShownRow, about: ExportAbout): Html {
  const more = row.faults - row.errors.length;
  return html`${row.errors.map((error) => reason(error, about))}${row.unseen > 0 ? html`<li class="soft">${row.unseen} more cells are not shown</li>` : NOTHING}${more > 0 ? html`<li class="soft">and ${more} more faults</li>` : NOTHING}`;
}

function reason(error: ShownRow['errors'][number], about: ExportAbout): Html {
  const column = error.column === null ? NOTHING : html`<strong>${columnOf(error.column, about)}</strong>: `;
  return html`<li>${column}${isolated(error.message, MESSAGE_LIMIT)} <small>${text(error.class)}</small></li>`;
}

const columnOf = (column: string | null, about: ExportAbout): Html =>
  column === null ? html`<span class="soft">–</span>` : isolated(columnLabel(column, about), MESSAGE_LIMIT);
