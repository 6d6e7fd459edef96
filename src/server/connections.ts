import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

/**
 * Keeps at most so many connections, and always has room for one more: whoever comes takes the place of the one that
 * has waited longest, one that asks nothing before one that is being answered. A hundred half-sent requests cannot keep
 * a health check out.
 */
export function limitConnections(server: Server, most: number): void {
  const idle = new Set<Socket>();
  const answered = new Set<Socket>();
  server.on('connection', (socket) => {
    idle.add(socket);
    socket.once('close', () => {
      idle.delete(socket);
      answered.delete(socket);
    });
    if (idle.size + answered.size <= most) return;
    // Sets keep the order in which their members came.
    const [longest] = [...idle].filter((one) => one !== socket).concat([...answered]);
    longest?.destroy();
  });
  server.on('request', ({ socket }: IncomingMessage, response: ServerResponse) => {
    idle.delete(socket);
    answered.add(socket);
    response.once('close', () => {
      if (answered.delete(socket) && !socket.destroyed) idle.add(socket);
    });
  });
}
