import { Command, CommanderError } from 'commander';
import { VERSION } from '../base/built.js';
import { emptyCoreFiles } from '../base/core-files.js';
import { sourceStack } from '../base/source-stack.js';
import { TallymanError } from '../core/errors.js';
import { addCommands } from './commands.js';
import { addHelp } from './print/help.js';
import type { Act, Interrupt } from './context.js';
import { isReaderGone, outputFailure, printData, say, written } from './print/streams.js';

/** Parses the command line and runs the command. Returns the exit code; never throws for what users do. */
export async function runCli(argv: readonly string[], interrupt: Interrupt): Promise<number> {
  let exit = 0;
  const act: Act =
    (load) =>
    async (...args) => {
      emptyCoreFiles();
      const command = args.at(-1);
      if (!(command instanceof Command)) throw new Error('commander gives the command last');
      const [{ Invocation }, action] = await Promise.all([import('./context.js'), load()]);
      const invocation = new Invocation(command, interrupt);
      const context = invocation.context();
      try {
        // Commander gives the action its arguments, then its options, then the command itself, which the action does
        // not need.
        exit = await action(context, ...args);
      } catch (error) {
        // `| head` has seen enough.
        if (isReaderGone() && error instanceof TallymanError && error.code === 'DISK_FULL') return;
        const known = invocation.explain(error);
        context.out.error(known);
        if (context.out.verbose && error instanceof Error && error.stack !== undefined)
          context.out.say(sourceStack(error.stack));
        exit = interrupt.exitCode() ?? known.exit;
      } finally {
        await invocation.close();
      }
    };
  let said = '';
  const program = makeProgram(act, (text) => {
    said += text;
  });
  const isJson = argv.includes('--json');
  try {
    await program.parseAsync([...argv]);
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode !== 0) exit = 2;
    // `tallyman` or `tallyman ledger` alone: the help is the answer, and still no command was given.
    if (error.code === 'commander.help') say(said);
    else if (exit !== 0) await sayError(new TallymanError('USAGE', error.message.replace(/^error: /, '')), isJson);
  }
  await written(interrupt.signal);
  const failed = isReaderGone() ? null : outputFailure();
  if (failed === null || (exit !== 0 && exit !== 3)) return exit;
  await sayError(failed, isJson);
  await written(interrupt.signal);
  return failed.exit;
}

async function sayError(error: TallymanError, json: boolean): Promise<void> {
  const { Output } = await import('./print/output.js');
  new Output({ json, quiet: false, verbose: false }).error(error);
}

/** `writeErr` gets what commander says by itself: help where a command is missing, and its mistakes a second time. */
export function makeProgram(act: Act, writeErr: (text: string) => void): Command {
  const program = new Command('tallyman')
    .description(
      'Finds files dropped into folders, proves them complete, and loads them into PostgreSQL staging tables, exactly once, tallied.',
    )
    .version(VERSION, '-V, --version')
    .option('-c, --config <file>', 'config file (default: $TALLYMAN_CONFIG, then ./tallyman.yaml)')
    .option('--json', 'machine-readable output')
    .option('-q, --quiet', 'no messages, only data and errors')
    .option('-v, --verbose', 'say more')
    .showHelpAfterError(false)
    .exitOverride()
    .configureOutput({ writeOut: printData, writeErr })
    .helpCommand(true);
  addCommands(program, act);
  addHelp(program);
  quietErrors(program, writeErr);
  return program;
}

/**
 * Sub-commands do not inherit exitOverride and configureOutput when they are made by hand; global options may stand
 * behind the command too.
 */
function quietErrors(command: Command, writeErr: (text: string) => void): void {
  for (const sub of command.commands) {
    sub.exitOverride().configureOutput({ writeOut: printData, writeErr });
    for (const option of [
      ['-c, --config <file>', 'config file'],
      ['--json', 'machine-readable output'],
      ['-q, --quiet', 'no messages'],
      ['-v, --verbose', 'say more'],
    ] as const) {
      if (!sub.options.some((known) => known.long === option[0].split(/[ ,]+/).find((word) => word.startsWith('--'))))
        sub.option(option[0], option[1]);
    }
    quietErrors(sub, writeErr);
  }
}
