// `npm test`: installs, builds, runs the whole suite and ends with `N passed, N failed`. Arguments go to vitest;
// `--crash-rounds N` sets how many times the crash test kills (default 25; `npm run test:crash` does 200);
// `--also-node24` runs a short selection on Node 24 behind it, counted with the rest.
import process from 'node:process';
import { build, install, root } from '../config/setup.mjs';
import { runVitest } from './run-vitest.mjs';
import { onSecondNode } from './second-node.mjs';

install();
build();

const args = process.argv.slice(2);
const env = { ...process.env };
const rounds = args.indexOf('--crash-rounds');
if (rounds >= 0) env.TALLYMAN_CRASH_ROUNDS = args.splice(rounds, 2)[1];
const second = args.indexOf('--also-node24');
if (second >= 0) args.splice(second, 1);

const runs = [runVitest(root, args, { env })];
if (second >= 0) runs.push(onSecondNode());
const passed = runs.reduce((sum, run) => sum + run.passed, 0);
const failed = runs.reduce((sum, run) => sum + run.failed, 0);
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
