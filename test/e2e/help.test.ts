import { expect, test } from 'vitest';
import { makeProgram } from '../../src/cli/program.js';
import { tallyman } from '../support/cli.js';

/** Every command line of the program, with its help. */
function helps(
  command: ReturnType<typeof makeProgram>,
  words: readonly string[] = [],
): readonly (readonly [string, string])[] {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  return [[words.join(' '), text], ...command.commands.flatMap((sub) => helps(sub, [...words, sub.name()]))];
}

const ALL = helps(
  makeProgram(
    () => () => Promise.resolve(),
    () => undefined,
  ),
);

test('there are as many as the page of commands says', () => {
  expect(ALL.length).toBeGreaterThan(20);
});

test.each(ALL)('`tallyman %s --help` has two examples of its own and the exit codes', (words, text) => {
  const [, examples = '', exits = ''] = /\nExamples:\n([^]*)\n\nExit codes:\n([^]*)$/.exec(text) ?? [];
  const lines = examples.split('\n').filter((line) => /^ {2}tallyman /.test(line));
  expect(lines.length).toBe(2);
  for (const line of lines) expect(line).toContain(`tallyman ${words}`.trimEnd());
  expect(exits).toMatch(/^ {2}0 {4}\S/m);
  expect(exits).toMatch(/^ {2}2 {4}wrong usage$/m);
  expect(text.split('\n').filter((line) => line.length > 100)).toEqual([]);
});

test('examples hold no option that the command does not have', () => {
  for (const [words, text] of ALL.filter(([name]) => name !== '' && name !== 'ledger' && name !== 'config')) {
    const options = [...text.slice(0, text.indexOf('Examples:')).matchAll(/(--[a-z-]+|-[a-z])\b/g)].map(([one]) => one);
    const examples = text.slice(text.indexOf('Examples:'), text.indexOf('Exit codes:'));
    for (const [, line = ''] of examples.matchAll(/^ {2}tallyman ([^|>\n]*?)(?: {2}.*)?$/gm))
      for (const [option] of line.matchAll(/(?<= )(--[a-z-]+|-[a-z])\b/g))
        expect([words, options]).toEqual([words, expect.arrayContaining([option]) as unknown]);
  }
});

test('the help that is printed is this one', async () => {
  expect((await tallyman(['files', 'show', '--help'])).stdout).toBe(ALL.find(([words]) => words === 'files show')![1]);
});
