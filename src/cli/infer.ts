import path from 'node:path';
import process from 'node:process';
import { infer as inferFeed } from '../operations/infer.js';
import { DECODERS, FORMATS } from '../registry.js';
import type { Context } from './context.js';

interface InferCommandOptions {
  readonly name?: string;
  readonly sample?: number;
}

const SAMPLE = 8 * 1024 * 1024;

export async function infer(context: Context, files: readonly string[], options: InferCommandOptions): Promise<number> {
  const { out } = context;
  const config = context.options.config ?? process.env['TALLYMAN_CONFIG'];
  const base = config === undefined ? process.cwd() : path.dirname(path.resolve(config));
  const inferred = await inferFeed(
    { formats: FORMATS, decoders: DECODERS },
    { files, name: options.name ?? null, sampleBytes: options.sample ?? SAMPLE, base },
  );
  if (out.json) out.document(inferred.document);
  else out.write(inferred.yaml);
  return 0;
}
