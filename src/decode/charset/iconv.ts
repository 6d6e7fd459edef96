import { createRequire } from 'node:module';
import type iconvLite from 'iconv-lite';
import { TallymanError } from '../../core/errors.js';

type Iconv = typeof iconvLite;

let loaded: Iconv | null = null;

/** iconv-lite, loaded when the first encoding beyond Unicode is met: most feeds never name one, and it takes 25 ms. */
export function iconv(): Iconv {
  if (loaded !== null) return loaded;
  const found: unknown = createRequire(import.meta.url)('iconv-lite');
  if (!isIconv(found)) throw new TallymanError('INTERNAL', 'iconv-lite is not as it was');
  return (loaded = found);
}

const isIconv = (value: unknown): value is Iconv => typeof value === 'object' && value !== null && 'decode' in value;
