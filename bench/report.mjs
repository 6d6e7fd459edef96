// What the bench says: tables for people, a JSON file, and the parts of README.md and docs/reference/speed.md between
// their markers.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { root } from '../config/setup.mjs';

const BEGIN = '<!-- bench:begin -->';
const END = '<!-- bench:end -->';

const digits = (value) => (Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2);
export const number = (value, unit = '') =>
  `${value.toLocaleString('en-US', { minimumFractionDigits: digits(value), maximumFractionDigits: digits(value) })}${unit === '' ? '' : ` ${unit}`}`;
const isSpread = (value) => typeof value === 'object' && value !== null;
const middle = (value) => (isSpread(value) ? value.median : value);

/** A median with its quartiles, or a plain number. */
export function figure(value, unit = '') {
  if (value === null || value === undefined) return '';
  if (!isSpread(value)) return number(value, unit);
  const quartiles = value.n < 3 ? '' : ` (${number(value.low)}-${number(value.high)})`;
  return `${number(value.median, unit)}${quartiles}`;
}

/**
 * A figure that was claimed. `aim` with `better`: 'lower' = at most, 'higher' = at least. `command` names the part that
 * measures it.
 */
export function claim(what, value, { unit = '', aim = null, better = 'lower' } = {}) {
  const met = aim === null ? null : better === 'lower' ? middle(value) <= aim : middle(value) >= aim;
  return { what, value, unit, aim, better, met };
}

const aimText = ({ aim, better, unit }) =>
  aim === null
    ? ''
    : `${better === 'lower' ? '<=' : '>='} ${aim.toLocaleString('en-US')}${unit === '' ? '' : ` ${unit}`}`;
const metText = ({ met }) => (met === null ? '' : met ? 'yes' : 'NO');

/** The comparison tables of a part, then its claims, for a terminal. */
export function partText({ title, tables = [], claims, notes = [], seconds }) {
  const out = [`\n== ${title} (${seconds.toFixed(0)} s)`];
  for (const { title: heading, lines } of tables) {
    out.push(
      '',
      heading,
      ...columns([['', 'seconds', 'of psql', 'of floor', 'CPU client', 'CPU server', 'peak'], ...lines.map(lineCells)]),
    );
  }
  if (claims.length > 0)
    out.push(
      '',
      ...columns([
        ['', 'figure', 'aim', 'met'],
        ...claims.map((one) => [one.what, figure(one.value, one.unit), aimText(one), metText(one)]),
      ]),
    );
  out.push(...notes.map((note) => `  ${note}`));
  return `${out.join('\n')}\n`;
}

const lineCells = (line) => [
  line.label,
  figure(line.seconds),
  figure(line.ofBase),
  figure(line.ofFloor),
  line.client === null ? '' : number(line.client.median, 's'),
  line.server === null ? '' : number(line.server.median, 's'),
  line.peak === null ? '' : `${Math.round(line.peak.median / 1e6)} MB`,
];

function columns(rows) {
  const widths = rows[0].map((_, i) => Math.max(...rows.map((row) => row[i].length)));
  return rows.map((row) =>
    `  ${row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  ')}`.trimEnd(),
  );
}

/** bench/results/latest.json, and the same under its date. */
export function writeJson(result) {
  const dir = path.join(root, 'bench', 'results');
  mkdirSync(dir, { recursive: true });
  const text = `${JSON.stringify(result, null, 2)}\n`;
  writeFileSync(path.join(dir, `${result.date.replace(/[:.]/g, '-')}.json`), text);
  writeFileSync(path.join(dir, 'latest.json'), text);
  return path.join(dir, 'latest.json');
}

/** Rewrites what stands between the markers: what has an aim in README.md, every figure in docs/reference/speed.md. */
export function writeReadme(result) {
  between('README.md', resultText(result, { onlyAims: true }));
  between('docs/reference/speed.md', resultText(result, { onlyAims: false }));
}

function between(name, inside) {
  const file = path.join(root, name);
  const text = readFileSync(file, 'utf8');
  const [from, to] = [text.indexOf(BEGIN), text.indexOf(END)];
  if (from < 0 || to < from) throw new Error(`${name} lacks ${BEGIN} and ${END}`);
  writeFileSync(file, `${text.slice(0, from)}${BEGIN}\n${inside}${text.slice(to)}`);
}

/** A pipe ends a cell of a Markdown table, also in code. */
const cell = (text) => text.replaceAll('|', '\\|');

export function resultText({ machine, versions, commit, date, options, parts }, { onlyAims }) {
  const head = `One run of \`${options.command}\` on ${date.slice(0, 10)} at ${commit}: ${machine.cpus} x ${machine.model}, ${machine.memoryGB} GB, ${versions.postgres}, Node ${versions.node}; medians of ${options.rounds} rounds in alternation with their quartiles, checksum, ledger, contract, quarantine, tally and lineage columns switched on.`;
  const tables = parts.flatMap((part) => (part.tables ?? []).filter((table) => table.readme === true));
  const timing = tables.flatMap(({ title, lines }) => [
    '',
    `${title}:`,
    '',
    '| | seconds | of `psql \\copy` | of the floor | peak MB |',
    '|---|---|---|---|---|',
    ...lines.map(
      (line) =>
        `| ${[cell(line.label), figure(line.seconds), figure(line.ofBase), figure(line.ofFloor), line.peak === null ? '' : String(Math.round(line.peak.median / 1e6))].join(' | ')} |`,
    ),
  ]);
  const claims = parts
    .filter((part) => part.readme !== false)
    .flatMap((part) =>
      part.claims
        .filter((one) => !onlyAims || one.aim !== null)
        .map((one) => `| ${cell(one.what)} | ${figure(one.value, one.unit)} | ${aimText(one)} | ${metText(one)} |`),
    );
  return `${[head, ...timing, '', `${onlyAims ? 'What has an aim' : 'All figures'} (\`of\` = time as a part of the other's time, so less is faster):`, '', '| | figure | aim | met |', '|---|---|---|---|', ...claims].join('\n')}\n`;
}
