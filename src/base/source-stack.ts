import { readFileSync } from 'node:fs';
import { SourceMap } from 'node:module';
import { fileURLToPath } from 'node:url';

/** A place in a stack trace: `file:///app/dist/chunk-ABCD1234.js:12:34`. */
const PLACE = /(file:\/\/[^\s()]+\.js):(\d+):(\d+)/g;

/**
 * A stack trace with the places of the sources instead of those of the bundle, by the maps beside it. Only when one is
 * shown: Node's own way (--enable-source-maps) reads every map at every start, which takes 45 ms. A place without a map
 * stays as it is.
 */
export function sourceStack(stack: string): string {
  const maps = new Map<string, SourceMap | null>();
  return stack.replace(PLACE, (place, url: string, line: string, column: string) => {
    let map = maps.get(url);
    if (map === undefined) maps.set(url, (map = readMap(url)));
    const entry = map?.findEntry(Number(line) - 1, Number(column) - 1);
    if (entry === undefined || !('originalSource' in entry)) return place;
    return `${new URL(entry.originalSource, url).href}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
  });
}

function readMap(url: string): SourceMap | null {
  try {
    const map: unknown = JSON.parse(readFileSync(`${fileURLToPath(url)}.map`, 'utf8'));
    return isMap(map) ? new SourceMap(map) : null;
  } catch {
    return null; // no map, or one that cannot be read: the trace is shown as it is
  }
}

const isMap = (value: unknown): value is SourceMap['payload'] =>
  typeof value === 'object' && value !== null && 'mappings' in value && 'sources' in value;
