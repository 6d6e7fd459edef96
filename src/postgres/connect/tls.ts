import type { ConnectionOptions } from 'node:tls';
import type { DatabaseSpec } from '../../core/database.js';
import { isServerError } from './errors.js';
import { errnoOf } from '../../base/errno.js';

/** One way to try to connect: `false` is plain text. */
export type Encryption = ConnectionOptions | false;

/** The ways in the order that libpq tries them under this sslmode. A Unix socket is never encrypted. */
export function encryptionAttempts(spec: DatabaseSpec): readonly Encryption[] {
  if (spec.host.startsWith('/')) return [false];
  switch (spec.sslmode) {
    case 'disable':
      return [false];
    case 'allow':
      return [false, tlsOptions(spec)];
    case 'prefer':
      return [tlsOptions(spec), false];
    case 'require':
    case 'verify-ca':
    case 'verify-full':
      return [tlsOptions(spec)];
  }
}

/**
 * libpq's meanings: `verify-full` checks the chain and the host name, `verify-ca` the chain, `require` the chain only
 * when a CA was given, `prefer` and `allow` nothing. Without a CA the chain is checked against the ones that Node
 * trusts.
 */
function tlsOptions(spec: DatabaseSpec): ConnectionOptions {
  const { ca, cert, key } = spec.tls;
  const checksChain =
    spec.sslmode === 'verify-ca' || spec.sslmode === 'verify-full' || (spec.sslmode === 'require' && ca !== null);
  return {
    rejectUnauthorized: checksChain,
    ...(ca === null ? {} : { ca }),
    ...(cert === null ? {} : { cert }),
    ...(key === null ? {} : { key }),
    ...(spec.sslmode === 'verify-full' ? {} : { checkServerIdentity: () => undefined }),
  };
}

/** invalid_authorization_specification: no line of pg_hba.conf for a connection (not) encrypted so. */
const NO_HBA_ENTRY = '28000';

/**
 * True when the error is about encryption, so that the next attempt may do better: no TLS there, no handshake, or
 * pg_hba.conf wants it otherwise.
 */
export function worthNextAttempt(error: unknown, tried: Encryption): boolean {
  if (isServerError(error)) return error.code === NO_HBA_ENTRY;
  if (tried === false || !(error instanceof Error)) return false;
  const code = errnoOf(error);
  return error.message.includes('SSL') || code.startsWith('ERR_SSL') || code.startsWith('ERR_TLS') || code === 'EPROTO';
}
