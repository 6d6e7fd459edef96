import type { Mark } from './faults.js';
import type { Sample } from './sampler.js';

interface Series {
  readonly name: string;
  readonly colour: string;
  readonly of: (sample: Sample) => number | null;
}

interface Panel {
  readonly title: string;
  readonly unit: string;
  readonly height: number;
  readonly series: readonly Series[];
  /** The scale goes at least so far. */
  readonly least: number;
}

const PANELS: readonly Panel[] = [
  {
    title: 'Memory',
    unit: 'MiB',
    height: 170,
    least: 100,
    series: [
      { name: 'RSS', colour: '#1f5fa8', of: (s) => s.rss },
      { name: 'heap of the main thread', colour: '#7aa6d6', of: (s) => s.heap },
    ],
  },
  {
    title: 'Handles and threads',
    unit: '',
    height: 110,
    least: 20,
    series: [
      { name: 'open handles', colour: '#2f7d4f', of: (s) => s.handles },
      { name: 'threads', colour: '#93c5a6', of: (s) => s.threads },
    ],
  },
  {
    title: 'PostgreSQL sessions',
    unit: '',
    height: 90,
    least: 5,
    series: [
      { name: 'sessions', colour: '#8a4fa3', of: (s) => s.sessions },
      { name: 'in a transaction', colour: '#caa5d9', of: (s) => s.inTransaction },
    ],
  },
  {
    title: 'Event loop lag',
    unit: 'ms',
    height: 90,
    least: 50,
    series: [
      { name: 'longest in 2 s', colour: '#dbb98a', of: (s) => s.lagMax },
      { name: 'p99', colour: '#a86b14', of: (s) => s.lag },
    ],
  },
  {
    title: 'Files done',
    unit: '',
    height: 110,
    least: 10,
    series: [{ name: 'in an end state', colour: '#444444', of: (s) => s.done }],
  },
  {
    title: 'Files on their way',
    unit: '',
    height: 90,
    least: 10,
    series: [{ name: 'discovered, landing, loading', colour: '#b0413e', of: (s) => s.waiting }],
  },
];

const WIDTH = 1_040;
const LEFT = 215;
const RIGHT = 20;
const GAP = 34;
const ROW = 15;
const LAST = 'SIGKILL of the daemon';

const escape = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
const number = (value: number): string => String(Math.round(value * 10) / 10);

/** The whole run on one sheet: panels above each other over one time axis, and what was done when below. */
export function draw(
  title: string,
  subtitle: string,
  samples: readonly Sample[],
  marks: readonly Mark[],
  seconds: number,
): string {
  const end = Math.max(seconds, samples.at(-1)?.t ?? 0);
  const x = (t: number): number => LEFT + ((WIDTH - LEFT - RIGHT) * t) / end;
  const parts: string[] = [
    text(20, 28, title, 'font-size="18" font-weight="600"'),
    text(20, 48, subtitle, 'fill="#555"'),
  ];
  const kinds = [...new Set(marks.map(({ fault }) => fault))].sort(
    (a, b) => Number(a === LAST) - Number(b === LAST) || a.localeCompare(b),
  );
  let top = 82;
  for (const panel of PANELS) {
    parts.push(drawPanel(panel, samples, marks, top, x));
    top += panel.height + GAP;
  }
  parts.push(text(20, top - 4, 'What was done', 'font-weight="600"'));
  kinds.forEach((kind, i) => {
    const y = top + ROW * i;
    const own = marks.filter(({ fault }) => fault === kind);
    const colour = kind === LAST ? '#c0140c' : '#333';
    parts.push(
      text(LEFT - 8, y + 14, `${kind} (${own.length})`, `text-anchor="end" font-size="11" fill="${colour}"`),
      line(LEFT, y + 10, WIDTH - RIGHT, y + 10, '#eee'),
    );
    for (const { t } of own) parts.push(`<circle cx="${number(x(t))}" cy="${y + 10}" r="3.2" fill="${colour}"/>`);
  });
  top += ROW * kinds.length + 10;
  const step = [0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 60].find((minutes) => end / 60 / minutes <= 16) ?? 120;
  for (let minute = 0; minute * 60 <= end; minute += step)
    parts.push(text(x(minute * 60), top + 12, number(minute), 'text-anchor="middle" font-size="11" fill="#555"'));
  parts.push(text(WIDTH - RIGHT, top + 28, 'minutes', 'text-anchor="end" font-size="11" fill="#555"'));
  const height = top + 40;
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" width="${WIDTH}" height="${height}" font-family="system-ui, 'DejaVu Sans', Arial, sans-serif" font-size="13" fill="#222">
<title>${escape(title)}</title>
<rect width="${WIDTH}" height="${height}" fill="#fff"/>
${parts.join('\n')}
</svg>
`;
}

function drawPanel(
  { title, unit, height, series, least }: Panel,
  samples: readonly Sample[],
  marks: readonly Mark[],
  top: number,
  x: (t: number) => number,
): string {
  const bottom = top + height;
  const highest = Math.max(least, ...samples.flatMap((sample) => series.map(({ of }) => of(sample) ?? 0)));
  const step = niceStep(highest / 4);
  const scale = Math.ceil(highest / step) * step;
  const y = (value: number): number => bottom - (height * value) / scale;
  const parts = [text(20, top + 6, `${title}${unit === '' ? '' : `, ${unit}`}`, 'font-weight="600"')];
  for (const { t, fault } of marks)
    parts.push(
      line(
        x(t),
        top,
        x(t),
        bottom,
        fault === LAST ? '#c0140c' : '#e4e4e4',
        fault === LAST ? 'stroke-dasharray="4 3"' : '',
      ),
    );
  for (let value = 0; value <= scale + step / 1_000; value += step) {
    parts.push(
      line(LEFT, y(value), WIDTH - RIGHT, y(value), value === 0 ? '#888' : '#eaeaea'),
      text(LEFT - 8, y(value) + 4, value.toLocaleString('en'), 'text-anchor="end" font-size="11" fill="#555"'),
    );
  }
  series.forEach(({ name, colour, of }, i) => {
    parts.push(
      `<path d="${curve(samples, of, x, y)}" fill="none" stroke="${colour}" stroke-width="1.4" stroke-linejoin="round"/>`,
    );
    parts.push(
      `<rect x="20" y="${top + 17 + i * 17}" width="12" height="4" fill="${colour}"/>`,
      text(37, top + 23 + i * 17, name, 'font-size="11" fill="#333"'),
    );
  });
  return parts.join('\n');
}

/** A line of its own for each process, with gaps where there is nothing to tell. */
function curve(
  samples: readonly Sample[],
  of: (sample: Sample) => number | null,
  x: (t: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let life = 0;
  let open = false;
  for (const sample of samples) {
    const value = of(sample);
    if (value === null) open = false;
    else {
      path += `${open && sample.life === life ? 'L' : 'M'}${number(x(sample.t))} ${number(y(value))}`;
      open = true;
    }
    life = sample.life;
  }
  return path;
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(rough: number): number {
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1e-9)));
  return ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
}

const text = (x: number, y: number, what: string, more = ''): string =>
  `<text x="${number(x)}" y="${number(y)}" ${more}>${escape(what)}</text>`;
const line = (x1: number, y1: number, x2: number, y2: number, colour: string, more = ''): string =>
  `<line x1="${number(x1)}" y1="${number(y1)}" x2="${number(x2)}" y2="${number(y2)}" stroke="${colour}" ${more}/>`;
