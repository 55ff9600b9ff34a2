import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

/** Which process reads which variables, as in the table of src/platform/config/environment.ts. */

const source = resolve(import.meta.dirname, '../../src');

const readBy = {
  server: ['base', 'control-plane', 'server'],
  scheduler: ['base', 'control-plane', 'scheduler'],
  executor: ['base', 'executor'],
  start: ['base', 'control-plane', 'executor', 'scheduler', 'server', 'supervisor'],
};

/** All files that this one loads, directly or indirectly, without imports of types. */
function loadedBy(entry: string): Set<string> {
  const loaded = new Set<string>();
  const waiting = [entry];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    if (loaded.has(file)) continue;
    loaded.add(file);
    if (file.startsWith('generated/')) continue;
    const text = readFileSync(join(source, file), 'utf8');
    for (const [, target = ''] of text.matchAll(
      /^(?:import|export)\s+(?!type\s)(?:[^'"]*?from\s+)?['"](\.[^'"]+)['"];?$/gm,
    )) {
      waiting.push(relative(source, resolve(source, dirname(file), target)).replaceAll('\\', '/'));
    }
  }
  return loaded;
}

describe('the configuration', () => {
  it.each(Object.entries(readBy))(
    'of %s has only the variables that this process reads',
    (process, expected) => {
      const files = [...loadedBy(`bin/${process}.ts`)].flatMap((file) => {
        const [, name] = /^platform\/config\/(.+)\.ts$/.exec(file) ?? [];
        return name === undefined || name === 'environment' ? [] : [name];
      });
      expect(files.sort()).toEqual(expected);
    },
  );

  it('is read from the environment in one file only', () => {
    const readers = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
      (file) =>
        /\.[cm]?[tj]sx?$/.test(file) &&
        !file.startsWith('generated') &&
        /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[|from 'node:process'/.test(
          readFileSync(join(source, file), 'utf8'),
        ),
    );
    expect(readers).toEqual(['platform/config/environment.ts']);
  });
});
