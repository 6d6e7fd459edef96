import { messageOf } from '../core/errors.js';
import { parseDatabaseUrl } from '../postgres/connect/url.js';

/** What is wrong with database.url, so that `check` reports it with its place; null = nothing. */
export function urlProblem(url: string): string | null {
  try {
    parseDatabaseUrl(url, null);
    return null;
  } catch (error) {
    return messageOf(error).replace(/^database\.url: /, '');
  }
}
