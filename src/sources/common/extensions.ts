/** Endings of an outer wrapping; any number of them may stand behind the extension: `orders.csv.gz.gpg`. */
const WRAPPINGS = new Set([
  'gz',
  'gzip',
  'zst',
  'zstd',
  'bz2',
  'xz',
  'lz4',
  'br',
  'zip',
  'z',
  'sz',
  'snappy',
  'gpg',
  'pgp',
  'asc',
  'age',
]);

/**
 * Cuts a file name before its extensions: known endings of compression and encryption, then one more. An extension
 * holds a letter, so that a date stays whole; a dot in front is no extension.
 *
 *     orders.csv -> orders + .csv          sales_2026.11.20.csv.gz -> sales_2026.11.20 + .csv.gz
 *     my.company.csv -> my.company + .csv  .env -> .env            sales_2026.11 -> sales_2026.11
 */
export function splitExtensions(name: string): { readonly stem: string; readonly extensions: string } {
  let end = name.length;
  for (let wrapped = true; wrapped;) {
    const dot = name.lastIndexOf('.', end - 1);
    const extension = name.slice(dot + 1, end);
    if (dot <= 0 || !/^(?=.*[A-Za-z])[A-Za-z0-9_]{1,16}$/.test(extension)) break;
    end = dot;
    wrapped = WRAPPINGS.has(extension.toLowerCase());
  }
  return { stem: name.slice(0, end), extensions: name.slice(end) };
}

/** Folder (with its slash, or empty) and name of a path. */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const at = path.lastIndexOf('/') + 1;
  return { folder: path.slice(0, at), name: path.slice(at) };
}
