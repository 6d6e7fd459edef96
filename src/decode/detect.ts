/** Bytes that detect() wants to see: a tar header tells itself at 257. */
export const DETECT_BYTES = 512;

/** A kind of content that its first bytes give away. */
export interface Kind {
  /** As `format.type` or `compression` would name it, where they have a name for it. */
  readonly name: string;
  /** For people. */
  readonly title: string;
}

interface Magic extends Kind {
  readonly at?: number;
  readonly bytes: string;
  /** The magic is letters that a text could begin with: only with control bytes near it. */
  readonly binary?: true;
}

/** Magic bytes as Latin-1. Longer ones first where one begins with another. */
const MAGICS: readonly Magic[] = [
  { name: 'gzip', title: 'gzip', bytes: '\x1f\x8b' },
  { name: 'zstd', title: 'zstd', bytes: '\x28\xb5\x2f\xfd' },
  { name: 'bzip2', title: 'bzip2', at: 4, bytes: '1AY&SY' },
  { name: 'bzip2', title: 'bzip2', at: 4, bytes: '\x17\x72\x45\x38\x50\x90' },
  { name: 'xz', title: 'xz', bytes: '\xfd7zXZ\0' },
  { name: 'lz4', title: 'lz4', bytes: '\x04\x22\x4d\x18' },
  { name: 'snappy', title: 'framed snappy', bytes: '\xff\x06\0\0sNaPpY' },
  { name: 'compress', title: 'Unix compress (.Z)', bytes: '\x1f\x9d' },
  { name: '7z', title: '7-Zip', bytes: '7z\xbc\xaf\x27\x1c' },
  { name: 'rar', title: 'RAR', bytes: 'Rar!\x1a\x07' },
  { name: 'zip', title: 'zip (split)', bytes: 'PK\x07\x08' },
  { name: 'zip', title: 'zip (empty)', bytes: 'PK\x05\x06' },
  { name: 'tar', title: 'tar', at: 257, bytes: 'ustar' },
  { name: 'pdf', title: 'PDF', bytes: '%PDF-' },
  { name: 'parquet', title: 'Parquet', bytes: 'PAR1', binary: true },
  { name: 'parquet', title: 'encrypted Parquet', bytes: 'PARE', binary: true },
  { name: 'orc', title: 'ORC', bytes: 'ORC', binary: true },
  { name: 'avro', title: 'Avro', bytes: 'Obj\x01' },
  { name: 'arrow', title: 'Arrow', bytes: 'ARROW1\0' },
  { name: 'feather', title: 'Feather', bytes: 'FEA1', binary: true },
  { name: 'sqlite', title: 'SQLite', bytes: 'SQLite format 3\0' },
  { name: 'xls', title: 'old Office (xls, doc)', bytes: '\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1' },
  { name: 'pgp', title: 'PGP', bytes: '-----BEGIN PGP ' },
  { name: 'rtf', title: 'RTF', bytes: '{\\rtf' },
  { name: 'png', title: 'PNG', bytes: '\x89PNG\r\n\x1a\n' },
  { name: 'jpeg', title: 'JPEG', bytes: '\xff\xd8\xff' },
  { name: 'gif', title: 'GIF', bytes: 'GIF8', binary: true },
  { name: 'elf', title: 'a program (ELF)', bytes: '\x7fELF' },
  { name: 'exe', title: 'a program (Windows)', bytes: 'MZ', binary: true },
];

/** Names of a zip's first member that say what the zip really is. */
const ZIP_KINDS: readonly (readonly [RegExp, Kind])[] = [
  [/^xl\//, { name: 'excel', title: 'Excel (xlsx)' }],
  [/^(word|ppt)\//, { name: 'office', title: 'Office (docx, pptx)' }],
  [
    /^(\[Content_Types\]\.xml$|_rels\/|docProps\/)/,
    { name: 'excel', title: 'Excel or another Office document (xlsx)' },
  ],
  [/^mimetype$/, { name: 'ods', title: 'OpenDocument or EPUB' }],
];

/**
 * What the first bytes (DETECT_BYTES of them, or all) say the content is; null = nothing known, so perhaps text.
 * Sources: the formats' own specifications, as file(1) has them.
 */
export function detect(head: Buffer): Kind | null {
  const found = MAGICS.find(
    ({ at = 0, bytes, binary }) =>
      head.toString('latin1', at, at + bytes.length) === bytes && (binary !== true || hasControls(head)),
  );
  if (found !== undefined) return found.at === 4 && head.toString('latin1', 0, 3) !== 'BZh' ? null : found;
  if (head.toString('latin1', 0, 4) === 'PK\x03\x04') return zipKind(head);
  return pgpKind(head) ?? markupKind(head);
}

function zipKind(head: Buffer): Kind {
  const name = head.length > 30 ? head.toString('utf8', 30, 30 + head.readUInt16LE(26)) : '';
  return ZIP_KINDS.find(([pattern]) => pattern.test(name))?.[1] ?? { name: 'zip', title: 'zip' };
}

/**
 * Binary PGP (RFC 4880): a public-key encrypted session key packet of version 3 with a known algorithm; one for a
 * password; or an encrypted data packet alone.
 */
function pgpKind(head: Buffer): Kind | null {
  const pgp: Kind = { name: 'pgp', title: 'PGP' };
  const [first, a, b, c] = [head[0], head[1], head[2], head[3]];
  if (first === 0x84 && b === 3) return pgp;
  if (first === 0x85 && c === 3 && a !== undefined && a <= 4) return pgp;
  if (
    first === 0xc1 &&
    ((b === 3 && a !== undefined && a < 192) || (a !== undefined && a >= 192 && a < 224 && c === 3))
  )
    return pgp;
  return (first === 0x8c || first === 0xc3) && b === 4 ? pgp : null;
}

function markupKind(head: Buffer): Kind | null {
  const text = head
    .toString('latin1')
    .replace(/^\xef\xbb\xbf/, '')
    .trimStart();
  if (/^(<!doctype\s+html|<html[\s>]|<head[\s>]|<body[\s>])/i.test(text))
    return { name: 'html', title: 'HTML (perhaps an error page)' };
  if (/^<\?xml\s/.test(text))
    return /<html[\s>]/i.test(text)
      ? { name: 'html', title: 'HTML (perhaps an error page)' }
      : { name: 'xml', title: 'XML' };
  return null;
}

/** Bytes that no text in an 8-bit encoding has: below blank, but tab, line ends, form feed, escape. */
export const hasControls = (head: Buffer): boolean =>
  head.some((byte) => byte < 32 && byte !== 9 && byte !== 10 && byte !== 12 && byte !== 13 && byte !== 27);
