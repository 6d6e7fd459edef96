/** The variables that `${NAME}` and `{ env: NAME }` see; process.env in the program. */
export type Env = Readonly<Record<string, string | undefined>>;

export interface Filled {
  readonly text: string;
  /** True when at least one variable was filled in. */
  readonly changed: boolean;
  readonly problems: readonly {
    readonly code: 'ENV_UNSET' | 'BAD_VALUE';
    readonly message: string;
    readonly hint: string;
  }[];
}

/** A variable that is unset or empty counts as unset. */
export function readVariable(env: Env, name: string): string | null {
  const value = Object.hasOwn(env, name) ? env[name] : undefined;
  return value === undefined || value === '' ? null : value;
}

export const unsetVariable = (name: string): { readonly message: string; readonly hint: string } => ({
  message: `the variable ${name} is unset or empty.`,
  hint: `Set it, or give a default: \${${name}:-...}`,
});

/**
 * Fills `${NAME}`, `${NAME:-default}` and `${NAME:?message}` into one scalar; `$${` is a literal `${`. What is filled
 * in is not looked at again, so a password that holds `${` stays as it is.
 */
export function interpolate(text: string, env: Env): Filled {
  const problems: Filled['problems'][number][] = [];
  let changed = false;
  const filled = text.replace(
    /\$\$\{|\$\{([^}]*)(\}?)/g,
    (whole: string, inside: string | undefined, end: string | undefined) => {
      if (inside === undefined) return '${';
      const match = /^([A-Za-z_][A-Za-z0-9_]*)(?::([-?])([^]*))?$/.exec(inside);
      if (end !== '}' || match === null) {
        problems.push({
          code: 'BAD_VALUE',
          message: `${whole} is no variable.`,
          hint: 'Write ${NAME}, ${NAME:-default} or ${NAME:?message}; a literal ${ is $${',
        });
        return whole;
      }
      changed = true;
      const [, name = '', kind, rest = ''] = match;
      const value = readVariable(env, name);
      if (value !== null) return value;
      if (kind === '-') return rest;
      const unset = unsetVariable(name);
      problems.push({
        code: 'ENV_UNSET',
        ...(kind === '?' && rest !== ''
          ? { message: `the variable ${name} is unset or empty: ${rest}`, hint: '' }
          : unset),
      });
      return whole;
    },
  );
  return { text: filled, changed, problems };
}
