import type { Problem, ProblemCode } from './problem.js';
import { keyText, locate, nodeAt, type ConfigNode, type Path, type Place } from '../read/tree.js';

/** Gathers mistakes while a config is read. A mistake in `defaults` shows in every feed and is reported once. */
export class Problems {
  readonly file: string;
  /** Set after a syntax error: what is missing may only have been lost with it. */
  ignoreMissing = false;
  readonly #errors = new Map<string, Problem>();
  readonly #brokenLines = new Set<number>();
  readonly #warnings = new Map<string, Problem>();
  readonly #unset = new Map<string, Problem>();

  constructor(file: string) {
    this.file = file;
  }

  /** At a place that is known by itself (syntax). */
  add(place: Place, path: Path, code: ProblemCode, message: string, hint = ''): void {
    put(this.#errors, this.#problem(place, path, code, message, hint));
  }

  /** What else looks wrong on that line is most likely its consequence, and is not reported. */
  addSyntax(place: Place, message: string, hint: string): void {
    this.#brokenLines.add(place.line);
    this.add(place, [], 'YAML_SYNTAX', message, hint);
  }

  /** At the value, present or missing, that stands at `path` below `node`. */
  at(node: ConfigNode, path: Path, code: ProblemCode, message: string, hint = ''): void {
    if (this.ignoreMissing && (code === 'MISSING_KEY' || code === 'DATABASE_CHOICE')) return;
    const value = nodeAt(node, path);
    if (value?.kind === 'scalar' && value.broken) return;
    const found = locate(node, path, code === 'UNKNOWN_KEY');
    if (this.#brokenLines.has(found.place.line)) return;
    this.add(found.place, found.path, code, message, hint);
  }

  /**
   * A secret that cannot be had: no mistake for who does not need it. Returns the problem, with what was said of a
   * variable in the value itself.
   */
  unset(node: ConfigNode, path: Path, code: ProblemCode, message: string, hint = ''): Problem {
    const found = locate(node, path);
    let problem = this.#problem(found.place, found.path, code, message, hint);
    for (const [identity, error] of this.#errors) {
      if (error.code !== 'ENV_UNSET' || error.key !== problem.key || error.line !== problem.line) continue;
      this.#errors.delete(identity);
      problem = error;
    }
    put(this.#unset, problem);
    return problem;
  }

  warn(node: ConfigNode, path: Path, code: ProblemCode, message: string, hint = ''): void {
    const found = locate(node, path);
    put(this.#warnings, this.#problem(found.place, found.path, code, message, hint));
  }

  get count(): number {
    return this.#errors.size;
  }

  /** In the order of the file. */
  get errors(): readonly Problem[] {
    return sorted(this.#errors);
  }

  /** Secrets that cannot be had. */
  get unsetSecrets(): readonly Problem[] {
    return sorted(this.#unset);
  }

  get warnings(): readonly Problem[] {
    return sorted(this.#warnings);
  }

  #problem(place: Place, path: Path, code: ProblemCode, message: string, hint: string): Problem {
    return { file: this.file, line: place.line, column: place.column, key: keyText(path), code, message, hint };
  }
}

const put = (into: Map<string, Problem>, problem: Problem): void => {
  const identity = JSON.stringify([problem.line, problem.column, problem.key, problem.code, problem.message]);
  if (!into.has(identity)) into.set(identity, problem);
};

const sorted = (from: ReadonlyMap<string, Problem>): readonly Problem[] =>
  [...from.values()].sort((a, b) => a.line - b.line || a.column - b.column);
