import { isUtf8 } from 'node:buffer';
import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';

/** An element and what stands in it. */
export interface Element {
  /** Attributes as they are written. */
  readonly head: string;
  readonly inner: string;
  /** Byte at which it begins in its part. */
  readonly offset: number;
}

/** Longest element that is taken whole: a row of 16,384 cells with long texts is far below. */
const LONGEST = 32 * 2 ** 20;
const HEAD = 4_096;

/**
 * The elements of one name in a part of a workbook, one after another, in bounded memory. No general XML: those parts
 * are written by programs, without DTDs (refused, and with them all entity bombs), and elements of the names asked for
 * do not hold themselves. Any namespace prefix will do.
 */
export async function* elements(bytes: Bytes, name: string, part: string): AsyncGenerator<Element> {
  let pending: Buffer = Buffer.alloc(0);
  let base = 0;
  let open: Buffer | null = null;
  let close = '';
  for await (const chunk of bytes) {
    pending = Buffer.concat([pending, chunk]);
    if (open === null) {
      const head = pending.toString('latin1', 0, HEAD);
      const root = /<(?:([\w.-]+):)?[A-Za-z][\w.-]*[\s/>]/.exec(head);
      if (root === null) {
        if (pending.length >= HEAD) throw corrupt(part, 'is no XML that can be read');
        continue;
      }
      if (/^(\xff\xfe|\xfe\xff)|<!DOCTYPE/i.test(head)) throw corrupt(part, 'is in UTF-16, or has a DTD');
      const prefix = root[1] === undefined ? '' : `${root[1]}:`;
      open = Buffer.from(`<${prefix}${name}`);
      close = `</${prefix}${name}>`;
    }
    let at = 0;
    for (;;) {
      const found = elementAt(pending, at, open, close);
      if (found === null) break;
      if (found.end === -1) {
        at = found.start;
        break;
      }
      const { start, bodyStart, bodyEnd, end } = found;
      const whole = pending.subarray(start, end);
      if (!isUtf8(whole)) throw corrupt(part, `is not valid UTF-8 at byte ${base + start}`);
      yield {
        head: pending.toString('utf8', start + open.length, bodyStart),
        inner: pending.toString('utf8', bodyStart, bodyEnd),
        offset: base + start,
      };
      at = end;
    }
    // A tag that is cut by the chunk's end stays; the longest name is short.
    const keep = at > 0 ? at : 0;
    const from =
      elementAt(pending, keep, open, close) === null ? Math.max(keep, pending.length - open.length - 1) : keep;
    base += from;
    pending = Buffer.from(pending.subarray(from));
    if (pending.length > LONGEST)
      throw corrupt(part, `has an element <${name}> of more than ${LONGEST} bytes at byte ${base}`);
  }
  if (open === null) throw corrupt(part, 'is no XML that can be read');
  if (elementAt(pending, 0, open, close) !== null)
    throw corrupt(part, `is cut off in an element <${name}> at byte ${base}`);
}

interface Found {
  readonly start: number;
  readonly bodyStart: number;
  readonly bodyEnd: number;
  /** Behind the element; -1 = its end is not there yet. */
  readonly end: number;
}

function elementAt(bytes: Buffer, from: number, open: Buffer, close: string): Found | null {
  for (let start = bytes.indexOf(open, from); start !== -1; start = bytes.indexOf(open, start + 1)) {
    const next = bytes[start + open.length];
    // <row is no <rowBreaks.
    if (next !== undefined && next !== 0x3e && next !== 0x2f && next > 0x20) continue;
    const none = { start, bodyStart: start, bodyEnd: start, end: -1 };
    const tagEnd = bytes.indexOf('>', start);
    if (next === undefined || tagEnd === -1) return none;
    if (bytes[tagEnd - 1] === 0x2f) return { start, bodyStart: tagEnd - 1, bodyEnd: tagEnd - 1, end: tagEnd + 1 };
    const bodyEnd = bytes.indexOf(close, tagEnd);
    return bodyEnd === -1 ? none : { start, bodyStart: tagEnd + 1, bodyEnd, end: bodyEnd + close.length };
  }
  return null;
}

/** All of a small part. */
export async function wholeText(bytes: Bytes, most: number, part: string): Promise<string> {
  const parts: Buffer[] = [];
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > most) throw corrupt(part, `has more than ${most} bytes`);
    parts.push(Buffer.from(chunk));
  }
  const text = Buffer.concat(parts).toString('utf8');
  if (/<!DOCTYPE/i.test(text)) throw corrupt(part, 'has a DTD');
  return text;
}

/** The value of an attribute, or null. */
export function attribute(head: string, name: string): string | null {
  const found = new RegExp(`(?:^|\\s)${name}\\s*=\\s*(?:"([^"]*)"|'([^']*)')`).exec(head);
  return found === null ? null : entities(found[1] ?? found[2] ?? '');
}

const NAMED: ReadonlyMap<string, string> = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function entities(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(
    /&(?:#x([0-9a-fA-F]{1,6})|#(\d{1,7})|(\w+));/g,
    (whole, hex?: string, decimal?: string, name?: string) => {
      if (name !== undefined) return NAMED.get(name) ?? whole;
      const code = hex === undefined ? Number(decimal) : Number.parseInt(hex, 16);
      return code <= 0x10ffff ? String.fromCodePoint(code) : whole;
    },
  );
}

/** Text of an element: entities, CDATA, line ends as XML reads them. */
export function plainText(inner: string): string {
  if (inner.includes('<![CDATA['))
    return inner.replace(
      /<!\[CDATA\[([\s\S]*?)\]\]>|([^<]+)/g,
      (_, data?: string, rest?: string) => data ?? entities(rest ?? ''),
    );
  return entities(inner.includes('\r') ? inner.replace(/\r\n?/g, '\n') : inner);
}

/** A text of a workbook: what XML cannot hold is written as _xHHHH_ (ECMA-376, ST_Xstring). */
export function cellText(inner: string): string {
  const text = plainText(inner);
  return text.includes('_x')
    ? text.replace(/_x([0-9a-fA-F]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;
}

/** The texts of a rich text (<si>, <is>), without the readings of Japanese signs. */
export function richText(inner: string): string {
  const spoken = inner.includes('rPh')
    ? inner.replace(/<(?:[\w.-]+:)?rPh[\s>][\s\S]*?<\/(?:[\w.-]+:)?rPh>/g, '')
    : inner;
  let text = '';
  for (const [, part] of spoken.matchAll(/<(?:[\w.-]+:)?t(?:\s[^>]*)?>([\s\S]*?)<\/(?:[\w.-]+:)?t>/g))
    text += cellText(part ?? '');
  return text;
}

export const corrupt = (part: string, what: string): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The workbook is damaged: ${part} ${what}.`);
