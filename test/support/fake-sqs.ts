import { createHash } from 'node:crypto';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface FakeSqs {
  readonly queueUrl: string;
  send(body: unknown): void;
  /** Messages that were not deleted, hidden ones too. */
  readonly bodies: () => string[];
  /** What was received and not deleted can be received again, as when its visibility time-out has run out. */
  readonly reappear: () => void;
  /** Answers all with 500. */
  broken: boolean;
  close(): Promise<void>;
}

interface Message {
  readonly body: string;
  readonly handle: string;
  hidden: boolean;
}

/**
 * One small SQS queue in the test process: receive with long polling, and delete. A message that was received stays
 * hidden.
 */
export async function startFakeSqs(): Promise<FakeSqs> {
  let messages: Message[] = [];
  let count = 0;
  const waiting = new Set<() => void>();
  const sqs = { broken: false };
  const reply = (response: ServerResponse, status: number, body: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' });
    response.end(JSON.stringify(body));
  };
  const receive = (response: ServerResponse): void => {
    // Who has gone takes nothing with him.
    if (response.destroyed) return;
    const ready = messages.filter((message) => !message.hidden).slice(0, 10);
    if (ready.length === 0) return void waiting.add(() => receive(response));
    for (const message of ready) message.hidden = true;
    reply(response, 200, {
      Messages: ready.map(({ body, handle }) => ({
        MessageId: handle,
        ReceiptHandle: handle,
        Body: body,
        MD5OfBody: createHash('md5').update(body).digest('hex'),
      })),
    });
  };
  const wake = (): void => {
    const all = [...waiting];
    waiting.clear();
    for (const go of all) go();
  };
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const input = JSON.parse(Buffer.concat(chunks).toString()) as {
        Entries?: { Id: string; ReceiptHandle: string }[];
      };
      if (sqs.broken) reply(response, 500, { __type: 'InternalFailure' });
      else if (request.headers['x-amz-target'] === 'AmazonSQS.ReceiveMessage') receive(response);
      else {
        const gone = new Set((input.Entries ?? []).map((entry) => entry.ReceiptHandle));
        messages = messages.filter((message) => !gone.has(message.handle));
        reply(response, 200, { Successful: (input.Entries ?? []).map(({ Id }) => ({ Id })), Failed: [] });
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return Object.assign(sqs, {
    queueUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}/123456789012/drops`,
    send: (body: unknown) => {
      messages.push({
        body: typeof body === 'string' ? body : JSON.stringify(body),
        handle: `m${++count}`,
        hidden: false,
      });
      wake();
    },
    bodies: () => messages.map((message) => message.body),
    reappear: () => {
      for (const message of messages) message.hidden = false;
      wake();
    },
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}
