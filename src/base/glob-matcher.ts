import path from 'node:path';
import picomatch from 'picomatch';

/** `--match`: a glob without "/" meets the file name, with "/" the path. Omitted = everything. */
export function globMatcher(glob: string | undefined): (path: string) => boolean {
  if (glob === undefined) return () => true;
  const matches = picomatch(glob, { dot: true });
  return glob.includes('/') ? matches : (name) => matches(path.posix.basename(name));
}
