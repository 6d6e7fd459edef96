// A stand-in for load-worker.js: does what the job's feed name says, so that the pool can be shown deaths that a good
// worker does not die.
import { parentPort, workerData } from 'node:worker_threads';

const state = new Int32Array(workerData.state);
let hold = null;

parentPort.on('message', ({ kind, jobs }) => {
  const job = jobs?.[0];
  if (kind === 'stop') parentPort.close();
  if (kind === 'cancel' || kind === 'ask') parentPort.postMessage({ kind: 'heard' });
  if (kind === 'cancel' && hold !== null) {
    parentPort.postMessage({
      kind: 'result',
      index: 0,
      result: { outcome: 'unreachable', error: { code: 'INTERRUPTED', message: 'called off', fix: '' } },
    });
    hold = null;
  }
  if (kind !== 'load' && kind !== 'check') return;
  const act = job.feed.name;
  if (act === 'answer') {
    parentPort.postMessage({
      kind: 'progress',
      progress: { fileId: job.fileId, path: '', bytes: 1, totalBytes: 2, rows: 3, bad: 0, chunk: 0 },
    });
    parentPort.postMessage({
      kind: 'result',
      index: 0,
      result: { outcome: 'changed', message: `${kind} ${job.fileId} in ${process.pid}` },
    });
  }
  if (act === 'hold') hold = job;
  if (act === 'hang') for (;;);
  if (act === 'throw') throw new Error('a fault');
  if (act === 'exit') process.exit(3);
  if (act === 'exit-committing') {
    Atomics.store(state, 0, 1);
    process.exit(3);
  }
  if (act === 'eat') {
    const eaten = [];
    for (;;) eaten.push(new Array(100_000).fill(0).map((_, i) => ({ i })));
  }
});

parentPort.postMessage({ kind: 'ready' });
