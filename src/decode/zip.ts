import type { Decoder } from '../core/decoder.js';
import { TallymanError } from '../core/errors.js';

/**
 * zip, by its directory; stored and deflated members. Checksum and length of each member are proven by us, yauzl proves
 * neither.
 */
export const zip: Decoder = {
  name: 'zip',
  extensions: ['.zip'],
  matches: (head) => ['PK\x03\x04', 'PK\x05\x06', 'PK\x07\x08'].includes(head.toString('latin1', 0, 4)),
  decode: () => {
    throw new TallymanError('INTERNAL', 'a zip archive is read by its members');
  },
  members: async (file, wanted) => {
    const { zipMembers } = await import('./zip-members.js');
    return await zipMembers(file, wanted);
  },
};
