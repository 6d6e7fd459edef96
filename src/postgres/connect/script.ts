import { TallymanError } from '../../core/errors.js';
import type { Connection, QueryOptions } from './connect.js';
import type { Row } from './result-rows.js';

/** Makes of a statement's answer what it stands for. `command`: INSERT, COMMIT, ROLLBACK ... */
export type Reader<T> = (rows: readonly Row[], command: string) => T;

/** Not each statement was answered once: nobody knows which answer is whose, nor what was run. */
export class AnswersDiffer extends TallymanError {
  constructor(message: string) {
    super('INTERNAL', message);
  }
}

/** What a statement of a script gave. Throws before the script has run, and what its reader throws. */
export type Answer<T> = () => T;

/**
 * Statements that go to PostgreSQL in one round trip, each with the reader of its own answer: adding one before or
 * behind it never makes another read a wrong one. It is sent once.
 */
export class Script {
  readonly #statements: string[] = [];
  #results: readonly { readonly rows: readonly Row[]; readonly command: string }[] | null = null;

  /** Statements whose answers nobody asks for. */
  also(...statements: readonly string[]): void {
    this.#statements.push(...statements);
  }

  /** One statement, without semicolon; its answer is there once the script has run. */
  add<T>(statement: string, read: Reader<T>): Answer<T> {
    const place = this.#statements.push(statement) - 1;
    return () => {
      const result = this.#results?.[place];
      if (result === undefined) throw new TallymanError('INTERNAL', 'an answer was read before its script had run');
      return read(result.rows, result.command);
    };
  }

  /** Throws what PostgreSQL answered to the first statement that it refused: none behind that one was run. */
  async run(connection: Connection, options?: QueryOptions): Promise<void> {
    const results = await connection.queryAll(this.#statements.join(';\n'), options);
    if (results.length !== this.#statements.length)
      throw new AnswersDiffer(`${this.#statements.length} statements were sent, ${results.length} were answered`);
    this.#results = results;
  }
}

/** Reads the only row of an answer. Throws when there is none. */
export function oneRow<T>(read: (row: Row) => T): Reader<T> {
  return (rows) => {
    const row = rows[0];
    if (row === undefined) throw new TallymanError('INTERNAL', 'PostgreSQL gave no row where one was expected');
    return read(row);
  };
}

/** Reads each row of an answer. */
export const eachRow =
  <T>(read: (row: Row) => T): Reader<readonly T[]> =>
  (rows) =>
    rows.map(read);
