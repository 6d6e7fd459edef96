import path from 'node:path';
import type { Command } from 'commander';
import { init as initFolder } from '../operations/init.js';
import type { Act, Context } from './context.js';

export function init(program: Command, act: Act): void {
  program
    .command('init')
    .description('writes a commented tallyman.yaml (embedded database), a drop folder and one sample file')
    .argument('[dir]', 'where', '.')
    .action(act(initCommand));
}

function initCommand({ out }: Context, dir: string): Promise<number> {
  const document = initFolder(path.resolve(dir));
  if (out.json) out.document(document);
  else for (const file of document.items) out.line(file);
  out.say(`next: ${dir === '.' ? '' : `cd ${dir} && `}tallyman run --once`);
  return Promise.resolve(0);
}
