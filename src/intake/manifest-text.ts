/**
 * The values of a control file by name; undefined = there is none. Names are met exactly, else without case; `a.b` and
 * `a[0].b` reach into JSON.
 */
export type ManifestValues = (key: string) => string | undefined;

/** Values, or why the text is no whole control file. */
export type Manifest = { readonly values: ManifestValues } | { readonly problem: string };

/**
 * A control file: JSON, lines of `key=value` (or `key: value`), or CSV (a header and one row, or rows of name and
 * value). Which one is told from its content: JSON begins with a brace. Numbers keep their digits.
 */
export function parseManifest(text: string): Manifest {
  const content = text.replace(/^\uFEFF/, '').trim();
  if (content === '') return { problem: 'it is empty' };
  if (content.startsWith('{') || content.startsWith('[')) return json(content);
  const lines = content.split(/\r\n|\n|\r/).filter((line) => line.trim() !== '' && !/^\s*[#;]/.test(line));
  const pairs = lines.map((line) => /^\s*([^=:,;|\t"]+?)\s*[=:]\s*(.*?)\s*$/.exec(line));
  if (lines.length > 0 && pairs.every((pair) => pair !== null))
    return { values: byName(pairs.map((pair) => [pair[1]!, unquoted(pair[2]!)])) };
  return csv(lines);
}

/**
 * Every number becomes a text of its own digits: a double would lose those of a long total. The text is valid JSON by
 * then.
 */
function json(content: string): Manifest {
  try {
    JSON.parse(content);
    const root: unknown = JSON.parse(
      content.replace(/"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
        token.startsWith('"') ? token : `"${token}"`,
      ),
    );
    return { values: (key) => asText(inside(root, key) ?? inside(root, key, true)) };
  } catch (error) {
    return { problem: `it is no whole JSON: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The value under the key itself, else along its parts. */
function inside(root: unknown, key: string, ignoreCase = false): unknown {
  const whole = member(root, key, ignoreCase);
  if (whole !== undefined) return whole;
  let value = root;
  for (const part of key.replaceAll(/\[(\d+)\]/g, '.$1').split('.')) value = member(value, part, ignoreCase);
  return value;
}

function member(value: unknown, key: string, ignoreCase: boolean): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const found = Object.entries(value).filter(
    ([name]) => name === key || (ignoreCase && name.toLowerCase() === key.toLowerCase()),
  );
  return found.length === 1 ? found[0]![1] : undefined;
}

const asText = (value: unknown): string | undefined =>
  typeof value === 'string' ? value : typeof value === 'boolean' ? String(value) : undefined;

/** One of several equal names says nothing: nobody knows which one counts. */
function byName(pairs: readonly (readonly [string, string])[]): ManifestValues {
  return (key) => {
    const exact = pairs.filter(([name]) => name === key);
    const found = exact.length > 0 ? exact : pairs.filter(([name]) => name.toLowerCase() === key.toLowerCase());
    return found.length === 1 ? found[0]![1] : undefined;
  };
}

const SEPARATORS = [',', ';', '\t', '|'];

/** Two lines of names and values, or lines of a name and its value. A line of names holds no number and no checksum. */
function csv(lines: readonly string[]): Manifest {
  const separator = SEPARATORS.find((one) => lines[0]?.includes(one));
  const rows = lines.map((line) => (separator === undefined ? [line.trim()] : cellsOf(line, separator)));
  const [first, second] = rows;
  if (first === undefined || second === undefined) {
    return first?.length === 2
      ? { values: byName([[first[0]!, first[1]!]]) }
      : { problem: 'it is neither JSON nor key=value nor CSV with a header and a row' };
  }
  if (rows.length === 2 && first.length === second.length && !first.some((cell) => isValue(cell)))
    return { values: byName(first.map((name, i) => [name, second[i]!])) };
  if (rows.every((row) => row.length === 2)) return { values: byName(rows.map((row) => [row[0]!, row[1]!])) };
  return { problem: 'it is neither JSON nor key=value nor CSV with a header and one row' };
}

const isValue = (cell: string): boolean => /^[+-]?[\d.,]+$/.test(cell) || /^[0-9a-f]{32,}$/i.test(cell);

function cellsOf(line: string, separator: string): string[] {
  const cells: string[] = [];
  for (let rest = line, more = true; more;) {
    const quoted = /^\s*"((?:[^"]|"")*)"\s*/.exec(rest);
    const at =
      quoted === null ? rest.indexOf(separator) : rest.startsWith(separator, quoted[0].length) ? quoted[0].length : -1;
    cells.push(quoted === null ? (at === -1 ? rest : rest.slice(0, at)).trim() : quoted[1]!.replaceAll('""', '"'));
    more = at !== -1;
    if (more) rest = rest.slice(at + separator.length);
  }
  return cells;
}

const unquoted = (value: string): string => /^"(.*)"$/.exec(value)?.[1] ?? /^'(.*)'$/.exec(value)?.[1] ?? value;
