import type { FileDetail } from '../../core/report.js';
import type { QuarantineRow } from '../../core/quarantine.js';
import type { ExportAbout } from './about.js';
import { groupTable, rowTable } from './html-tables.js';
import { takeRows, type ShownRows } from './html-rows.js';
import { STYLE } from './html-style.js';
import { html, isolated, NOTHING, plainText, styleElement, text, type Html } from './html-text.js';

const { element: STYLE_ELEMENT, source: STYLE_SOURCE } = styleElement(STYLE);
const number = new Intl.NumberFormat('en-US');
const count = (n: number): Html => text(number.format(n));

/**
 * One page for the person who makes the files: what was refused, where it stands, and why. No script, no request to
 * anywhere, and its Content-Security-Policy forbids both; all names and cells are data. Holds the first rows
 * (MOST_ROWS); memory is bounded for any number.
 */
export async function* exportHtml(
  detail: FileDetail,
  pages: AsyncIterable<readonly QuarantineRow[]>,
  about: ExportAbout,
): AsyncIterable<string> {
  const shown = await takeRows(pages, about);
  yield head(detail);
  yield summary(detail, about);
  if (shown.rows.length > 0) {
    yield groupTable(about.reported ? detail.errors : shown.groups, about, shown.cut && !about.reported);
    yield html`<h2>The rows</h2>${scope(shown, about)}`;
    yield* rowTable(shown.rows, about);
  }
  yield foot(detail, about);
}

function head(detail: FileDetail): Html {
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src ${STYLE_SOURCE}; base-uri 'none'; form-action 'none'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<meta name="generator" content="tallyman">
<title>Refused rows: ${plainText(detail.path)}</title>
${STYLE_ELEMENT}
</head>
<body>
<main>
`;
}

function summary(detail: FileDetail, about: ExportAbout): Html {
  const { rows, rejected } = about;
  return html`<header>
<p class="over">Refused rows · <bdi>${text(detail.feed)}</bdi></p>
<h1>${isolated(detail.path)}</h1>
<p class="lead soft">${lead(about)}</p>
</header>
${
  rejected
    ? html`<div class="stop"><p><strong>The whole file was refused: none of its rows was loaded.</strong>${detail.error === null || about.id.startsWith('load:') ? NOTHING : html` ${isolated(detail.error.message)}`}</p></div>
`
    : NOTHING
}<ul class="tally">
<li><b>${count(rows.read)}</b>read</li>
<li class="loaded"><b>${count(rows.loaded)}</b>loaded</li>
<li class="refused"><b>${count(rows.quarantined)}</b>refused</li>
${
  rows.skipped > 0
    ? html`<li><b>${count(rows.skipped)}</b>skipped</li>
`
    : NOTHING
}${
    rows.declared === null
      ? NOTHING
      : html`<li><b>${count(rows.declared)}</b>announced by the sender</li>
`
  }</ul>
<dl>
${
  about.committedAt === null
    ? NOTHING
    : html`<dt>Read</dt><dd>${when(about.committedAt)}</dd>
`
}${
    detail.mtime === null
      ? NOTHING
      : html`<dt>File date</dt><dd>${when(detail.mtime)}</dd>
`
  }<dt>Size</dt><dd>${count(detail.size)} bytes</dd>
${
  detail.sha256 === null
    ? NOTHING
    : html`<dt>SHA-256</dt><dd><code>${text(detail.sha256)}</code></dd>
`
}</dl>
`;
}

function lead({ rows, rejected }: ExportAbout): Html {
  if (rows.quarantined === 0) return html`No row of this file was refused.`;
  const some = html`${count(rows.quarantined)} of the ${count(rows.read)} rows that were read`;
  return rejected ? html`${some} could not be taken.` : html`${some} could not be taken. All others are loaded.`;
}

/** What of all there is stands on this page, and where the rest is. */
function scope({ rows, cut }: ShownRows, about: ExportAbout): Html {
  const legend = html`Row counts the records behind the header from 1, line the lines of the file. Marked cells are at fault.`;
  if (cut) {
    return html`<p class="soft">${legend}</p><p><strong>These are the first ${count(rows.length)} of ${count(about.rows.quarantined)} refused rows.</strong> The whole list: <code>tallyman quarantine export ${text(about.id)} --format csv -o refused.csv</code></p>`;
  }
  if (rows.length < about.rows.quarantined) {
    return html`<p class="soft">${legend}</p><p><strong>These are the first ${count(rows.length)} of ${count(about.rows.quarantined)} refused rows:</strong> of a file that is refused as a whole no more are kept.</p>`;
  }
  return html`<p class="soft">${legend}</p>`;
}

function foot(detail: FileDetail, about: ExportAbout): Html {
  return html`<footer><p>Written by tallyman: file ${detail.file_id}${detail.load_id === null && !about.id.startsWith('load:') ? NOTHING : html`, load ${text(about.id.startsWith('load:') ? about.id.slice(5) : String(detail.load_id))}`}, feed <bdi>${text(detail.feed)}</bdi>. <code>\\xHH</code> stands for a byte that is no text, U+HHHH for a character that cannot be seen.</p></footer>
</main>
</body>
</html>
`;
}

/** 2026-11-20 06:00:00 UTC */
function when(iso: string): Html {
  return text(iso.replace(/^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)(?:\.\d+)?Z$/, '$1 $2 UTC'));
}
