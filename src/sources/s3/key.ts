/**
 * A key as a listing with encoding-type=url writes it: AWS puts + for a blank, others %20, and a plus is %2B with both.
 * null = its bytes are no UTF-8, and no request could ask for it.
 */
export function decodeListed(text: string): string | null {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '));
  } catch (error) {
    if (error instanceof URIError) return null;
    throw error;
  }
}

export const s3Uri = (bucket: string, key: string): string =>
  `s3://${bucket}/${encodeURI(key).replace(/[?#]/g, encodeURIComponent)}`;

/** Header x-amz-copy-source. */
export const copySource = (bucket: string, key: string): string =>
  // Of an access point it is the object's own ARN.
  [bucket, ...(bucket.startsWith('arn:') ? ['object'] : []), ...key.split('/')].map(encodeURIComponent).join('/');
