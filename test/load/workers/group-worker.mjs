// A stand-in for load-worker.js that dies whenever f2.csv is among its files.
import { parentPort } from 'node:worker_threads';

parentPort.on('message', ({ kind, jobs }) => {
  if (kind === 'stop') parentPort.close();
  if (kind !== 'load') return;
  if (jobs.some((job) => job.file.path === 'f2.csv')) process.exit(3);
  jobs.forEach((_, index) =>
    parentPort.postMessage({ kind: 'result', index, result: { outcome: 'vanished', message: '' } }),
  );
});

parentPort.postMessage({ kind: 'ready' });
