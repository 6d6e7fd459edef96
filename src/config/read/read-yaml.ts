import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node, type Pair } from 'yaml';
import { messageOf } from '../../core/errors.js';
import { interpolate, type Env } from './interpolate.js';
import type { Problems } from '../problems/problem-list.js';
import type { ConfigNode, Path, Place } from './tree.js';

/**
 * Values that a config may hold, aliases counted each time: a few lines of nested aliases would otherwise expand to
 * billions.
 */
const MAX_NODES = 200_000;
const MAX_DEPTH = 64;

interface Reading {
  readonly document: Document;
  readonly env: Env;
  readonly problems: Problems;
  readonly placeOf: (offset: number | undefined) => Place;
  nodes: number;
}

export interface YamlTree {
  /** null when there is nothing that could be looked at further. */
  readonly root: ConfigNode | null;
  /** False after a syntax error: what is missing may only have been lost with it. */
  readonly whole: boolean;
}

/** YAML 1.2 (so JSON too) to a tree with places; variables are filled in on the way. Mistakes go to `problems`. */
export function readYaml(text: string, env: Env, problems: Problems): YamlTree {
  const lines = new LineCounter();
  const document = parseDocument(text, {
    version: '1.2',
    schema: 'core',
    uniqueKeys: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const placeOf = (offset: number | undefined): Place => {
    const found = lines.linePos(offset ?? 0);
    return { line: Math.max(1, found.line), column: Math.max(1, found.col) };
  };
  let broken = false;
  for (const mistake of [...document.errors, ...document.warnings].sort((a, b) => a.pos[0] - b.pos[0])) {
    // One wrong bracket makes the parser stumble over everything behind it.
    if (broken && mistake.code === 'UNEXPECTED_TOKEN') continue;
    broken = true;
    problems.addSyntax(
      placeOf(mistake.pos[0]),
      mistake.message.trim().replace(/[.:]?$/, '.'),
      hintFor(mistake.code, text.slice(Math.max(0, mistake.pos[0] - 1), mistake.pos[0] + 1)),
    );
  }
  const whole = document.errors.length === 0;
  if (document.contents === null) return { root: null, whole };
  const reading: Reading = { document, env, problems, placeOf, nodes: 0 };
  const start: Place = { line: 1, column: 1 };
  return { root: read(reading, document.contents, [], start, 0), whole };
}

function hintFor(code: string, around: string): string {
  if (around === '${') return 'Inside { } and [ ] a variable needs quotes: "${NAME}".';
  if (code === 'TAB_AS_INDENT') return 'Indent with blanks.';
  if (code === 'BAD_INDENT' || code === 'BLOCK_AS_IMPLICIT_KEY') return 'Keys of one mapping stand in one column.';
  if (code === 'MULTIPLE_DOCS') return 'A config is one document: take the --- away.';
  if (code === 'MISSING_CHAR') return 'Look for a quote or bracket that is not closed.';
  return '';
}

function read(reading: Reading, node: Node | null, path: Path, keyPlace: Place, depth: number): ConfigNode | null {
  const { document, problems, placeOf } = reading;
  const place = node?.range === undefined || node.range === null ? keyPlace : placeOf(node.range[0]);
  reading.nodes++;
  if (reading.nodes > MAX_NODES || depth > MAX_DEPTH) {
    if (reading.nodes !== Infinity)
      problems.add(
        place,
        path,
        'YAML_SYNTAX',
        `more than ${MAX_NODES} values, or nested deeper than ${MAX_DEPTH}.`,
        'Look for aliases that hold themselves.',
      );
    reading.nodes = Infinity;
    return null;
  }
  if (isAlias(node)) {
    let target: Node | undefined;
    try {
      target = node.resolve(document);
    } catch (error) {
      problems.add(place, path, 'YAML_SYNTAX', messageOf(error));
      return null;
    }
    // Unresolved aliases are among the document's errors already.
    return target === undefined ? null : read(reading, target, path, keyPlace, depth + 1);
  }
  if (isMap(node)) {
    const entries = new Map<string, ConfigNode>();
    for (const pair of node.items) readPair(reading, pair, entries, path, depth);
    return { kind: 'map', entries, place, keyPlace, path };
  }
  if (isSeq(node)) {
    const items = node.items.flatMap((item, i) => {
      const at = nodePlace(reading, item, place);
      return read(reading, asNode(item), [...path, i], at, depth + 1) ?? [];
    });
    return { kind: 'list', items, place, keyPlace, path };
  }
  return readScalar(reading, node, path, place, keyPlace);
}

function readPair(reading: Reading, pair: Pair, entries: Map<string, ConfigNode>, path: Path, depth: number): void {
  const { problems } = reading;
  const at = nodePlace(reading, pair.key, { line: 1, column: 1 });
  if (!isScalar(pair.key)) {
    problems.add(at, path, 'YAML_SYNTAX', 'a key must be plain text.');
    return;
  }
  const key = typeof pair.key.value === 'string' ? pair.key.value : (pair.key.source ?? String(pair.key.value));
  // Plain objects stand between here and the schema, and there this name is no key.
  if (key === '__proto__') {
    problems.add(at, [...path, key], 'UNKNOWN_KEY', 'this name cannot be used.');
    return;
  }
  if (entries.has(key)) {
    problems.add(at, [...path, key], 'DUPLICATE_KEY', 'the key stands twice here.', 'Keep one of the two.');
    return;
  }
  const value = read(reading, asNode(pair.value), [...path, key], at, depth + 1);
  if (value !== null) entries.set(key, value);
}

function readScalar(reading: Reading, node: Node | null, path: Path, place: Place, keyPlace: Place): ConfigNode {
  if (!isScalar(node))
    return {
      kind: 'scalar',
      value: null,
      text: '',
      filled: false,
      bare: true,
      broken: false,
      place: keyPlace,
      keyPlace,
      path,
    };
  const { value } = node;
  if (typeof value === 'string') {
    const filled = interpolate(value, reading.env);
    for (const problem of filled.problems)
      reading.problems.add(place, path, problem.code, problem.message, problem.hint);
    return {
      kind: 'scalar',
      value: filled.text,
      text: filled.text,
      filled: filled.changed,
      bare: node.type === 'PLAIN',
      broken: filled.problems.length > 0,
      place,
      keyPlace,
      path,
    };
  }
  const text = node.source ?? String(value);
  if (typeof value === 'number' || typeof value === 'boolean')
    return { kind: 'scalar', value, text, filled: false, bare: true, broken: false, place, keyPlace, path };
  return {
    kind: 'scalar',
    value: null,
    text,
    filled: false,
    bare: true,
    broken: false,
    place: text === '' ? keyPlace : place,
    keyPlace,
    path,
  };
}

const asNode = (value: unknown): Node | null =>
  isScalar(value) || isMap(value) || isSeq(value) || isAlias(value) ? value : null;

function nodePlace(reading: Reading, value: unknown, otherwise: Place): Place {
  const range = asNode(value)?.range;
  return range === undefined || range === null ? otherwise : reading.placeOf(range[0]);
}
