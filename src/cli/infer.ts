import path from 'node:path';
import process from 'node:process';
import { type Command, InvalidArgumentError } from 'commander';
import { parseSize } from '../base/units.js';
import { infer as inferFeed } from '../operations/infer.js';
import { DECODERS, FORMATS } from '../registry.js';
import type { Act, Context } from './context.js';

interface InferCommandOptions {
  readonly name?: string;
  readonly sample?: number;
}

const SAMPLE = 8 * 1024 * 1024;

export function infer(program: Command, act: Act): void {
  program
    .command('infer')
    .description(
      'reads a sample of files and prints a feed for them, ready to paste under feeds:, with a comment at every doubtful choice; needs no config',
    )
    .argument('<file...>', 'files of one kind; compressed ones too')
    .option('--name <name>', "the feed's name (default: made from the first file's name)")
    .option(
      '--sample <size>',
      'bytes read of the beginning of each file, 8MiB unless said; of larger ones also parts of the rest',
      sampleSize,
    )
    .action(act(inferCommand));
}

function sampleSize(text: string): number {
  const size = parseSize(text);
  if (size === null || size < 1024) throw new InvalidArgumentError('write a size from 1KiB on, such as 8MiB');
  return size;
}

async function inferCommand(context: Context, files: readonly string[], options: InferCommandOptions): Promise<number> {
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
