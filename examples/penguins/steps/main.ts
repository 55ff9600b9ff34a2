/** The entry point of all tasks, bundled into one file: `node <bundle> <step> --name=value …`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { chooseStep } from './choose.ts';
import { cleanStep } from './clean.ts';
import { evaluateStep } from './evaluate.ts';
import { reportStep } from './report.ts';
import { splitStep } from './split.ts';
import { type Step, StepError, stepIo } from './step.ts';
import { trainStep } from './train.ts';

const steps = new Map<string, Step>([
  ['clean', cleanStep],
  ['split', splitStep],
  ['train', trainStep],
  ['evaluate', evaluateStep],
  ['choose', chooseStep],
  ['report', reportStep],
]);

const [name = '', ...args] = process.argv.slice(2);
try {
  const step = steps.get(name);
  if (!step)
    throw new StepError(`the step ${name} does not exist; the steps are ${[...steps.keys()].join(', ')}`);
  const io = stepIo(args);
  await sleep(io.number('pauseSeconds') * 1000);
  step(io);
} catch (error) {
  console.error(error instanceof StepError ? error.message : error);
  process.exitCode = 1;
}
