#!/usr/bin/env node
import { run } from '../cli/program.ts';
import { environmentWith } from '../platform/config/environment.ts';

process.exitCode = await run(
  process.argv.slice(2),
  { out: process.stdout, err: process.stderr },
  environmentWith({}),
);
