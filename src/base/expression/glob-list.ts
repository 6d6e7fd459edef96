/** The glob behind `!`, which takes away from what stands before it; null = it adds (`!(a|b)` is a group). */
export const takenAway = (glob: string): string | null =>
  glob.startsWith('!') && !glob.startsWith('!(') ? glob.slice(1) : null;

/**
 * A list of globs as .gitignore reads one: the last that meets a text decides, those with `!` against it. The globs are
 * tested as `testOf` has it.
 */
export function globListTest(
  globs: readonly string[],
  testOf: (glob: string) => (path: string, name: string) => boolean,
): (path: string, name: string) => boolean {
  const items = globs
    .map((glob) => ({ adds: takenAway(glob) === null, meets: testOf(takenAway(glob) ?? glob) }))
    .reverse();
  return (path, name) => items.find(({ meets }) => meets(path, name))?.adds === true;
}
