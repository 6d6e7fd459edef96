import { RegExpParser, type AST } from '@eslint-community/regexpp';
import { compile, namedGroups, Uncompilable } from './compile.js';
import { costOf, type Cost } from './cost.js';
import type { Program } from './program.js';
import { Run, TOO_LONG } from './run.js';

/** Texts of the named groups that took part. */
export type NamedTexts = Readonly<Record<string, string>>;

/**
 * A regular expression that somebody wrote into the config, or that a glob became. It means what Node's RegExp makes of
 * it, and takes time in proportion to the text: Node's engine runs it where it provably does no harm, the one of this
 * folder elsewhere. What neither can do within a bound is reported.
 */
export interface Expression {
  readonly source: string;
  readonly cost: Cost;
  /** It has references back to a group, for which no engine is fast. */
  readonly refersBack: boolean;
  /** null = it took too long to find out. */
  test(text: string): boolean | null;
  /** What the first match caught; null = there is none; undefined = it took too long to find out. */
  catch(text: string): NamedTexts | null | undefined;
}

/** `flags`: of i, s and u. Throws SyntaxError where RegExp does, and Uncompilable. */
export const expressionOf = (source: string, flags: string): Expression =>
  new Compiled(source, new RegExp(source, flags));

/**
 * With the u flag, so that `.` is a whole character; without it where only the older grammar takes the expression
 * (`\-`). Throws SyntaxError and Uncompilable.
 */
export function writtenExpression(source: string, flags = ''): Expression {
  try {
    return expressionOf(source, `${flags}u`);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return expressionOf(source, flags);
  }
}

/** What is wrong with an expression of the config; null = nothing. */
export function expressionProblem(source: string): string | null {
  try {
    writtenExpression(source);
    return null;
  } catch (error) {
    if (error instanceof Uncompilable) return error.message;
    if (!(error instanceof SyntaxError)) throw error;
    return `is no regular expression: ${error.message.replace(/^Invalid regular expression: /, '')}`;
  }
}

class Compiled implements Expression {
  readonly source: string;
  readonly cost: Cost;
  readonly refersBack: boolean;
  readonly #regexp: RegExp;
  readonly #pattern: AST.Pattern;
  readonly #program: Program;
  readonly #harmlessTo: number;
  #tester: Run | null = null;
  #catcher: Run | null = null;

  constructor(source: string, regexp: RegExp) {
    this.source = source;
    this.#regexp = regexp;
    const unicode = regexp.unicode;
    this.#pattern = new RegExpParser().parsePattern(source, 0, source.length, { unicode, unicodeSets: false });
    this.#program = this.#compile(false);
    this.cost = costOf(this.#program);
    this.refersBack = this.#program.references.length > 0;
    this.#harmlessTo = this.cost.harmlessTo;
  }

  test(text: string): boolean | null {
    if (text.length <= this.#harmlessTo) return this.#regexp.test(text);
    this.#tester ??= new Run(this.#program);
    const found = this.#tester.search(text);
    return found === TOO_LONG ? null : found >= 0;
  }

  catch(text: string): NamedTexts | null | undefined {
    if (text.length <= this.#harmlessTo) {
      const match = this.#regexp.exec(text);
      return match === null ? null : present(Object.entries(match.groups ?? {}));
    }
    this.#catcher ??= new Run(this.#compile(true));
    const { slots } = this.#catcher;
    const found = this.#catcher.search(text);
    if (found === TOO_LONG) return undefined;
    if (found < 0) return null;
    return present(
      [...namedGroups(this.#pattern)].map(([name, groups]) => {
        const group = groups.find((one) => slots[2 * one]! >= 0);
        return [name, group === undefined ? undefined : text.slice(slots[2 * group], slots[2 * group + 1])];
      }),
    );
  }

  #compile(groups: boolean): Program {
    const { unicode, ignoreCase, dotAll } = this.#regexp;
    return compile(this.#pattern, { unicode, ignoreCase, dotAll, groups });
  }
}

/** A group of a branch that was not taken has no text, whatever its type says. */
const present = (texts: readonly (readonly [string, string | undefined])[]): NamedTexts =>
  Object.fromEntries(texts.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
