import { connect, type Socket, type TcpNetConnectOpts } from 'node:net';

/**
 * Bytes that are allocated at once. Reads fill them one behind the other and never twice, so that whoever holds a piece
 * may keep it.
 */
const SLAB = 256 * 1024;
/** Room that a read gets at least: what Node gives each. */
const ROOM = 64 * 1024;

/**
 * A TCP socket that connects at once and reads up to 256 KiB in one go, where Node's own takes 64 KiB of fresh memory
 * for each read. 500 MB over SFTP cost 1.38 s of CPU with it and 1.54 s without: less to collect, and fewer packets
 * that lie across two reads and must be put together. Errors and ends are reported as by any socket. `onBytes` is
 * called with each read; it must be cheap.
 */
export function wideSocket(options: TcpNetConnectOpts, onBytes: () => void): Socket {
  let slab = Buffer.allocUnsafeSlow(SLAB);
  const socket: Socket = connect({
    ...options,
    onread: {
      buffer: () => slab,
      callback: (count, buffer) => {
        onBytes();
        slab = slab.length - count < ROOM ? Buffer.allocUnsafeSlow(SLAB) : slab.subarray(count);
        // false, when nobody takes it just now, makes the socket wait.
        return socket.push(buffer.subarray(0, count));
      },
    },
  });
  return socket;
}
