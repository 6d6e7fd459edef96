import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { TEMPLATE_CONFIG, TEMPLATE_DROP, TEMPLATE_SAMPLE } from '../config/template.js';
import { messageOf, TallymanError } from '../core/errors.js';
import type { Act, Context } from './context.js';

export function init(program: Command, act: Act): void {
  program
    .command('init')
    .description('writes a commented tallyman.yaml (embedded database), a drop folder and one sample file')
    .argument('[dir]', 'where', '.')
    .action(act(initCommand));
}

const CONFIG = 'tallyman.yaml';

/** Never overwrites: an existing tallyman.yaml refuses the command, an existing sample is left as it is. */
function initCommand(context: Context, dir: string): Promise<number> {
  const root = path.resolve(dir);
  const files = [
    { path: CONFIG, text: TEMPLATE_CONFIG },
    { path: path.join(TEMPLATE_DROP, TEMPLATE_SAMPLE.name), text: TEMPLATE_SAMPLE.text },
  ];
  if (existsSync(path.join(root, CONFIG)))
    throw new TallymanError('USAGE', `${path.join(root, CONFIG)} is there already; nothing was written`, {
      fix: 'Choose another folder, or remove the file first.',
    });
  const written: string[] = [];
  try {
    for (const file of files) {
      const full = path.join(root, file.path);
      mkdirSync(path.dirname(full), { recursive: true });
      if (existsSync(full)) continue;
      writeFileSync(full, file.text, { flag: 'wx' });
      written.push(full);
    }
  } catch (error) {
    throw new TallymanError('USAGE', `cannot write into ${root}: ${messageOf(error)}`, {
      cause: error,
      fix: 'Choose a folder that you may write to.',
    });
  }
  if (context.out.json) context.out.document({ items: written });
  else for (const file of written) context.out.line(file);
  context.out.say(`next: ${dir === '.' ? '' : `cd ${dir} && `}tallyman run --once`);
  return Promise.resolve(0);
}
