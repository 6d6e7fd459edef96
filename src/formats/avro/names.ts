/** `"name":`, the key of a member in JSON. */
export const nameBytes = (name: string): Buffer => Buffer.from(`${JSON.stringify(name)}:`);
