import process from 'node:process';
import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware } from 'ssh2';
import type { SftpServer } from './options.js';

interface Method {
  /** As the server names it. */
  readonly type: AuthenticationType;
  readonly isAgent?: true;
  readonly make: () => AnyAuthMethod;
}

/**
 * What a connection has to log in with. Each is offered once, when the server asks for its kind: what it does not ask
 * for now is kept, because a login of several steps asks for one after the other (`AuthenticationMethods
 * password,publickey`). Where it takes several kinds: key, agent, password.
 *
 * `none` comes first, which no server counts, to learn what it takes. The password goes through keyboard-interactive
 * only where plain passwords are not taken, because two refusals of one password lock an account twice as fast.
 */
export class Credentials {
  readonly #username: string;
  readonly #unused: Method[];
  readonly #kinds: ReadonlySet<string>;
  #asked = false;
  #last: Method | null = null;
  /** What the server says that it goes on with. */
  #left: readonly string[] = [];
  #accepted: readonly string[] = [];
  #unset: unknown = null;

  constructor(server: SftpServer) {
    this.#username = server.user;
    this.#unused = methodsOf(server);
    this.#kinds = new Set(this.#unused.map((method) => method.type));
  }

  readonly offer: AuthHandlerMiddleware = (left: readonly AuthenticationType[] | null, partial, next) => {
    if (!this.#asked || left === null) {
      this.#asked = true;
      next({ type: 'none', username: this.#username });
      return;
    }
    this.#left = left;
    if (partial && this.#last !== null) this.#accepted = [...this.#accepted, this.#last.type];
    // After an agent's keys the package gives what the server had said before them.
    const isStale = this.#last?.isAgent === true;
    const method = this.#next(left) ?? (isStale ? this.#next(null) : undefined);
    const made = method === undefined ? null : this.#make(method);
    // Nothing is left to offer. The types of the package leave `false` out, its documentation does not.
    if (made === null) Reflect.apply(next, undefined, [false]);
    else next(made);
  };

  /** The secret that was not there when it was asked for; null = all were. */
  get unset(): unknown {
    return this.#unset;
  }

  /** The package calls from within its socket: nothing may be thrown there. */
  #make(method: Method): AnyAuthMethod | null {
    try {
      return method.make();
    } catch (error) {
      this.#unset = error;
      return null;
    }
  }

  /** Why nothing was left to offer, for people; null = the server refused what it asked for. */
  get missing(): string | null {
    if (this.#left.length === 0 || this.#left.some((kind) => this.#kinds.has(kind))) return null;
    const taken = this.#accepted.length === 0 ? '' : `took ${this.#accepted.join(' and ')}, and then `;
    return `the server ${taken}asks for ${this.#left.join(' or ')}, which the connection does not have`;
  }

  /** Takes out the first that the server goes on with; null = any. */
  #next(left: readonly string[] | null): Method | undefined {
    const at = this.#unused.findIndex(
      ({ type }) =>
        left === null || (left.includes(type) && !(type === 'keyboard-interactive' && left.includes('password'))),
    );
    this.#last = at === -1 ? null : this.#unused.splice(at, 1)[0]!;
    return this.#last ?? undefined;
  }
}

function methodsOf(server: SftpServer): Method[] {
  const username = server.user;
  const methods: Method[] = [];
  const { private_key: key, passphrase, password } = server;
  const agent = server.agent === true ? process.env['SSH_AUTH_SOCK'] : server.agent;
  if (key !== undefined)
    methods.push({
      type: 'publickey',
      make: () => ({
        type: 'publickey',
        username,
        key: key.reveal(),
        ...(passphrase === undefined ? {} : { passphrase: passphrase.reveal() }),
      }),
    });
  if (agent !== undefined)
    methods.push({ type: 'publickey', isAgent: true, make: () => ({ type: 'agent', username, agent }) });
  if (password !== undefined) {
    methods.push({ type: 'password', make: () => ({ type: 'password', username, password: password.reveal() }) });
    methods.push({
      type: 'keyboard-interactive',
      make: () => {
        const answer = password.reveal();
        return {
          type: 'keyboard-interactive',
          username,
          prompt: (_name, _instructions, _lang, prompts, finish) => finish(prompts.map(() => answer)),
        };
      },
    });
  }
  return methods;
}
