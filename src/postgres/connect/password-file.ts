import { readFileSync, statSync, type Stats } from 'node:fs';
import path from 'node:path';
import { homeFolder } from '../../base/host/home-folder.js';

/** Whom a password is looked up for. */
export interface PasswordFor {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
}

/**
 * The password of libpq's password file ($PGPASSFILE, else ~/.pgpass): first line `host:port:database:user:password`
 * that fits, `*` fits all. A file that others may read is passed over, as libpq does. null = none; a file that is
 * missing is no error.
 */
export function passwordFromFile(wanted: PasswordFor, env: NodeJS.ProcessEnv): string | null {
  const home = homeFolder();
  const file = env['PGPASSFILE'] ?? (home === null ? null : path.join(home, '.pgpass'));
  const stats = file === null ? null : look(file);
  if (file === null || stats?.isFile() !== true || (stats.mode & 0o077) !== 0) return null;
  const asked = [wanted.host, String(wanted.port), wanted.database, wanted.user];
  for (const line of readFileSync(file, 'utf8').split(/\r?\n/)) {
    if (line.startsWith('#')) continue;
    const fields = splitLine(line);
    if (fields.length === 5 && asked.every((value, i) => fields[i] === '*' || fields[i] === value)) return fields[4]!;
  }
  return null;
}

/** A folder above that is closed to this user holds nothing for it. */
function look(file: string): Stats | null {
  try {
    return statSync(file, { throwIfNoEntry: false }) ?? null;
  } catch {
    return null;
  }
}

/** Fields between colons; a backslash makes the next character part of the field. */
function splitLine(line: string): readonly string[] {
  const fields = [''];
  for (let i = 0; i < line.length; i++) {
    const char = line[i]!;
    if (char === ':') fields.push('');
    else fields[fields.length - 1] = fields.at(-1)! + (char === '\\' && i + 1 < line.length ? line[++i]! : char);
  }
  return fields;
}
