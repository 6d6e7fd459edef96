import { createHash } from 'node:crypto';

/** HTML that is safe to stand between tags. Only the functions here make it out of data. */
export type Html = string & { readonly html: unique symbol };

/**
 * Characters that cannot be seen or that turn the text around them: controls but tab and line feed, soft hyphen,
 * direction marks and overrides, zero-width blanks (not the joiners, which Persian and emoji need), line and paragraph
 * separators, byte order mark, tags.
 */
const UNSEEN =
  '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u00ad\\u061c\\u180e\\u200b\\u200e\\u200f\\u2028-\\u202e\\u2060-\\u206f\\ufeff\\ufff9-\\ufffb\\u{e0000}-\\u{e007f}';
const SPECIAL = new RegExp(`[&<>"'${UNSEEN}]`, 'gu');
/** In a marked cell the blanks too: a no-break space in a number looks like any other. */
const SPECIAL_AND_BLANKS = new RegExp(
  `[&<>"'${UNSEEN}\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f\\u3000\\t]|^ +| +$`,
  'gu',
);

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
const BLANKS: Readonly<Record<string, string>> = { ' ': 'space', '\t': 'tab' };

/** Data as text. At most `limit` UTF-16 units of it; what is left out is counted. */
export const text = (data: string, limit = Infinity): Html =>
  clipped(data, limit, (part) => part.replace(SPECIAL, (found) => ENTITIES[found] ?? named(codePoint(found))));

/** The same, with blanks that cannot be seen named as well. */
export const closeText = (data: string, limit = Infinity): Html =>
  clipped(data, limit, (part) =>
    part.replace(
      SPECIAL_AND_BLANKS,
      (found) => ENTITIES[found] ?? found.replace(/./gsu, (one) => named(BLANKS[one] ?? codePoint(one))),
    ),
  );

/** Data for places that take no tags (<title>). */
export const plainText = (data: string): Html =>
  asHtml(data.replace(SPECIAL, (found) => ENTITIES[found] ?? codePoint(found)));

/** Data that is read in its own direction, so that it cannot rearrange what stands around it. */
export const isolated = (data: string, limit = Infinity): Html => asHtml(`<bdi>${text(data, limit)}</bdi>`);

/** Our own HTML; everything that is filled in must be Html or a number. */
export function html(parts: TemplateStringsArray, ...values: readonly (Html | number | readonly Html[])[]): Html {
  return asHtml(parts.map((part, i) => part + shown(values[i])).join(''));
}

export const NOTHING = asHtml('');

/** A style sheet and the source expression that lets it, and no other, through the page's Content-Security-Policy. */
export const styleElement = (css: string): { readonly element: Html; readonly source: Html } => ({
  element: asHtml(`<style>${css}</style>`),
  source: asHtml(`'sha256-${createHash('sha256').update(css).digest('base64')}'`),
});

function asHtml(safe: string): Html {
  return safe as Html;
}

function shown(value: Html | number | readonly Html[] | undefined): string {
  if (value === undefined) return '';
  return typeof value === 'object' ? value.join('') : String(value);
}

function clipped(data: string, limit: number, escape: (part: string) => string): Html {
  if (data.length <= limit) return asHtml(escape(data));
  // Not through the middle of a character.
  const cut = /[\uD800-\uDBFF]/.test(data[limit - 1] ?? '') ? limit - 1 : limit;
  return asHtml(`${escape(data.slice(0, cut))}<i class="more">… ${data.length - cut} more</i>`);
}

const named = (name: string): string => `<i class="u">${name}</i>`;

const codePoint = (character: string): string =>
  `U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`;
