import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** What a proxy does to the connections through it. Change the fields at any time. */
export interface ProxyFaults {
  /**
   * When the client sends these bytes (in one piece of what it writes), everything the server answers from then on is
   * swallowed, and the client is cut.
   */
  swallowAnswerTo: string | null;
  /** When the client sends these bytes, the connection is cut before they reach the server. */
  cutBefore: string | null;
  /** Cut both sides once so many bytes went from client to server on one connection. */
  cutAfterUp: number | null;
  /** The same for bytes from server to client; those before it do arrive. */
  cutAfterDown: number | null;
  /** Nothing goes through any more, in either direction, and nobody is told. */
  stalled: boolean;
  /**
   * Asked for each piece that the client sends: let it through, cut before it arrives, or let it arrive and swallow the
   * answer.
   */
  decide: ((data: Buffer) => 'pass' | 'cut' | 'swallow') | null;
  /** A slow line, for connections made from then on; null = as fast as it goes. */
  line: SlowLine | null;
}

export interface SlowLine {
  /** In each direction, of each connection. */
  readonly bytesPerSecond: number;
  /** From one end to the other, each way, milliseconds. */
  readonly delayMs: number;
}

/** Bytes that a slow line holds in each direction before the sender has to wait. */
const LINE_HOLDS = 64 * 1024;

/** Gives bytes on as a slow line does: in small pieces, none before its time, and the sender waits when it is full. */
function slowly(line: SlowLine, from: Socket, give: (data: Buffer) => void): (data: Buffer) => void {
  const piece = Math.max(1, Math.ceil(line.bytesPerSecond / 50));
  const held: { readonly data: Buffer; readonly at: number }[] = [];
  let holds = 0;
  let free = performance.now();
  let timer: NodeJS.Timeout | null = null;
  from.once('close', () => {
    if (timer !== null) clearTimeout(timer);
    held.length = 0;
  });
  const next = (): void => {
    timer = null;
    for (let first = held[0]; first !== undefined; first = held[0]) {
      const left = first.at - performance.now();
      if (left > 0) {
        timer = setTimeout(next, Math.ceil(left));
        return;
      }
      held.shift();
      holds -= first.data.length;
      give(first.data);
      if (holds < LINE_HOLDS) from.resume();
    }
  };
  return (data) => {
    for (let at = 0; at < data.length; at += piece) {
      const part = data.subarray(at, at + piece);
      free = Math.max(free, performance.now()) + (part.length / line.bytesPerSecond) * 1_000;
      held.push({ data: part, at: free + line.delayMs });
      holds += part.length;
    }
    if (holds >= LINE_HOLDS) from.pause();
    if (timer === null) next();
  };
}

export interface TcpProxy {
  readonly port: number;
  readonly faults: ProxyFaults;
  /** Connections accepted so far. */
  readonly accepted: () => number;
  /** New connections go to this port from now on. */
  lead(port: number): void;
  /** Cuts every connection there is. */
  cutAll(): void;
  close(): Promise<void>;
}

/** A small TCP proxy in the test process, in front of a real server. `listen` 0 = any free port. */
export async function startProxy(host: string, port: number, listen = 0): Promise<TcpProxy> {
  const faults: ProxyFaults = {
    swallowAnswerTo: null,
    cutBefore: null,
    cutAfterUp: null,
    cutAfterDown: null,
    stalled: false,
    decide: null,
    line: null,
  };
  let target = port;
  const sockets = new Set<Socket>();
  let accepted = 0;
  const server = createServer((client) => {
    accepted++;
    const upstream = connect(target, host);
    let up = 0;
    let down = 0;
    let swallowing = false;
    let ending = false;
    const cut = (): void => {
      client.destroy();
      upstream.destroy();
    };
    const cutBehind = (): void => {
      ending = true;
      client.end();
      upstream.destroy();
    };
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', cut);
      socket.on('close', () => {
        sockets.delete(socket);
        if (!ending || socket === client) cut();
      });
    }
    const giveUp = (data: Buffer): void => {
      if (upstream.writable && !upstream.write(data)) {
        client.pause();
        upstream.once('drain', () => client.resume());
      }
    };
    const giveDown = (data: Buffer): void => {
      if (client.writable) client.write(data);
    };
    const sendUp = faults.line === null ? giveUp : slowly(faults.line, client, giveUp);
    const sendDown = faults.line === null ? giveDown : slowly(faults.line, upstream, giveDown);
    client.on('data', (data) => {
      if (faults.stalled || ending) return;
      const verdict = faults.decide?.(data) ?? 'pass';
      if (verdict === 'swallow') swallowing = true;
      if (verdict === 'cut') {
        cut();
        return;
      }
      if (faults.cutBefore !== null && data.includes(faults.cutBefore)) {
        cut();
        return;
      }
      up += data.length;
      if (faults.cutAfterUp !== null && up > faults.cutAfterUp) {
        cut();
        return;
      }
      if (faults.swallowAnswerTo !== null && data.includes(faults.swallowAnswerTo)) swallowing = true;
      sendUp(data);
    });
    upstream.on('data', (data) => {
      if (faults.stalled || ending) return;
      if (swallowing) {
        // The server has answered, so it has done what was asked; nobody hears of it.
        cut();
        return;
      }
      down += data.length;
      if (faults.cutAfterDown !== null && down > faults.cutAfterDown) {
        cutBehind();
        return;
      }
      sendDown(data);
    });
  });
  await new Promise<void>((resolve) => server.listen(listen, '127.0.0.1', resolve));
  const { port: own } = server.address() as AddressInfo;
  return {
    port: own,
    faults,
    accepted: () => accepted,
    lead(to) {
      target = to;
    },
    cutAll() {
      for (const socket of sockets) socket.destroy();
    },
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
