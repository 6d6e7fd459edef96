import pg from 'pg';

const { INT8, DATE, TIMESTAMP, TIMESTAMPTZ } = pg.types.builtins;

/**
 * How values come out of PostgreSQL: int8 as a number while it is exact and as text past 2^53, numeric as text, json
 * parsed, timestamptz as ISO 8601 in UTC with milliseconds, date and timestamp as the server writes them (the driver
 * would make Dates in the process's own zone).
 */
export function setTypeParsers(client: pg.Client): void {
  client.setTypeParser(INT8, 'text', exactInteger);
  client.setTypeParser(DATE, 'text', asIs);
  client.setTypeParser(TIMESTAMP, 'text', asIs);
  client.setTypeParser(TIMESTAMPTZ, 'text', isoText);
}

const asIs = (value: string): string => value;

function exactInteger(value: string): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/**
 * `2026-11-20 06:00:00.123456+00` (DateStyle ISO) to ISO 8601; anything else (infinity, BC, another DateStyle) stays as
 * it is.
 */
function isoText(value: string): string {
  const match = /^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d{1,6})?)([+-]\d\d)(?::?(\d\d))?$/.exec(value);
  if (match === null) return value;
  const [, day, time, hours, minutes] = match;
  const date = new Date(`${day!}T${time!}${hours!}:${minutes ?? '00'}`);
  return Number.isNaN(date.getTime()) ? value : date.toISOString();
}
