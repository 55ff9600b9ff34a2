import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));

describe('paths', () => {
  it('come from fileURLToPath: the pathname of a URL is wrong in a folder whose name has a space', () => {
    const files = ['src', 'test', 'prisma', 'examples'].flatMap((folder) =>
      readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
        .filter((file) => /\.[cm]?ts$/.test(file) && !/(^|\/)(node_modules|generated)\//.test(file))
        .map((file) => join(folder, file)),
    );
    const wrong = /\bimport\.meta\.url\s*\)\s*\.pathname/;
    expect(files.filter((file) => wrong.test(readFileSync(join(root, file), 'utf8')))).toEqual([]);
  });
});
