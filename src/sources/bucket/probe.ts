import { randomBytes } from 'node:crypto';
import { messageOf, TallymanError } from '../../core/errors.js';
import type { ObjectStore, Right } from '../../core/object-store.js';
import { PRIVATE_PREFIX } from '../common/selection.js';

export interface ProbePlaces {
  /** A prefix of the feed, date letters filled in. */
  readonly prefix: string;
  /** Folders that files are moved to, without their date letters. */
  readonly targets: readonly string[];
}

/**
 * What stands in the way of a bucket's feed, for `check --connect`. Each right is tried on a name of our own; nothing
 * that is there is touched.
 */
export async function probeBucket(
  store: ObjectStore,
  { prefix, targets }: ProbePlaces,
  rights: { readonly delete: boolean; readonly move: boolean; readonly tag: boolean },
): Promise<readonly string[]> {
  try {
    await store.probe(prefix);
  } catch (error) {
    return [error instanceof TallymanError ? `${error.message}. ${error.fix}` : messageOf(error)];
  }
  const name = `${PRIVATE_PREFIX}probe-${randomBytes(6).toString('hex')}`;
  const tries: [boolean, string, Right, string][] = [
    [rights.delete || rights.move, `delete files, which needs ${store.rights.delete}`, 'delete', `${prefix}${name}`],
    [rights.tag, `tag files, which needs ${store.rights.tag}`, 'tag', `${prefix}${name}`],
    ...targets.map((target): (typeof tries)[number] => [
      rights.move,
      `move files to ${target}/, which needs ${store.rights.write} there`,
      'write',
      `${target}/${name}`,
    ]),
  ];
  const findings: string[] = [];
  for (const [asked, what, right, key] of tries) {
    const said = asked ? await store.tryRight(right, key) : null;
    if (said !== null) findings.push(`${store.name}: after asks to ${what}; the store says ${said}`);
  }
  return findings;
}
