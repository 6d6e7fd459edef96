// Mutated files through the whole of reading and checking (a dry run): decoder, charset, format, types, rules. In a
// thread of its own, so that a hang can be ended.
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { modules } from '../../../config/setup.mjs';
import { mutate, random } from './mutate.mjs';

const { config, dir, corpus, first, forMs } = workerData;
const inside = async (file) => await import(path.join(modules(), file));
const { loadConfig } = await inside('config/load-config.js');
const { PARTS } = await inside('cli/context.js');
const { FORMATS, DECODERS } = await inside('registry.js');
const { checkFile } = await inside('load/dry-run.js');
const { versionOf } = await inside('sources/local/version.js');

const { config: made } = loadConfig({ path: config, env: process.env, cwd: dir, parts: PARTS });
const feeds = new Map(made.feeds.map((feed) => [feed.name, feed]));
const contents = corpus.map(({ file, feed }) => ({ bytes: readFileSync(file), feed, name: path.basename(file) }));
const hooks = {
  formats: FORMATS,
  decoders: DECODERS,
  onProgress: () => undefined,
  signal: new AbortController().signal,
};

// The program is loaded by now, which takes its time on a busy machine.
const until = Date.now() + forMs;
for (let n = first; Date.now() < until; n++) {
  const below = random(n);
  // In turn, so that each format has its share however few cases there are.
  const origin = contents[n % contents.length];
  const bytes = mutate(origin.bytes, contents[below(contents.length)].bytes, below);
  const file = path.join(dir, `fuzz-${origin.name}`);
  writeFileSync(file, bytes);
  parentPort.postMessage({ kind: 'begin', seed: n, name: origin.name });
  const stats = statSync(file, { bigint: true });
  const job = {
    loadKey: '00000000-0000-4000-8000-000000000000',
    instanceId: 'fuzz',
    fileId: 1,
    feed: feeds.get(origin.feed),
    database: null,
    workDir: dir,
    manifest: null,
    generation: 1,
    duplicateAllowed: false,
    replaces: { loadIds: [], path: false, feed: false },
    metadata: null,
    sidecars: [],
    beside: null,
    file: {
      path: path.basename(file),
      uri: `file://${file}`,
      localPath: file,
      localPathHex: null,
      size: Number(stats.size),
      mtimeUs: 0,
      version: versionOf(stats),
      inPlace: true,
      sha256: null,
      metadata: null,
    },
  };
  const result = await checkFile(job, hooks);
  const { rows, error } = result;
  const fault =
    result.outcome !== 'checked'
      ? `${result.outcome}: ${error?.code} ${error?.message}`
      : error?.code === 'INTERNAL'
        ? error.message
        : error === null && rows.read !== rows.loaded + rows.quarantined
          ? `read ${rows.read}, loaded ${rows.loaded}, quarantined ${rows.quarantined}`
          : null;
  parentPort.postMessage({
    kind: 'end',
    seed: n,
    feed: origin.feed,
    name: origin.name,
    rejected: error?.code ?? null,
    read: rows?.read ?? 0,
    fault,
  });
}
parentPort.postMessage({ kind: 'done' });
