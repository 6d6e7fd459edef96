/**
 * Durations and sizes as people write them in the config. Imports nothing, so that parts' own schemas can use it too.
 */

const DURATION_UNITS = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;

const SIZE_UNITS: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  kb: 1e3,
  mb: 1e6,
  gb: 1e9,
  tb: 1e12,
  kib: 2 ** 10,
  mib: 2 ** 20,
  gib: 2 ** 30,
  tib: 2 ** 40,
};

/** `500ms`, `30s`, `1.5h`. The unit is required: 30 alone could be seconds or milliseconds. */
export const DURATION_PATTERN = /^(\d+(?:\.\d+)?) ?(ms|s|m|h|d)$/;
/** `64KiB`, `1MiB`, `10MB`, `4096`. Units in any case; K = 1,000, Ki = 1,024. */
export const SIZE_PATTERN = /^(\d+(?:\.\d+)?) ?([KkMmGgTt]?[Bb]|[KkMmGgTt][Ii][Bb])?$/;

/** Milliseconds, rounded; null when the text is no duration or longer than a safe integer holds. */
export function parseDuration(text: string): number | null {
  const match = DURATION_PATTERN.exec(text);
  if (match === null) return null;
  const ms = Math.round(Number(match[1]) * DURATION_UNITS[match[2] as keyof typeof DURATION_UNITS]);
  return Number.isSafeInteger(ms) ? ms : null;
}

/** Bytes, rounded; null when the text is no size or larger than a safe integer holds. */
export function parseSize(text: string): number | null {
  const match = SIZE_PATTERN.exec(text);
  if (match === null) return null;
  const unit = SIZE_UNITS[(match[2] ?? '').toLowerCase()];
  if (unit === undefined) return null;
  const bytes = Math.round(Number(match[1]) * unit);
  return Number.isSafeInteger(bytes) ? bytes : null;
}

/** The shortest text that parseDuration reads back as the same number: 90000 -> `90s`, 3600000 -> `1h`. */
export function formatDuration(ms: number): string {
  if (ms === 0) return '0s';
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (ms % DURATION_UNITS[unit] === 0) return `${ms / DURATION_UNITS[unit]}${unit}`;
  }
  return `${ms}ms`;
}

/** The shortest text that parseSize reads back as the same number: 16777216 -> `16MiB`, 10000000 -> `10MB`. */
export function formatSize(bytes: number): string {
  if (bytes === 0) return '0B';
  for (const [unit, factor] of [
    ['TiB', 2 ** 40],
    ['TB', 1e12],
    ['GiB', 2 ** 30],
    ['GB', 1e9],
    ['MiB', 2 ** 20],
    ['MB', 1e6],
    ['KiB', 2 ** 10],
    ['KB', 1e3],
  ] as const) {
    if (bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return `${bytes}B`;
}
