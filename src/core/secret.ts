import { inspect } from 'node:util';

/** What stands in the place of a secret wherever one would be printed. */
export const MASK = '********';

/**
 * A password, key or token. Prints as `********` through string templates, JSON, console and util.inspect, so that a
 * log line or an error that takes a whole options object along gives nothing away. Only `reveal` gives the text; call
 * it where the text is used and nowhere else.
 */
export class Secret {
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  reveal(): string {
    return this.#text;
  }

  toString(): string {
    return MASK;
  }

  toJSON(): string {
    return MASK;
  }

  [inspect.custom](): string {
    return MASK;
  }
}
