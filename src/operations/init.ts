import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { CONFIG_NAME } from '../config/load-config.js';
import { TEMPLATE_CONFIG, TEMPLATE_DROP, TEMPLATE_SAMPLE } from '../config/template.js';
import { messageOf, TallymanError } from '../core/errors.js';

/**
 * Writes a commented config, a drop folder and one sample file into the folder `root` (absolute). Never overwrites: a
 * config that is there refuses it (USAGE), a sample that is there is left as it is. `items` = what was written.
 */
export function init(root: string): { readonly items: readonly string[] } {
  const files = [
    { path: CONFIG_NAME, text: TEMPLATE_CONFIG },
    { path: path.join(TEMPLATE_DROP, TEMPLATE_SAMPLE.name), text: TEMPLATE_SAMPLE.text },
  ];
  if (existsSync(path.join(root, CONFIG_NAME)))
    throw new TallymanError('USAGE', `${path.join(root, CONFIG_NAME)} is there already; nothing was written`, {
      fix: 'Choose another folder, or remove the file first.',
    });
  const items: string[] = [];
  try {
    for (const file of files) {
      const full = path.join(root, file.path);
      mkdirSync(path.dirname(full), { recursive: true });
      if (existsSync(full)) continue;
      writeFileSync(full, file.text, { flag: 'wx' });
      items.push(full);
    }
  } catch (error) {
    throw new TallymanError('USAGE', `cannot write into ${root}: ${messageOf(error)}`, {
      cause: error,
      fix: 'Choose a folder that you may write to.',
    });
  }
  return { items };
}
