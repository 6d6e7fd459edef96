/** Largest hint that is acted upon, bytes: from here on buffers of the usual size are worth their while. */
const SMALL = 128 * 1024;
/** Room beyond the hint, so that the end of the stream is seen without growing. */
const SPARE = 64;
/** Bytes of a cell with its delimiter, rather too few: a batch that is too small only comes twice. */
const CELL = 4;

/**
 * Bytes scanned in one go for a stream of about `hint` bytes; undefined = as many as usual. 0.6 MB of buffers for each
 * of a thousand small files kept the collector busier than the parser.
 */
export const windowFor = (hint: number | undefined): number | undefined =>
  hint === undefined || hint > SMALL ? undefined : hint + SPARE;

/** Rows a batch of `width` cells; undefined = as many as usual. */
export const rowsFor = (hint: number | undefined, width: number): number | undefined =>
  hint === undefined || hint > SMALL
    ? undefined
    : Math.min(8_192, Math.max(64, Math.ceil(hint / (CELL * Math.max(1, width)))));
