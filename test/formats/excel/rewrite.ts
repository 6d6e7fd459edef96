import type { Chance } from '../../faults/support/chance.js';
import type { BookParts } from './books.js';

/** Parts that are rewritten. */
const REWRITTEN = /^xl\/(workbook|styles|sharedStrings|worksheets\/.*)\.xml$|\.rels$/;
/** Elements whose text counts: nothing but text may be added there. */
const TEXTUAL = new Set(['t', 'v', 'f']);
const FALSE_CELL = '<row r="1"><c r="A1"><v>666</v></c></row>';

/** What XML lets a writer do otherwise, without saying anything else. */
export function rewritten(parts: BookParts, chance: Chance): BookParts {
  return Object.fromEntries(
    Object.entries(parts).map(([name, xml]) => [name, REWRITTEN.test(name) ? rewrittenXml(xml, chance) : xml]),
  );
}

interface Token {
  /** `<a b="c">`, `</a>`, `<a/>`: the name; else null: text. */
  readonly name: string | null;
  readonly closing: boolean;
  readonly empty: boolean;
  readonly attributes: readonly (readonly [string, string])[];
  readonly text: string;
}

/** Of XML that we or openpyxl wrote: no comments, no CDATA. */
function tokensOf(xml: string): readonly Token[] {
  const bare = xml.replace(/^<\?xml[^>]*\?>\s*/, '');
  return [...bare.matchAll(/<(\/?)([\w:.-]+)((?:\s+[\w:.-]+="[^"]*")*)\s*(\/?)>|[^<]+/g)].map(
    ([whole, closing, name, attributes = '', empty]) => ({
      name: name ?? null,
      closing: closing === '/',
      empty: empty === '/',
      attributes: [...attributes.matchAll(/([\w:.-]+)="([^"]*)"/g)].map(([, key = '', value = '']) => [key, value]),
      text: whole,
    }),
  );
}

function rewrittenXml(xml: string, chance: Chance): string {
  const prefix = chance.below(3) === 0 ? 'x1:' : '';
  const dense = chance.below(3) === 0;
  const now = (n: number): boolean => chance.below(dense ? n : 4 * n) === 0;
  const head = chance.pick(['', '<?xml version="1.0"?>', "<?xml version='1.0' encoding='utf-8'?>\r\n", '\uFEFF']);
  let out = `${head}${now(2) ? `<!-- <sst>${FALSE_CELL} -->` : ''}${now(2) ? '<?pi <row> ?>' : ''}`;
  const open: string[] = [];
  for (const token of tokensOf(xml)) {
    const within = open.at(-1) ?? '';
    if (token.name === null) {
      out += TEXTUAL.has(within) ? textOf(token.text, chance, now) : token.text;
      continue;
    }
    const between = open.length > 0 && !TEXTUAL.has(within);
    if (between && now(6)) out += beside(chance);
    if (token.closing) {
      open.pop();
      out += `</${prefix}${token.name}${now(8) ? '\n ' : ''}>`;
    } else {
      out += tagOf(token, prefix, now);
      if (!token.empty) open.push(token.name);
    }
  }
  return `${out}${now(3) ? '\n<!-- end --><?x?>\n' : ''}`;
}

function tagOf(token: Token, prefix: string, now: (n: number) => boolean): string {
  const attributes = token.attributes.map(([key, value]): readonly [string, string] =>
    prefix !== '' && key === 'xmlns' ? [`xmlns:${prefix.slice(0, -1)}`, value] : [key, value],
  );
  if (now(3)) attributes.reverse();
  if (now(9)) attributes.push(['zz:r', 'A1'], ['xmlns:zz', 'urn:other']);
  const shown = attributes.map(([key, value]) => {
    const said =
      now(6) && !value.includes('&')
        ? value.replace(/[A-Za-z0-9]/, (sign) => `&#x${sign.charCodeAt(0).toString(16)};`)
        : value;
    const eq = now(6) ? ' = ' : '=';
    const space = now(6) ? '\r\n\t ' : ' ';
    return now(3) ? `${space}${key}${eq}'${said.replaceAll("'", '&apos;')}'` : `${space}${key}${eq}"${said}"`;
  });
  const start = `<${prefix}${token.name ?? ''}${shown.join('')}${now(6) ? ' ' : ''}`;
  if (!token.empty) return `${start}>`;
  return now(2) ? `${start}></${prefix}${token.name ?? ''}>` : `${start}/>`;
}

/** What may stand between elements and says nothing. */
const beside = (chance: Chance): string =>
  chance.pick([
    ' ',
    '\r\n  ',
    `<!-- ${FALSE_CELL} -->`,
    `<?other ${FALSE_CELL}?>`,
    '<!---->',
    '<o:c xmlns:o="urn:other" r="A1" t="s"><o:v>666</o:v></o:c>',
    '<c xmlns="urn:other"><v>666</v></c>',
    '<extLst><ext uri="{1}"><row r="1"><c r="A1"><v>666</v></c></row></ext></extLst>',
  ]);

function textOf(text: string, chance: Chance, now: (n: number) => boolean): string {
  let out = '';
  for (const [piece] of text.matchAll(/&[^;]+;|\s|[^&\s]{1,20}/gu)) {
    const plain = !piece.startsWith('&') && !piece.includes('\r') && piece !== ']]>';
    if (now(8)) out += chance.pick(['<!-- 1 -->', '<!---->', '<?pi 1?>', '<![CDATA[]]>']);
    if (plain && !piece.includes(']') && now(6)) out += `<![CDATA[${piece}]]>`;
    else if (plain && now(6))
      out += Array.from(piece)
        .map((sign) =>
          now(2) ? `&#${sign.codePointAt(0)!};` : `&#x${sign.codePointAt(0)!.toString(16).toUpperCase()};`,
        )
        .join('');
    else out += piece;
  }
  return out;
}

/** One part made wrong: no XML any more. */
export function damaged(parts: BookParts, chance: Chance): { readonly parts: BookParts; readonly how: string } {
  const names = ['xl/worksheets/sheet1.xml', 'xl/sharedStrings.xml', 'xl/styles.xml', 'xl/workbook.xml'];
  const name = chance.pick(names.filter((one) => parts[one] !== undefined));
  const xml = parts[name]!;
  const first = xml.indexOf('<', xml.startsWith('<?xml') ? xml.indexOf('?>') : 0);
  const inside = first + 1 + chance.below(xml.length - first - 2);
  const tags = [...xml.matchAll(/<\/?[a-zA-Z][^>]*>/g)].filter(([tag]) => !tag.endsWith('/>'));
  const tag = chance.pick(tags);
  const behind = tag.index + tag[0].length;
  const put = (what: string): string => `${xml.slice(0, behind)}${what}${xml.slice(behind)}`;
  const [how, bad] = chance.pick<readonly [string, string]>([
    [`cut off at ${inside}`, xml.slice(0, inside)],
    [`without ${tag[0]} at ${tag.index}`, xml.slice(0, tag.index) + xml.slice(behind)],
    [`${tag[0]} at ${tag.index} twice`, put(tag[0])],
    ['a < in a text', put('<')],
    ['an & in a text', put('& ')],
    ['an unknown entity', put('&unknown;')],
    ['a character that may not be', put('\u0001')],
    ['a reference to none', put('&#0;')],
    ['a comment without end', put('<!-- ')],
    ['CDATA without end', put('<![CDATA[ ')],
    ['an attribute twice', xml.replace(/<([\w:]+)( [^>]*)?>/, '<$1 q="1" q="2"$2>')],
    ['an attribute without quotes', xml.replace(/<([\w:]+)( [^>]*)?>/, '<$1 q=1$2>')],
    ['a DTD', `<!DOCTYPE x [<!ENTITY e "5">]>${xml.replace(/^<\?xml[^>]*\?>\s*/, '')}`],
    ['an undeclared prefix', put('<no:such/>')],
    ['two roots', `${xml}<x/>`],
    ['text behind the root', `${xml}text`],
    ['another encoding', `<?xml version="1.0" encoding="ISO-8859-1"?>${xml.replace(/^<\?xml[^>]*\?>\s*/, '')}`],
  ]);
  return { parts: { ...parts, [name]: bad }, how: `${name}: ${how}` };
}
