import { createHash } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

/** One object as the server holds it. */
export interface FakeObject {
  body: Buffer;
  etag: string;
  modified: Date;
  storageClass: string;
  headers: Record<string, string>;
  tags: string;
}

/** What was asked, taken apart. */
export interface FakeRequest {
  readonly method: string;
  readonly bucket: string;
  readonly key: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
}

/** What goes wrong with one answer. */
export type FakeFault =
  | { readonly status: number; readonly code: string; readonly message?: string }
  /** The connection is cut, or stands still for ever, once so many bytes of the body are out. */
  | { readonly cutAfter: number }
  | { readonly stallAfter: number }
  /** The body and its Content-Length are this much shorter than the object. */
  | { readonly shortBy: number };

export interface FakeS3 {
  readonly endpoint: string;
  readonly buckets: Map<string, Map<string, FakeObject>>;
  /** Every request so far, newest last: `GET key`. */
  readonly log: string[];
  put(bucket: string, key: string, body: string | Buffer, more?: Partial<FakeObject>): FakeObject;
  /** Asked before each request; null = nothing goes wrong. It may change the buckets, too. */
  fault: (request: FakeRequest) => FakeFault | null;
  /** Keys a page of a listing at most. */
  pageSize: number;
  /** Milliseconds that the server's clock is ahead. */
  skewMs: number;
  /** Like Ceph: conditions on CopyObject and DeleteObject are passed over. */
  ignoresConditions: boolean;
  close(): Promise<void>;
}

/** The largest difference of clocks that S3 takes. */
const SKEW_MAX_MS = 900_000;

/**
 * A small S3 server in the test process for faults that a real one cannot be made to show. It passes the same contract
 * suite as the real one. Path style only.
 */
export async function startFakeS3(): Promise<FakeS3> {
  const fake: Omit<FakeS3, 'endpoint' | 'close'> = {
    buckets: new Map(),
    log: [],
    fault: () => null,
    pageSize: 1_000,
    skewMs: 0,
    ignoresConditions: false,
    put(bucket, key, body, more = {}) {
      const content = Buffer.from(body);
      const object = {
        body: content,
        etag: createHash('md5').update(content).digest('hex'),
        modified: new Date(Date.now() + live.skewMs),
        storageClass: 'STANDARD',
        headers: {},
        tags: '',
        ...more,
      };
      const objects = live.buckets.get(bucket) ?? new Map<string, FakeObject>();
      live.buckets.set(bucket, objects.set(key, object));
      return object;
    },
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => answer(live, request, Buffer.concat(chunks), response));
    request.on('error', () => response.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const live: FakeS3 = Object.assign(fake, {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
  return live;
}

function answer(fake: FakeS3, incoming: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const [path = '', search = ''] = (incoming.url ?? '/').split('?', 2);
  const slash = path.indexOf('/', 1);
  const bucket = decodeURIComponent(slash === -1 ? path.slice(1) : path.slice(1, slash));
  const key = slash === -1 ? '' : decodeURIComponent(path.slice(slash + 1));
  const request: FakeRequest = {
    method: incoming.method ?? '',
    bucket,
    key,
    query: new URLSearchParams(search),
    headers: incoming.headers,
  };
  fake.log.push(`${request.method} ${key}`);
  response.setHeader('date', new Date(Date.now() + fake.skewMs).toUTCString());
  response.setHeader('x-amz-request-id', 'fake');
  const fault = fake.fault(request);
  if (fault !== null && 'status' in fault) return refuse(response, request, fault);
  if (isSkewed(fake, request)) return refuse(response, request, { status: 403, code: 'RequestTimeTooSkewed' });
  const objects = fake.buckets.get(bucket);
  if (request.method === 'PUT' && key === '') {
    fake.buckets.set(bucket, objects ?? new Map<string, FakeObject>());
    return send(response, 200);
  }
  if (request.method === 'DELETE' && key === '') {
    fake.buckets.delete(bucket);
    return send(response, 204);
  }
  if (objects === undefined) return refuse(response, request, { status: 404, code: 'NoSuchBucket' });
  if (request.method === 'GET' && key === '') return list(fake, objects, request, response);
  onObject({ fake, objects, request, body, fault, response });
}

interface Call {
  readonly fake: FakeS3;
  readonly objects: Map<string, FakeObject>;
  readonly request: FakeRequest;
  readonly body: Buffer;
  readonly fault: Exclude<FakeFault, { status: number }> | null;
  readonly response: ServerResponse;
}

function onObject(call: Call): void {
  const { fake, objects, request, body, response } = call;
  const { method, key, headers, query } = request;
  const object = objects.get(key);
  const fails = (status: number, code: string): void => refuse(response, request, { status, code });
  if (method === 'PUT' && !query.has('tagging')) {
    if (
      object !== undefined &&
      headers['if-none-match'] === '*' &&
      !(fake.ignoresConditions && headers['x-amz-copy-source'] !== undefined)
    )
      return fails(412, 'PreconditionFailed');
    if (headers['x-amz-copy-source'] !== undefined) return copy(call, String(headers['x-amz-copy-source']));
    const made = fake.put(request.bucket, key, body, { headers: properties(headers) });
    response.setHeader('etag', `"${made.etag}"`);
    return send(response, 200);
  }
  if (method === 'DELETE') {
    const wanted = fake.ignoresConditions ? undefined : headers['if-match'];
    if (wanted !== undefined && wanted !== `"${object?.etag ?? ''}"`)
      return fails(object === undefined ? 404 : 412, object === undefined ? 'NoSuchKey' : 'PreconditionFailed');
    objects.delete(key);
    return send(response, 204);
  }
  if (object === undefined) return fails(404, 'NoSuchKey');
  if (query.has('tagging')) {
    if (method === 'PUT') object.tags = /<TagSet>.*<\/TagSet>/s.exec(body.toString())?.[0] ?? '';
    return send(
      response,
      200,
      method === 'GET' ? `<Tagging>${object.tags === '' ? '<TagSet></TagSet>' : object.tags}</Tagging>` : '',
    );
  }
  if (headers['if-match'] !== undefined && headers['if-match'] !== `"${object.etag}"`)
    return fails(412, 'PreconditionFailed');
  if (object.storageClass === 'GLACIER' && method === 'GET') return fails(403, 'InvalidObjectState');
  give(call, object);
}

/** GET and HEAD. */
function give({ request, fault, response }: Call, object: FakeObject): void {
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const from = Number(range?.[1] ?? 0);
  const size = object.body.length;
  if (range !== null && from >= size) return refuse(response, request, { status: 416, code: 'InvalidRange' });
  const end = range?.[2] === undefined || range[2] === '' ? size : Math.min(size, Number(range[2]) + 1);
  const piece = object.body.subarray(from, fault !== null && 'shortBy' in fault ? end - fault.shortBy : end);
  const all = {
    etag: `"${object.etag}"`,
    'last-modified': object.modified.toUTCString(),
    'content-length': String(piece.length),
    ...object.headers,
  };
  for (const [name, value] of Object.entries(all)) response.setHeader(name, value);
  if (object.storageClass !== 'STANDARD') response.setHeader('x-amz-storage-class', object.storageClass);
  if (range !== null) response.setHeader('content-range', `bytes ${from}-${end - 1}/${size}`);
  response.writeHead(range === null ? 200 : 206);
  if (request.method === 'HEAD') response.end();
  else if (fault !== null && 'cutAfter' in fault)
    response.write(piece.subarray(0, fault.cutAfter), () => response.destroy());
  else if (fault !== null && 'stallAfter' in fault) response.write(piece.subarray(0, fault.stallAfter));
  else response.end(piece);
}

function copy({ fake, request, response }: Call, source: string): void {
  const [bucket = '', ...rest] = source.replace(/^\//, '').split('/').map(decodeURIComponent);
  const from = fake.buckets.get(bucket)?.get(rest.join('/'));
  if (from === undefined) return refuse(response, request, { status: 404, code: 'NoSuchKey' });
  const wanted = request.headers['x-amz-copy-source-if-match'];
  if (!fake.ignoresConditions && wanted !== undefined && wanted !== `"${from.etag}"`)
    return refuse(response, request, { status: 412, code: 'PreconditionFailed' });
  const made = fake.put(request.bucket, request.key, from.body, {
    headers: properties(request.headers),
    tags: from.tags,
  });
  send(
    response,
    200,
    `<CopyObjectResult><ETag>"${made.etag}"</ETag><LastModified>${made.modified.toISOString()}</LastModified></CopyObjectResult>`,
  );
}

const properties = (headers: IncomingMessage['headers']): Record<string, string> =>
  Object.fromEntries(
    Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('x-amz-meta-') || name === 'content-type' ? [[name, String(value)]] : [],
    ),
  );

function list(fake: FakeS3, objects: Map<string, FakeObject>, { query }: FakeRequest, response: ServerResponse): void {
  const prefix = query.get('prefix') ?? '';
  const delimiter = query.get('delimiter') ?? '';
  const after = Buffer.from(query.get('continuation-token') ?? '', 'base64').toString();
  const max = Math.min(fake.pageSize, Number(query.get('max-keys') ?? fake.pageSize));
  const keys = [...objects.keys()]
    .filter((key) => key.startsWith(prefix))
    .sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
  const folders = new Set<string>();
  const contents: string[] = [];
  let last = '';
  let isTruncated = false;
  for (const key of keys) {
    const cut = delimiter === '' ? -1 : key.indexOf(delimiter, prefix.length);
    const item = cut === -1 ? key : key.slice(0, cut + 1);
    if (after !== '' && Buffer.compare(Buffer.from(item), Buffer.from(after)) <= 0) continue;
    if (folders.has(item)) continue;
    if (contents.length + folders.size >= max) {
      isTruncated = true;
      break;
    }
    last = item;
    if (cut === -1) contents.push(entry(key, objects.get(key)!));
    else folders.add(item);
  }
  const token = isTruncated
    ? `<NextContinuationToken>${Buffer.from(last).toString('base64')}</NextContinuationToken>`
    : '';
  const common = [...folders]
    .map((folder) => `<CommonPrefixes><Prefix>${encode(folder)}</Prefix></CommonPrefixes>`)
    .join('');
  send(
    response,
    200,
    `<ListBucketResult><EncodingType>url</EncodingType><IsTruncated>${isTruncated}</IsTruncated>${token}${contents.join('')}${common}</ListBucketResult>`,
  );
}

const entry = (key: string, object: FakeObject): string =>
  `<Contents><Key>${encode(key)}</Key><LastModified>${object.modified.toISOString()}</LastModified><ETag>&quot;${object.etag}&quot;</ETag><Size>${object.body.length}</Size><StorageClass>${object.storageClass}</StorageClass></Contents>`;

/** As AWS does: a blank is a plus. */
const encode = (text: string): string =>
  encodeURIComponent(text).replaceAll('%20', '+').replaceAll("'", '%27').replaceAll('%2F', '/');

function isSkewed(fake: FakeS3, { headers }: FakeRequest): boolean {
  const told = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(String(headers['x-amz-date']));
  if (told === null) return false;
  const [year = 0, month = 0, ...rest] = told.slice(1).map(Number);
  return (
    Math.abs(Date.UTC(year, month - 1, ...(rest as [number, number, number, number])) - (Date.now() + fake.skewMs)) >
    SKEW_MAX_MS
  );
}

function refuse(
  response: ServerResponse,
  { method }: FakeRequest,
  { status, code, message = '' }: { readonly status: number; readonly code: string; readonly message?: string },
): void {
  // An answer to HEAD has no body: only the status tells.
  send(
    response,
    status,
    method === 'HEAD'
      ? ''
      : `<Error><Code>${code}</Code><Message>${message}</Message><RequestId>fake</RequestId></Error>`,
  );
}

function send(response: ServerResponse, status: number, xml = ''): void {
  response.writeHead(status, { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(xml) });
  response.end(xml);
}
