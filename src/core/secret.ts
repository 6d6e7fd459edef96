import { inspect } from 'node:util';

/** What stands in the place of a secret wherever one would be printed. */
export const MASK = '********';

/**
 * A password, key or token. Prints as `********` through string templates, JSON, console and util.inspect, so that a
 * log line or an error that takes a whole options object along gives nothing away. Only `reveal` gives the text; call
 * it where the text is used and nowhere else.
 */
export class Secret {
  #text: string | (() => never);
  readonly #earlier: string[] = [];
  readonly #read: (() => string | null) | null;

  /** `read` gives the text as it is now where it can change (a file); null = it cannot be had. */
  constructor(text: string, read: (() => string | null) | null = null) {
    this.#text = text;
    this.#read = read;
  }

  /** One that is not there yet: who needs it gets this error. */
  static unset(error: () => Error, read: (() => string | null) | null = null): Secret {
    const secret = new Secret('', read);
    secret.#text = (): never => {
      throw error();
    };
    return secret;
  }

  get isSet(): boolean {
    return typeof this.#text === 'string';
  }

  reveal(): string {
    return typeof this.#text === 'string' ? this.#text : this.#text();
  }

  /** Reads it again, before it is used or after it was refused. True when it is another one now. */
  renew(): boolean {
    const now = this.#read?.() ?? null;
    if (now === null || now === this.#text) return false;
    if (typeof this.#text === 'string') this.#earlier.push(this.#text);
    this.#text = now;
    return true;
  }

  /** Every text that it had, for the mask. */
  get texts(): readonly string[] {
    return typeof this.#text === 'string' ? [...this.#earlier, this.#text] : this.#earlier;
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

/** Reads those of them again that can change. True when one is another now. */
export function renewSecrets(values: Readonly<Record<string, unknown>>): boolean {
  let changed = false;
  for (const value of Object.values(values)) if (value instanceof Secret && value.renew()) changed = true;
  return changed;
}
