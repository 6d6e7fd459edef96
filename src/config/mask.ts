import { MASK } from '../core/secret.js';

/**
 * Below this length a secret is replaced only where it stands alone: the password `a` must not blank every a of a
 * message.
 */
const SHORT = 4;
/** Lines of keys and certificates that may show up alone. */
const LINE = 16;

/**
 * Replaces every secret that appears in `text`, also as a URL or JSON string would carry it, and every password inside
 * a URL, known or not. Used by whatever writes logs, errors and reports.
 */
export function maskSecrets(text: string, secrets: readonly string[]): string {
  let masked = maskUrls(text);
  for (const form of formsOf(secrets)) {
    if (!masked.includes(form)) continue;
    masked =
      form.length >= SHORT
        ? masked.replaceAll(form, MASK)
        : masked.replace(new RegExp(`(?<![\\p{L}\\p{N}_])${escapeRegExp(form)}(?![\\p{L}\\p{N}_])`, 'gu'), MASK);
  }
  return masked;
}

/** `postgresql://ingest:hunter2@db/x` -> `postgresql://ingest:********@db/x`, and `?password=..`. */
export const maskUrls = (text: string): string =>
  text
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s:@/?#]*):[^\s@/?#]*@/gi, `$1:${MASK}@`)
    .replace(/([?&](?:password|sslpassword)=)[^&\s"']*/gi, `$1${MASK}`);

/** Longest first, so that a secret that holds another one goes as a whole. */
function formsOf(secrets: readonly string[]): readonly string[] {
  const forms = new Set<string>();
  for (const secret of secrets) {
    const lines = secret.includes('\n') ? secret.split(/\r?\n/).filter((line) => line.length >= LINE) : [];
    for (const one of [secret, ...lines]) {
      forms.add(one);
      forms.add(encodeURIComponent(one));
      forms.add(JSON.stringify(one).slice(1, -1));
    }
  }
  forms.delete('');
  return [...forms].sort((a, b) => b.length - a.length);
}

const escapeRegExp = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/-]/g, (char) => `\\${char}`);
