import path from 'node:path';
import picomatch from 'picomatch';
import { globTestOf } from './expression/glob.js';

/** `--match`: a glob without "/" meets the file name, with "/" the path. Omitted = everything. */
export function globMatcher(glob: string | undefined): (path: string) => boolean {
  if (glob === undefined) return () => true;
  const matches = globTestOf(glob, picomatch.makeRe(glob, { dot: true }));
  // What is written as the name itself is met, whatever its signs mean in a glob.
  return (name) => {
    const text = glob.includes('/') ? name : path.posix.basename(name);
    return text === glob || matches(text);
  };
}
