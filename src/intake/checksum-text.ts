import type { Algorithm } from '../core/feed/control.js';
import { splitPath } from '../sources/common/extensions.js';

/** Hexadecimal digits of a checksum, by which its kind is told. */
const LENGTHS: ReadonlyMap<number, Algorithm> = new Map([
  [32, 'md5'],
  [40, 'sha1'],
  [64, 'sha256'],
  [128, 'sha512'],
]);

export interface Checksum {
  readonly algorithm: Algorithm;
  /** Hexadecimal, lower case. */
  readonly digest: string;
}

/** The kind that the name of a checksum file tells (`a.csv.md5`, `SHA256SUMS`); null = its name tells none. */
export function algorithmOf(name: string): Algorithm | null {
  const word = /(md5|sha1|sha256|sha512)(?:sums?)?(?:\.txt)?$/i.exec(name)?.[1]?.toLowerCase();
  return word === 'md5' || word === 'sha1' || word === 'sha256' || word === 'sha512' ? word : null;
}

interface Line extends Checksum {
  /** null = the line is the bare checksum. */
  readonly name: string | null;
}

/**
 * The file's checksum out of a checksum file, or why there is none (yet). Takes what md5sum, sha256sum and their kin
 * write (`HASH name`, `HASH *name`), the BSD and openssl form (`SHA256 (name) = HASH`) and a bare checksum. `shared`:
 * the file speaks for many, and only a line with the name of ours counts; a sidecar of one file may call it otherwise
 * (the sender renamed it since), when it holds one line only.
 */
export function findChecksum(
  text: string,
  sidecar: string,
  path: string,
  shared: boolean,
): Checksum | { readonly problem: string } {
  const expected = algorithmOf(splitPath(sidecar).name);
  const lines: Line[] = [];
  for (const raw of text.replace(/^\uFEFF/, '').split(/\r\n|\n|\r/)) {
    const line = lineOf(raw.trim());
    if (line !== null && (expected === null || line.algorithm === expected)) lines.push(line);
  }
  if (lines.length === 0) return { problem: `it holds no ${expected ?? 'known'} checksum` };
  const name = splitPath(path).name;
  const found = lines.filter((line) => line.name !== null && isOf(line.name, name));
  const own: readonly Line[] = found.length > 0 ? found : !shared && lines.length === 1 ? lines : [];
  const [first] = own;
  if (first === undefined) return { problem: `it has no line for ${name}` };
  // The same file in two folders may stand there twice: equal checksums are one word.
  if (own.some((line) => line.digest !== first.digest || line.algorithm !== first.algorithm))
    return { problem: `it has several checksums for ${name}` };
  return { algorithm: first.algorithm, digest: first.digest };
}

const isOf = (written: string, name: string): boolean =>
  splitPath(written.replaceAll('\\', '/')).name === name || written === name;

function lineOf(line: string): Line | null {
  const bsd = /^([A-Za-z0-9-]+) ?\((.*)\) ?= ?([0-9A-Fa-f]+)$/.exec(line);
  if (bsd !== null) return told(bsd[3]!, bsd[2]!, bsd[1]);
  // A backslash in front: the name has line feeds or backslashes, written as \n and \\.
  const gnu = /^(\\?)([0-9A-Fa-f]{32,128})(?:[ \t]+\*?(.+))?$/.exec(line);
  if (gnu === null) return null;
  const name = gnu[3] ?? null;
  return told(
    gnu[2]!,
    gnu[1] === '' || name === null
      ? name
      : name.replaceAll(/\\(.)/g, (_, letter: string) => (letter === 'n' ? '\n' : letter === 'r' ? '\r' : letter)),
  );
}

function told(digits: string, name: string | null, kind?: string): Line | null {
  const algorithm = LENGTHS.get(digits.length);
  if (algorithm === undefined) return null;
  // SHA2-256 and SHA-256 are openssl's names.
  if (kind !== undefined && kind.toLowerCase().replace(/^sha2?-/, 'sha') !== algorithm) return null;
  return { algorithm, digest: digits.toLowerCase(), name };
}
