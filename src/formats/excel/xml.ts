import { isAscii, isUtf8 } from 'node:buffer';
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { TallymanError } from '../../core/errors.js';
import type { Bytes } from '../../core/format.js';

/** Longest row or shared text that is taken: a row of 16,384 cells with long texts is far below. */
const LONGEST = 32 * 2 ** 20;
/** A part of a workbook needs some ten. */
const DEEPEST = 200;
const MOST_ATTRIBUTES = 1_000;

/** Where a tag stands, and what its attributes say. */
export interface Tag {
  /** The value of an attribute without a prefix, or null. */
  attribute(name: string): string | null;
  /** The value of an attribute whose namespace ends with this, or null. */
  attributeIn(namespaceEnd: string, name: string): string | null;
  /** Byte at which the tag begins in its part. */
  offset(): number;
}

/**
 * An element that means something. Elements that stand in it and are not named here are passed over, with all that is
 * in them, and so are those of other namespaces than the root's.
 */
export interface Shape {
  readonly children?: ReadonlyMap<string, Shape>;
  /** It holds text, and no elements. Otherwise it holds elements, and no text but blanks. */
  readonly text?: true;
  /** One of very many: each is bounded by itself. Otherwise nothing is bounded but what no tag interrupts. */
  readonly item?: true;
  open?(tag: Tag): void;
  close?(text: string): void;
}

/**
 * Reads a part of a workbook, calls what `shape` says of its root, and gives what the calls have gathered (`take`)
 * whenever a piece of the part has been read. Everything that is no well-formed XML is FILE_CORRUPT, to the part's last
 * byte. DTDs are refused, and with them every entity that XML does not bring itself.
 */
export async function* readXml<T>(
  bytes: Bytes,
  root: string,
  shape: Shape,
  part: string,
  take: () => readonly T[],
): AsyncGenerator<T> {
  const reader = new XmlReader(root, shape, part);
  for await (const chunk of bytes) {
    reader.write(chunk);
    for (const one of take()) yield one;
  }
  reader.end();
}

/** The same, to the end at once. `most`: bytes that the part may have. */
export async function readPart(bytes: Bytes, root: string, shape: Shape, part: string, most = Infinity): Promise<void> {
  const reader = new XmlReader(root, shape, part);
  let length = 0;
  for await (const chunk of bytes) {
    length += chunk.length;
    if (length > most) throw corrupt(part, `has more than ${most} bytes`);
    reader.write(chunk);
  }
  reader.end();
}

const NOTHING: ReadonlyMap<string, Shape> = new Map();
const NO_NAMESPACES: ReadonlyMap<string, string> = new Map([
  ['xml', 'http://www.w3.org/XML/1998/namespace'],
  ['xmlns', 'http://www.w3.org/2000/xmlns/'],
]);
/** Alternatives between which a reader has to choose by what it knows (ECMA-376, part 3). */
const COMPATIBILITY = '/markup-compatibility/2006';

class XmlReader implements Tag {
  readonly #part: string;
  readonly #root: string;
  readonly #shape: Shape;
  readonly #parser = new SaxesParser({ xmlns: false });
  readonly #text: TextOf;
  /** The elements that mean something and are open, from the root. */
  readonly #open: Shape[] = [];
  #depth = 0;
  /** Depth of the element that is being passed over; 0 = none. */
  #passedOver = 0;
  /** Of the root. */
  #namespace = '';
  #namespaces = NO_NAMESPACES;
  /** Elements that declare namespaces: their depth, and what held outside of them. */
  readonly #declared: { readonly depth: number; readonly outside: ReadonlyMap<string, string> }[] = [];
  #declaring: Map<string, string> | null = null;
  #attributes = 0;
  /** Prefixes of the attributes of the tag that is being read. */
  #prefixes: string[] = [];
  /** Characters of the element that is open, when it holds text. */
  #characters = '';
  #items = 0;
  /** Where the item that is open began, or else the last tag ended, in characters. */
  #mark = 0;
  #tag: SaxesTagPlain | null = null;

  constructor(root: string, shape: Shape, part: string) {
    this.#root = root;
    this.#shape = shape;
    this.#part = part;
    this.#text = new TextOf(part);
    const parser = this.#parser;
    parser.on('error', (error) => {
      throw corrupt(part, `is no XML that can be read (line:column: what): ${error.message.replace(/\.$/, '')}`);
    });
    parser.on('xmldecl', ({ encoding }) => {
      this.#text.declared(encoding ?? null);
    });
    parser.on('doctype', () => {
      throw corrupt(part, 'has a DTD');
    });
    parser.on('attribute', ({ name, value }) => {
      if (++this.#attributes > MOST_ATTRIBUTES)
        throw corrupt(part, `has a tag of more than ${MOST_ATTRIBUTES} attributes`);
      const colon = name.indexOf(':');
      if (colon !== -1) this.#prefixes.push(name.slice(0, colon));
      if (name === 'xmlns' || name.startsWith('xmlns:')) this.#declare(name.slice(6), value.trim());
    });
    parser.on('opentag', (tag) => {
      this.#opened(tag);
    });
    parser.on('closetag', () => {
      this.#closed();
    });
    parser.on('text', (text) => {
      this.#heard(text);
    });
    parser.on('cdata', (text) => {
      this.#heard(text);
    });
  }

  write(chunk: Buffer): void {
    const text = this.#text.next(chunk);
    if (text !== '') this.#parser.write(text);
    if (this.#parser.position - this.#mark > LONGEST)
      throw corrupt(this.#part, `has an element or text of more than ${LONGEST} characters at byte ${this.#text.read}`);
  }

  end(): void {
    this.#text.end();
    if (this.#depth > 0 && this.#tag !== null)
      throw corrupt(this.#part, `is cut off at byte ${this.#text.read}: <${this.#tag.name}> was the last tag`);
    this.#parser.close();
  }

  attribute(name: string): string | null {
    return this.#tag?.attributes[name] ?? null;
  }

  attributeIn(namespaceEnd: string, name: string): string | null {
    for (const [key, value] of Object.entries(this.#tag?.attributes ?? {})) {
      const colon = key.indexOf(':');
      if (colon > 0 && key.slice(colon + 1) === name && this.#resolve(key.slice(0, colon)).endsWith(namespaceEnd))
        return value;
    }
    return null;
  }

  offset(): number {
    return this.#text.offsetOfTag(this.#parser.position);
  }

  #declare(prefix: string, namespace: string): void {
    this.#declaring ??= new Map(this.#namespaces);
    this.#declaring.set(prefix, namespace);
  }

  #resolve(prefix: string): string {
    const namespace = this.#namespaces.get(prefix);
    if (namespace === undefined && prefix !== '')
      throw corrupt(this.#part, `is no XML that can be read: the prefix ${JSON.stringify(prefix)} is not declared`);
    return namespace ?? '';
  }

  #opened(tag: SaxesTagPlain): void {
    this.#tag = tag;
    this.#attributes = 0;
    if (++this.#depth > DEEPEST) throw corrupt(this.#part, `has elements in more than ${DEEPEST} others`);
    if (this.#declaring !== null) {
      this.#declared.push({ depth: this.#depth, outside: this.#namespaces });
      this.#namespaces = this.#declaring;
      this.#declaring = null;
    }
    if (this.#prefixes.length > 0) {
      for (const prefix of this.#prefixes) this.#resolve(prefix);
      this.#prefixes = [];
    }
    if (this.#items === 0) this.#mark = this.#parser.position;
    const colon = tag.name.indexOf(':');
    const namespace = this.#resolve(colon === -1 ? '' : tag.name.slice(0, colon));
    if (this.#passedOver > 0) return;
    const shape = this.#shapeOf(namespace, colon === -1 ? tag.name : tag.name.slice(colon + 1));
    if (shape === null) {
      this.#passedOver = this.#depth;
      return;
    }
    this.#open.push(shape);
    if (shape.item === true) this.#items++;
    if (shape.text === true) this.#characters = '';
    shape.open?.(this);
  }

  /** null: it means nothing. */
  #shapeOf(namespace: string, local: string): Shape | null {
    const within = this.#open.at(-1);
    if (within === undefined) {
      if (local !== this.#root) throw corrupt(this.#part, `begins with <${local}>, not with <${this.#root}>`);
      this.#namespace = namespace;
      return this.#shape;
    }
    if (within.text === true) throw corrupt(this.#part, `has a <${local}> in an element that holds text`);
    if (namespace === this.#namespace) return (within.children ?? NOTHING).get(local) ?? null;
    if (namespace.endsWith(COMPATIBILITY) && this.#open.length > 1)
      throw corrupt(this.#part, `has a <${local}> among its data: one of several contents, which are not told apart`);
    return null;
  }

  #closed(): void {
    if (this.#passedOver === 0) {
      const shape = this.#open.pop();
      if (shape?.item === true) this.#items--;
      shape?.close?.(shape.text === true ? this.#characters : '');
    } else if (this.#passedOver === this.#depth) this.#passedOver = 0;
    if (this.#declared.at(-1)?.depth === this.#depth) this.#namespaces = this.#declared.pop()!.outside;
    this.#depth--;
    if (this.#items === 0) this.#mark = this.#parser.position;
  }

  #heard(text: string): void {
    if (this.#passedOver > 0) return;
    if (this.#open.at(-1)?.text === true) this.#characters += text;
    else if (/[^ \t\r\n]/.test(text))
      throw corrupt(this.#part, `has text where none may be: ${JSON.stringify(text.trim().slice(0, 40))}`);
  }
}

/** What a declaration may call the encoding; ASCII is UTF-8 too. */
const UTF_8 = ['', 'utf-8', 'utf8', 'ascii', 'us-ascii'];
const UTF_16 = ['', 'utf-16', 'utf-16le', 'utf-16be'];

/** The bytes of a part as text, and back from a place in the text to its byte. */
class TextOf {
  readonly #part: string;
  #encoding: 'utf8' | 'utf16le' | null = null;
  /** UTF-16 whose bytes stand the other way round. */
  #swapped = false;
  /** Bytes of a character that is not whole. */
  #rest: Buffer = Buffer.alloc(0);
  #now = '';
  /** Characters and bytes before `now`. */
  #charactersBefore = 0;
  #bytesBefore = 0;
  /** Where the last `<` before `now` is, in bytes. */
  #tagBefore = 0;
  /** A place in `now` and its byte. */
  #known = { at: 0, byte: 0 };
  /** Bytes that came. */
  read = 0;

  constructor(part: string) {
    this.#part = part;
  }

  next(chunk: Buffer): string {
    this.read += chunk.length;
    let bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    if (this.#encoding === null) {
      if (bytes.length < 2) {
        this.#rest = Buffer.from(bytes);
        return '';
      }
      const mark = bytes.readUInt16BE(0);
      this.#encoding = mark === 0xfeff || mark === 0xfffe ? 'utf16le' : 'utf8';
      this.#swapped = mark === 0xfeff;
    }
    this.#pass();
    const whole = this.#encoding === 'utf8' ? wholeUtf8(bytes) : wholeUtf16(bytes, this.#swapped);
    this.#rest = Buffer.from(bytes.subarray(whole));
    bytes = bytes.subarray(0, whole);
    if (this.#encoding === 'utf8') {
      if (isAscii(bytes)) this.#now = bytes.toString('latin1');
      else if (isUtf8(bytes)) this.#now = bytes.toString('utf8');
      else throw corrupt(this.#part, `is not valid UTF-8 before byte ${this.read}`);
    } else {
      this.#now = (this.#swapped ? Buffer.from(bytes).swap16() : bytes).toString('utf16le');
      if (/\p{Surrogate}/u.test(this.#now)) throw corrupt(this.#part, `is not valid UTF-16 before byte ${this.read}`);
    }
    return this.#now;
  }

  end(): void {
    if (this.#rest.length > 0) throw corrupt(this.#part, 'is cut off within a character');
  }

  /** What the XML declaration says; null = nothing. */
  declared(encoding: string | null): void {
    const said = (encoding ?? '').toLowerCase();
    const may = this.#encoding === 'utf8' ? UTF_8 : UTF_16;
    if (!may.includes(said))
      throw corrupt(this.#part, `is said to be in the encoding ${JSON.stringify(encoding)}; workbooks are in UTF-8`);
  }

  /** Byte of the tag that ends at this character: a `<` stands in none. */
  offsetOfTag(end: number): number {
    const at = this.#now.lastIndexOf('<', end - this.#charactersBefore - 1);
    if (at === -1) return this.#tagBefore;
    const { at: from, byte } = at >= this.#known.at ? this.#known : { at: 0, byte: this.#bytesBefore };
    this.#known = { at, byte: byte + this.#bytesOf(this.#now.slice(from, at)) };
    return this.#known.byte;
  }

  /** `now` is done with. */
  #pass(): void {
    const at = this.#now.lastIndexOf('<');
    const end = this.#bytesBefore + this.#bytesOf(this.#now);
    if (at !== -1) this.#tagBefore = end - this.#bytesOf(this.#now.slice(at));
    this.#charactersBefore += this.#now.length;
    this.#bytesBefore = end;
    this.#known = { at: 0, byte: end };
  }

  #bytesOf(text: string): number {
    return Buffer.byteLength(text, this.#encoding ?? 'utf8');
  }
}

/** Length without the beginning of a character at the end. */
function wholeUtf8(bytes: Buffer): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) break;
    if (byte >= 0xc0) {
      const needs = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
      return back < needs ? bytes.length - back : bytes.length;
    }
  }
  return bytes.length;
}

function wholeUtf16(bytes: Buffer, swapped: boolean): number {
  const whole = bytes.length & ~1;
  const last = whole === 0 ? 0 : swapped ? bytes.readUInt16BE(whole - 2) : bytes.readUInt16LE(whole - 2);
  return last >= 0xd800 && last <= 0xdbff ? whole - 2 : whole;
}

/** A text of a workbook: what XML cannot hold is written as _xHHHH_ (ECMA-376, ST_Xstring). */
export const cellText = (text: string): string =>
  text.includes('_x')
    ? text.replace(/_x([0-9a-fA-F]{4})_/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;

export const corrupt = (part: string, what: string): TallymanError =>
  new TallymanError('FILE_CORRUPT', `The workbook is damaged: ${part} ${what}.`);
