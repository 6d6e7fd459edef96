/**
 * Half-written files of every common program, in any case; `ignore_defaults: false` takes them too. `~$` is what Office
 * keeps beside an open file.
 */
export const IGNORE_DEFAULTS: readonly string[] = [
  '*.tmp',
  '*.part',
  '*.partial',
  '*.filepart',
  '*.writing',
  '*.inprogress',
  '*.crdownload',
  '*~',
  '~$*',
  '.*',
];
