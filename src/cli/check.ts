import { problemLine } from '../config/problems/problem.js';
import { ERRORS } from '../core/errors.js';
import { check as checkConfig, type Finding } from '../operations/check.js';
import type { Context } from './context.js';
import { counted } from '../base/text/readable-numbers.js';
import { indented } from '../base/text/terminal-text.js';

export async function check(context: Context, options: { readonly connect?: boolean }): Promise<number> {
  const { out } = context;
  const connect = options.connect === true;
  const document = await checkConfig(() => context.app(), { connect });
  if (out.json) out.document(document);
  const { problems } = document;
  if (!('warnings' in document)) {
    if (!out.json)
      for (const problem of document.problems)
        out.line(`error[${problem.code}]: ${indented(problemLine(problem), '  ')}`);
    out.say(counted(problems.length, 'mistake'));
    return 78;
  }
  if (!out.json) {
    for (const warning of document.warnings)
      out.line(`warning[${warning.code}]: ${indented(problemLine(warning), '  ')}`);
    for (const found of document.problems) out.line(findingText(found));
    // Lists whose order matters are read out; the others say what they mean.
    const keys = new Set(document.patterns.filter(({ pattern }) => pattern.startsWith('!')).map(({ key }) => key));
    for (const { key, pattern, meaning } of document.patterns)
      if (keys.has(key)) out.line(`${key}: ${JSON.stringify(pattern)} ${meaning}`);
    const feeds = context.config().feeds.length;
    if (document.ok)
      out.line(
        `the config is right: ${counted(feeds, 'feed')}${connect ? ', every source and the database answer' : ''}`,
      );
  }
  if (document.ok) return 0;
  return document.problems.some(({ code }) => ERRORS[code].exit === 78) ? 78 : 5;
}

function findingText({ key, code, message, hint }: Finding): string {
  const advice = hint === '' ? '' : `\n  what to do: ${indented(hint, '    ')}`;
  return `error[${code}]: ${key}: ${indented(message, '    ')}${advice}`;
}
