import path from 'node:path';
import { init as initFolder } from '../operations/init.js';
import type { Context } from './context.js';

export function init({ out }: Context, dir: string): Promise<number> {
  const document = initFolder(path.resolve(dir));
  if (out.json) out.document(document);
  else for (const file of document.items) out.line(file);
  out.say(`next: ${dir === '.' ? '' : `cd ${dir} && `}tallyman run --once`);
  return Promise.resolve(0);
}
