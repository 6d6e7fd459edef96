/** Half-written files of every common program; `ignore_defaults: false` takes them too. */
export const IGNORE_DEFAULTS: readonly string[] = ['*.tmp', '*.part', '*.filepart', '*~', '.*'];
